import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isMeasured, mediansByName, quantile, ratio, summarize } from "./measure.ts";

describe("quantile", () => {
  test("interpolates between the nearest samples", () => {
    expect(quantile([1, 2, 3, 4], 0.5)).toBe(2.5);
    expect(quantile([10, 20, 30], 0.95)).toBeCloseTo(29);
    expect(quantile([7], 0.95)).toBe(7);
  });

  test("orders by number, not by text, and leaves its input as it was", () => {
    const samples = [10, 9, 100];
    expect(quantile(samples, 0.5)).toBe(10);
    expect(samples).toEqual([10, 9, 100]);
  });

  test("refuses no samples, and shares that are none", () => {
    expect(() => quantile([], 0.5)).toThrow(RangeError);
    expect(() => quantile([1], 95)).toThrow(RangeError);
    expect(() => quantile([1], Number.NaN)).toThrow(RangeError);
  });

  test("lies between the smallest and the largest sample, and grows with its share", () => {
    const samples = fc.array(fc.double({ min: 0, max: 1e6, noNaN: true }), { minLength: 1 });
    const share = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(samples, share, share, (values, a, b) => {
        const low = quantile(values, Math.min(a, b));
        const high = quantile(values, Math.max(a, b));
        const slack = 1e-6; // of the interpolation's own rounding
        expect(low).toBeLessThanOrEqual(high + slack);
        expect(low).toBeGreaterThanOrEqual(Math.min(...values) - slack);
        expect(high).toBeLessThanOrEqual(Math.max(...values) + slack);
      }),
    );
  });
});

test("one pause of the host moves the largest sample, not the median", () => {
  const calm = Array.from({ length: 99 }, () => 3);
  expect(summarize([...calm, 900])).toEqual({ n: 100, p50_ms: 3, p95_ms: 3, min_ms: 3, max_ms: 900 });
});

test("a phase that only some runs have is judged by those", () => {
  expect(mediansByName([{ run: 10 }, { run: 30, queue: 5 }, { run: 20 }])).toEqual({ run: 20, queue: 5 });
  expect(mediansByName([])).toEqual({});
});

test("a ratio needs both sides", () => {
  expect(ratio(6, 3)).toBe(2);
  expect(ratio(null, 3)).toBeNull();
  expect(ratio(3, null)).toBeNull();
  expect(ratio(3, 0)).toBeNull();
});

test("what is unavailable is not measured", () => {
  expect(isMeasured<{ p50_ms: number }>({ p50_ms: 1 })).toBe(true);
  expect(isMeasured<{ p50_ms: number }>({ unavailable: "not installed" })).toBe(false);
});
