import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Shares } from "./shares.ts";

const takeAll = (shares: Shares, owner: string) => {
  const taken: (() => void)[] = [];
  for (let leave = shares.take(owner); leave; leave = shares.take(owner)) taken.push(leave);
  return taken;
};

describe("the places of the process", () => {
  it("are never all one owner's: half are left for the next, and a third of the rest again", () => {
    const shares = new Shares(60);
    expect(takeAll(shares, "a")).toHaveLength(30);
    expect(takeAll(shares, "b")).toHaveLength(15);
    expect(takeAll(shares, "c")).toHaveLength(8);
  });

  it("come back once, however often they are given back", () => {
    const shares = new Shares(4);
    const [first] = takeAll(shares, "a") as [() => void];
    first();
    first();
    expect(takeAll(shares, "a")).toHaveLength(1);
  });

  it("are never given twice, and whoever has none gets one as long as there is one", () => {
    const step = fc.record({ owner: fc.constantFrom("a", "b", "c"), give: fc.boolean() });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 20 }), fc.array(step, { maxLength: 200 }), (places, steps) => {
        const shares = new Shares(places);
        const held = new Map<string, (() => void)[]>();
        const total = () => [...held.values()].reduce((sum, list) => sum + list.length, 0);
        for (const { owner, give } of steps) {
          const mine = held.get(owner) ?? [];
          held.set(owner, mine);
          const before = total();
          const leave = give ? undefined : shares.take(owner);
          if (give) mine.pop()?.();
          else if (leave) mine.push(leave);
          else expect(mine.length).toBeGreaterThanOrEqual(places - before);
          expect(total()).toBeLessThanOrEqual(places);
        }
      }),
    );
  });
});
