import type { Match, ScanProgress } from "@plastron/contracts";
import type { Artifact } from "../intake/artifact.ts";
import type { FactsOfScan } from "./facts.ts";
import type { Settled } from "./options.ts";
import type { Versions, WorkerPool } from "./pool.ts";
import type { Tally } from "./tally.ts";

/** One scan while it runs. */
export interface Work {
  readonly artifact: Artifact;
  readonly settings: Settled;
  readonly pool: WorkerPool;
  readonly facts: FactsOfScan;
  readonly tally: Tally;
  readonly versions: Versions;
  readonly matches: Match[];
  readonly onProgress: (progress: ScanProgress) => void;
  readonly signal: AbortSignal | undefined;
}
