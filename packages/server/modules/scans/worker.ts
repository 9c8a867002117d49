import { type ScanProgress, type ScanResult, toProblem } from "@plastron/contracts";
import type { Artifact, Matchable, OnProgress, ScanOptions } from "@plastron/scan";
import { type JobOptions, JobWorker } from "../../jobs/worker.ts";
import { type Decided, type Job, type ScanStore, standsForArtifact } from "./store.ts";

/** What does the work; packages/scan, or a test's own. */
export type Scanner = (artifact: Artifact, options: ScanOptions, onProgress: OnProgress, signal: AbortSignal) => Promise<ScanResult>;

const AT_FIRST: ScanProgress = { phase: "intake", done: 0, total: 0, bytes: 0, findings: 0, current: "" };

/** Does the scans that wait in the database. */
export function startScanWorker(parts: {
  store: ScanStore;
  open: (tenant: string, digest: string) => Promise<Artifact | undefined>;
  scanner: Scanner;
  server: string;
  options: JobOptions & { scan: ScanOptions };
  onError: (error: Error) => void;
  /** What follows from the result for the projects that the artifact may run for: written together with it. */
  judge: (job: Job, result: ScanResult) => Promise<Decided>;
}): JobWorker<Job, ScanProgress> {
  const { store, open, scanner, server, options, onError, judge } = parts;
  return new JobWorker<Job, ScanProgress>({
    ...{ jobs: store, server, options, onError, atFirst: AT_FIRST },
    async perform(job, { signal, say }) {
      try {
        const artifact = await open(job.tenant, job.artifact);
        if (!artifact) throw new Error("the artifact is gone");
        let matchable: Matchable | null = null;
        const onMatchable = (kept: Matchable) => {
          matchable = kept;
        };
        const result = await scanner(artifact, { ...options.scan, analysers: job.analysers, onMatchable }, say, signal);
        const decided = standsForArtifact(job) ? await judge(job, result) : async () => {};
        await store.finish(job, server, result, matchable, decided);
      } catch (error) {
        if (signal.aborted) return; // cancelled, or given back
        const { code, detail } = toProblem(error);
        await store.fail(job, server, { code, detail });
        onError(error as Error);
      }
    },
  });
}
