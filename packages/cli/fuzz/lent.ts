import type { ScanOptions } from "@plastron/scan";

export interface ScanFuzzFlags {
  fuzz?: boolean;
  fuzzSeconds?: number;
}

/** How long is searched where nobody says. */
export const DEFAULT_SECONDS = 30;

/** Lends a scan the sandboxes for fuzzing, where that is asked for; else it runs nothing of what it scans. */
export async function lendingFuzz<T>({ fuzz, fuzzSeconds }: ScanFuzzFlags, scan: (fuzz: NonNullable<ScanOptions["fuzz"]> | null) => Promise<T>): Promise<T> {
  if (!fuzz && fuzzSeconds === undefined) return scan(null);
  const { withFuzzSandbox } = await import("./sandbox.ts");
  return withFuzzSandbox((sandbox) => scan({ sandbox, seconds: fuzzSeconds ?? DEFAULT_SECONDS }));
}
