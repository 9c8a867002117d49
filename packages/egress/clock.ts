/** The machine's monotonic clock, in microseconds: every process of it has the same, and the kernel's events have it too. */
export const monotonicUs = (): number => Number(process.hrtime.bigint() / 1000n);
