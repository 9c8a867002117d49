import { describe, expect, it } from "vitest";
import type { Box } from "./box.ts";
import { type BoxSource, Pool, Rate, StartGate } from "./pool.ts";

const later = (ms = 0) => new Promise((done) => setTimeout(done, ms));

/** A box that is nothing but its birthday and its end. */
function fakeBox(bornAt = performance.now()): Box & { destroyed: boolean } {
  let end = () => {};
  const gone = new Promise<void>((resolve) => (end = resolve));
  const box = {
    bornAt,
    destroyed: false,
    gone,
    destroy() {
      box.destroyed = true;
      end();
    },
  };
  return box as unknown as Box & { destroyed: boolean };
}

function source(start: () => Promise<Box>): BoxSource {
  return { kind: "process", start };
}

const slowly = (ms: number) => async () => {
  await later(ms);
  return fakeBox();
};

const settings = { min: 2, max: 4, maxAgeMs: 1000 };

describe("a pool", () => {
  it("holds its minimum, gives each box once, and refills behind each take", async () => {
    let made = 0;
    const pool = new Pool(
      source(async () => {
        made++;
        return fakeBox();
      }),
      settings,
      new StartGate(2),
    );
    await later(5);
    expect(pool.ready).toBe(2);
    const first = await pool.take();
    const second = await pool.take();
    expect(first.box).not.toBe(second.box);
    expect([first.cold, second.cold, pool.hits]).toEqual([false, false, 2]);
    await later(20);
    expect([pool.ready, made]).toEqual([2, 4]);
    await pool.close();
  });

  it("that is empty makes the taker wait for the next box rather than fail", async () => {
    const pool = new Pool(source(slowly(10)), { ...settings, min: 0 }, new StartGate(1));
    const taken = await Promise.all([pool.take(), pool.take(), pool.take()]);
    expect(new Set(taken.map(({ box }) => box)).size).toBe(3);
    expect(taken.every(({ cold }) => cold)).toBe(true);
    await pool.close();
  });

  it("whose start fails says why to one taker, and tries again for the next", async () => {
    let tries = 0;
    const pool = new Pool(
      source(async () => {
        if (++tries === 1) throw new Error("no such step");
        return fakeBox();
      }),
      { ...settings, min: 0 },
      new StartGate(1),
    );
    const [first, second] = await Promise.allSettled([pool.take(), pool.take()]);
    expect(first).toMatchObject({ status: "rejected", reason: { message: "no such step" } });
    expect(second.status).toBe("fulfilled");
    await pool.close();
  });

  it("replaces a box that died and a box that grew old", async () => {
    const boxes: (Box & { destroyed: boolean })[] = [];
    const pool = new Pool(
      source(async () => {
        const box = fakeBox();
        boxes.push(box);
        return box;
      }),
      { ...settings, min: 1 },
      new StartGate(1),
    );
    await later(5);
    boxes[0]?.destroy();
    await later(5);
    expect([pool.ready, boxes.length]).toEqual([1, 2]);
    pool.tend(performance.now() + 2000);
    await later(5);
    expect(boxes[1]?.destroyed).toBe(true);
    expect([pool.ready, boxes.length]).toEqual([1, 3]);
    await pool.close();
    expect(boxes[2]?.destroyed).toBe(true);
  });

  it("grows with the rate of takes, never past its maximum, and shrinks when nobody asks", async () => {
    const pool = new Pool(source(slowly(1)), { ...settings, min: 0 }, new StartGate(8));
    for (let i = 0; i < 200; i++) (await pool.take()).box.destroy();
    let now = performance.now() + 600;
    pool.tend(now);
    expect(pool.target).toBeGreaterThan(1);
    expect(pool.target).toBeLessThanOrEqual(settings.max);
    for (let i = 0; i < 20; i++) {
      await later(1);
      now += 600;
      pool.tend(now);
    }
    expect([pool.target, pool.ready]).toEqual([0, 0]);
    await pool.close();
  });

  it("that is closed refuses who waits and destroys what was being made", async () => {
    const made: (Box & { destroyed: boolean })[] = [];
    const pool = new Pool(
      source(async () => {
        await later(10);
        const box = fakeBox();
        made.push(box);
        return box;
      }),
      { ...settings, min: 0 },
      new StartGate(1),
    );
    const taken = pool.take();
    const refused = expect(taken).rejects.toThrow("closed");
    await pool.close();
    await refused;
    expect(made.every((box) => box.destroyed)).toBe(true);
  });
});

describe("a rate", () => {
  it("follows what comes in, and forgets", () => {
    const rate = new Rate(0);
    for (let i = 0; i < 50; i++) rate.add();
    expect(rate.update(500)).toBe(50);
    expect(rate.update(700)).toBe(50); // too soon to say more
    expect(rate.update(1500)).toBe(25);
    for (let now = 2000; now < 12_000; now += 500) rate.update(now);
    expect(rate.value).toBe(0);
  });
});

describe("a start gate", () => {
  it("lets no more in than its width, in order", async () => {
    const gate = new StartGate(2);
    const log: number[] = [];
    const leaves: (() => void)[] = [];
    for (let i = 0; i < 4; i++) {
      gate.enter((leave) => {
        log.push(i);
        leaves.push(leave);
      });
    }
    expect(log).toEqual([0, 1]);
    leaves[1]?.();
    leaves[1]?.();
    expect(log).toEqual([0, 1, 2]);
  });
});
