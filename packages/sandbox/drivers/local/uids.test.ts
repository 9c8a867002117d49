import { describe, expect, it } from "vitest";
import { UidPool, ZYGOTE_UIDS } from "./uids.ts";

describe("host uids", () => {
  it("are never those of the system, and never shared", () => {
    expect(() => new UidPool(0)).toThrow(RangeError);
    expect(() => new UidPool(1000)).toThrow(RangeError);
    const pool = new UidPool(1_900_000_000);
    const taken = [...Array.from({ length: 100 }, () => pool.take()), ...Array.from({ length: 3 }, () => pool.takeBlock())];
    expect(new Set(taken).size).toBe(103);
    const blocks = taken.slice(100);
    expect((blocks[1] as number) - (blocks[0] as number)).toBe(ZYGOTE_UIDS);
    expect(Math.max(...taken.slice(0, 100))).toBeLessThan(blocks[0] as number);
    for (const uid of taken) pool.giveBack(uid);
    expect(pool.inUse).toBe(0);
  });

  it("rest as long as can be before they are used again, and running out is an overload", () => {
    const pool = new UidPool(1_900_000_000);
    const first = pool.take();
    pool.giveBack(first);
    expect(pool.take()).not.toBe(first);
    for (let i = 0; i < 4095; i++) pool.take();
    expect(() => pool.take()).toThrow("no host uid is free");
  });
});
