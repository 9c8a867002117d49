/** The statistics of the benchmarks. Functions over values: nothing here takes time or reads a clock. */

/** Samples of one thing, in milliseconds. The median, and not the mean, stands for it: one pause of the host must not move it. */
export interface Summary {
  n: number;
  p50_ms: number;
  p95_ms: number;
  min_ms: number;
  max_ms: number;
}

/** A figure, or why there is none: a peer that is not installed is no failure of the bench. */
export type Measured<T> = T | { unavailable: string };

export function isMeasured<T extends object>(value: Measured<T>): value is T {
  return !("unavailable" in value);
}

/** Throws RangeError on no samples: a median of nothing must not print as 0. */
export function summarize(samplesMs: readonly number[]): Summary {
  const sorted = sortedCopy(samplesMs);
  return {
    n: sorted.length,
    p50_ms: round(quantileOfSorted(sorted, 0.5)),
    p95_ms: round(quantileOfSorted(sorted, 0.95)),
    min_ms: round(sorted[0] as number),
    max_ms: round(sorted.at(-1) as number),
  };
}

/** With linear interpolation between the two nearest samples (type 7 of Hyndman and Fan, Sample Quantiles, 1996). `share` is 0 to 1. */
export function quantile(samples: readonly number[], share: number): number {
  return quantileOfSorted(sortedCopy(samples), share);
}

/** The median of every name that occurs in any of the records; a record without that name does not count for it. */
export function mediansByName(records: readonly Record<string, number>[]): Record<string, number> {
  const values = new Map<string, number[]>();
  for (const record of records) {
    for (const [name, value] of Object.entries(record)) {
      const known = values.get(name);
      if (known) known.push(value);
      else values.set(name, [value]);
    }
  }
  return Object.fromEntries([...values].map(([name, all]) => [name, Math.round(quantile(all, 0.5))]));
}

/** How many times as large `ours` is as `theirs`; null where either is missing or nothing can be divided. */
export function ratio(ours: number | null, theirs: number | null): number | null {
  if (ours === null || theirs === null || theirs === 0) return null;
  return round(ours / theirs);
}

/** Three decimals: the clock is finer, the machine is not. */
export function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}

function sortedCopy(samples: readonly number[]): number[] {
  if (samples.length === 0) throw new RangeError("no samples");
  return [...samples].sort((a, b) => a - b);
}

function quantileOfSorted(sorted: readonly number[], share: number): number {
  if (!(share >= 0 && share <= 1)) throw new RangeError(`a share is between 0 and 1, not ${share}`);
  const at = (sorted.length - 1) * share;
  const below = sorted[Math.floor(at)] as number;
  const above = sorted[Math.ceil(at)] as number;
  return below + (above - below) * (at - Math.floor(at));
}
