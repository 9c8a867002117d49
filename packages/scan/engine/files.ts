import type { AnalyserName } from "@plastron/contracts";
import type { ArtifactFile } from "../intake/artifact.ts";
import { Lane, type LaneHost, type Task } from "./lane.ts";
import type { RawLook } from "./protocol.ts";
import { checkLook } from "./tally.ts";
import type { Work } from "./work.ts";

/** Every file past every analyser that wants it, over all cores. Where one lane fails for good, all end. */
export async function lookAtFiles(work: Work): Promise<void> {
  const { artifact, pool, settings, versions } = work;
  const names = settings.analysers.filter((name) => name in versions);
  const tasks: Task[] = artifact.files.map((file) => ({ file, analysers: names }));
  const lanes = Array.from({ length: Math.min(pool.size, tasks.length) }, () => new Lane(hostOf(work, tasks)).run());
  try {
    await Promise.all(lanes);
  } catch (error) {
    await pool.close();
    await Promise.allSettled(lanes);
    throw error;
  }
}

function hostOf(work: Work, tasks: Task[]): LaneHost {
  const { pool, settings, tally, matches, artifact } = work;
  return {
    next: () => tasks.pop() ?? null,
    start: () => pool.acquire(),
    release: (worker) => pool.release(worker),
    read: (file) => readOrSay(work, file),
    looked: (file, analyser, look) => take(work, file, analyser, look),
    failed: (file, analyser, gap) => tally.gap({ ...gap, analyser, path: file.key }),
    done: (file) => {
      const done = artifact.files.length - tasks.length;
      work.onProgress({ phase: "files", done, total: artifact.files.length, bytes: 0, findings: matches.length, current: file.key });
    },
    timeoutMs: settings.fileTimeoutMs,
    signal: work.signal,
  };
}

async function readOrSay({ artifact, tally }: Work, file: ArtifactFile): Promise<Uint8Array | null> {
  try {
    return await artifact.read(file);
  } catch (error) {
    const detail = error instanceof Error ? error.message : "it cannot be read";
    tally.gap({ kind: "failed", analyser: "intake", path: file.key, reason: "changed", detail, matters: true });
    return null;
  }
}

function take({ tally, matches, facts }: Work, file: ArtifactFile, analyser: AnalyserName, look: RawLook & { readonly ms: number }): void {
  if (!look.wanted) return;
  const checked = checkLook(analyser, file.key, look);
  matches.push(...checked.matches);
  for (const gap of checked.gaps) tally.gap(gap);
  tally.looked(analyser, { files: 1, bytes: file.size, cached: 0, ms: look.ms });
  if (look.facts !== null) facts.put(analyser, file.key, Buffer.from(JSON.stringify(look.facts)));
}
