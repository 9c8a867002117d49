import type { AnalyserName, ScanProgress } from "@plastron/contracts";
import type { Artifact, ArtifactFile } from "../intake/artifact.ts";
import type { ScanCache } from "./cache/index.ts";
import type { FactsOfScan } from "./facts.ts";
import type { Gathered } from "./gathered.ts";
import type { Settled } from "./options.ts";
import type { Versions, WorkerPool } from "./pool.ts";

/** One scan while it runs. */
export interface Work {
  readonly artifact: Artifact;
  readonly settings: Settled;
  /** Analysers that are asked for and there. */
  readonly names: readonly AnalyserName[];
  readonly versions: Versions;
  readonly pool: WorkerPool;
  readonly cache: ScanCache;
  readonly facts: FactsOfScan;
  readonly result: Gathered;
  readonly progress: Progress;
  readonly signal: AbortSignal | undefined;
}

/** Says how far a scan is, each time in whole. */
export class Progress {
  readonly #say: (progress: ScanProgress) => void;
  readonly #total: number;
  readonly #findings: () => number;
  #done = 0;
  #bytes = 0;

  constructor(say: (progress: ScanProgress) => void, total: number, findings: () => number) {
    this.#say = say;
    this.#total = total;
    this.#findings = findings;
  }

  passed({ key, size }: ArtifactFile): void {
    this.#done++;
    this.#bytes += size;
    this.#tell({ phase: "files", done: this.#done, total: this.#total, current: key });
  }

  joining(analyser: AnalyserName, done: number, total: number): void {
    this.#tell({ phase: "project", done, total, current: analyser });
  }

  judging(): void {
    this.#tell({ phase: "report", done: 0, total: 1, current: "" });
  }

  #tell(now: Pick<ScanProgress, "phase" | "done" | "total" | "current">): void {
    this.#say({ ...now, bytes: this.#bytes, findings: this.#findings() });
  }
}
