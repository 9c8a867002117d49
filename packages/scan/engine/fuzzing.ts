import { type Match, matchSchema, type ScanProgress } from "@plastron/contracts";
import { FUZZ_VERSION, fuzzArtifact } from "../fuzz/index.ts";
import type { Artifact } from "../intake/artifact.ts";
import type { Settled } from "./options.ts";
import type { Tally } from "./tally.ts";

export interface Fuzzed {
  readonly matches: readonly Match[];
  readonly notes: readonly string[];
  readonly versions: { readonly fuzz?: string };
}

/** The part of a scan that runs the artifact: only where the caller lent sandboxes for it. Nothing of it is kept, as its next seconds may find more. */
export async function fuzzing(
  artifact: Artifact,
  { fuzz }: Settled,
  tally: Tally,
  onProgress: (progress: ScanProgress) => void,
  signal?: AbortSignal,
): Promise<Fuzzed> {
  if (fuzz === null) return { matches: [], notes: [], versions: {} };
  const from = Date.now();
  try {
    const result = await fuzzArtifact(artifact, fuzz.sandbox, { seconds: fuzz.seconds, seed: fuzz.seed ?? 1, signal, onProgress });
    for (const gap of result.gaps) tally.gap({ path: "", ...gap, analyser: "fuzz" });
    tally.looked("fuzz", { files: result.files, bytes: result.bytes, cached: 0, ms: Date.now() - from });
    return { matches: result.matches.map((match) => matchSchema.parse(match)), notes: result.notes, versions: { fuzz: FUZZ_VERSION } };
  } catch (error) {
    signal?.throwIfAborted();
    tally.gap({ kind: "failed", analyser: "fuzz", path: "", reason: "crash", detail: (error as Error).message.slice(0, 500), matters: true });
    return { matches: [], notes: [], versions: { fuzz: FUZZ_VERSION } };
  }
}
