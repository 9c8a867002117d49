import { setImmediate as breathe } from "node:timers/promises";
import type { AnalyserName, Gap } from "@plastron/contracts";
import type { ArtifactFile } from "../intake/artifact.ts";
import type { KeptLook } from "./cache/index.ts";
import { Lane, type LaneHost, type Task } from "./lane.ts";
import type { Settled } from "./options.ts";
import type { Arrived } from "./protocol.ts";
import { checkLook } from "./tally.ts";
import type { Work } from "./work.ts";

/** How long a scan believes another that a look did not come to its end, before it tries again. */
export const FAILURE_LASTS_MS = 3_600_000;

/** Every file past every analyser that wants it, over all cores; what is known is not asked again. Where one lane fails for good, all end. */
export async function lookAtFiles(work: Work): Promise<void> {
  const { pool } = work;
  const tasks = await recall(work);
  const host = hostOf(work, tasks);
  const lanes = Array.from({ length: Math.min(pool.size, lanesFor(tasks)) }, () => new Lane(host).run());
  try {
    await Promise.all(lanes);
  } catch (error) {
    await pool.close();
    await Promise.allSettled(lanes);
    throw error;
  }
}

/** One for every few files, or where they are large: starting a worker is not for nothing. */
function lanesFor(tasks: readonly Task[]): number {
  const bytes = tasks.reduce((sum, { file }) => sum + file.size, 0);
  return Math.min(tasks.length, Math.ceil(tasks.length / 8) + Math.ceil(bytes / 2 ** 20));
}

/** Takes what earlier scans saw; gives what is left to look at, the largest last: a lane takes from the end, and what takes long is to begin early. */
async function recall(work: Work): Promise<Task[]> {
  const { artifact, cache, names, versions } = work;
  const tasks: Task[] = [];
  for (const [index, file] of artifact.files.entries()) {
    if (index % 256 === 255) await breathe();
    work.signal?.throwIfAborted();
    const left = names.filter((name) => {
      const known = cache.look(file, name, versions[name] ?? "");
      if (known === null || !stillCounts(known.look, timeoutOf(file, work.settings))) return true;
      if (known.look.failure) work.result.failed(known.look.failure.gap, "lasting");
      else work.result.take(file, name, known.look, known.facts, "known");
      return false;
    });
    if (left.length > 0) tasks.push({ file, analysers: left });
    else work.progress.passed(file);
  }
  return tasks.sort((a, b) => a.file.size - b.file.size);
}

/** A failure is believed for a while, and by nobody who would wait longer than the scan that met it. */
function stillCounts({ failure }: KeptLook, patience: number): boolean {
  return !failure || (Date.now() < failure.until && failure.patience >= patience);
}

/** A second more for each mebibyte: what is large is slow, not stuck. */
function timeoutOf({ size }: ArtifactFile, { fileTimeoutMs }: Settled): number {
  return fileTimeoutMs + Math.floor(size / 2 ** 20) * 1000;
}

function fail({ cache, result, versions, settings }: Work, file: ArtifactFile, analyser: AnalyserName, gap: Gap): void {
  const failure = { gap, until: Date.now() + FAILURE_LASTS_MS, patience: timeoutOf(file, settings) };
  cache.putLook(file, analyser, versions[analyser] ?? "", { wanted: true, matches: [], gaps: [], ms: 0, failure }, null);
  result.failed(gap, "lasting");
}

function hostOf(work: Work, tasks: Task[]): LaneHost {
  const { pool, settings } = work;
  return {
    next: () => tasks.pop() ?? null,
    start: () => pool.acquire(),
    release: (worker) => pool.release(worker),
    read: (file) => readOrSay(work, file),
    looked: (file, analyser, look) => take(work, file, analyser, look),
    failed: (file, analyser, gap) => fail(work, file, analyser, { ...gap, analyser, path: file.key }),
    done: (file) => work.progress.passed(file),
    timeoutMs: (file) => timeoutOf(file, settings),
    signal: work.signal,
  };
}

async function readOrSay({ artifact, result }: Work, file: ArtifactFile): Promise<Uint8Array | null> {
  try {
    return await artifact.read(file);
  } catch (error) {
    const detail = error instanceof Error ? error.message : "it cannot be read";
    result.failed({ kind: "failed", analyser: "intake", path: file.key, reason: "changed", detail, matters: true }, "passing");
    return null;
  }
}

function take({ result, cache, versions }: Work, file: ArtifactFile, analyser: AnalyserName, raw: Arrived): void {
  const look = { ...checkLook(analyser, file.key, raw), wanted: raw.wanted, ms: raw.ms };
  cache.putLook(file, analyser, versions[analyser] ?? "", look, raw.facts);
  result.take(file, analyser, look, raw.facts, "new");
}
