import type { AnalyserName } from "@plastron/contracts";
import { listen } from "./listen.ts";
import type { WorkerProcess } from "./process.ts";
import { checkLook } from "./tally.ts";
import type { Work } from "./work.ts";

/** Each analyser's look at the whole, one after another in one worker that was told all facts; a new one where it died. */
export async function lookAtProject(work: Work): Promise<void> {
  const { settings, versions, pool, tally, matches } = work;
  const names = settings.analysers.filter((name) => name in versions);
  let worker: WorkerProcess | null = null;
  for (const [index, analyser] of names.entries()) {
    work.onProgress({ phase: "project", done: index, total: names.length, bytes: 0, findings: matches.length, current: analyser });
    if (!worker || worker.over) worker = await told(work);
    await worker.send({ type: "project", analyser });
    const outcome = await listen(worker, settings.projectTimeoutMs, (_, look) => take(work, analyser, look), work.signal);
    if (outcome.type === "done") continue;
    tally.gap({ ...outcome.gap, analyser, path: "" });
    await worker.kill();
  }
  if (worker && !worker.over) {
    await worker.send({ type: "forget" });
    pool.release(worker);
  }
}

async function told({ artifact, facts, pool }: Work): Promise<WorkerProcess> {
  const worker = await pool.acquire();
  for (const { path, layers, language, executable, size } of artifact.files)
    await worker.send({ type: "head", file: { path, layers, language, executable, size } });
  for (const { analyser, key, facts: body } of facts.all()) await worker.send({ type: "facts", analyser, key }, body);
  return worker;
}

function take({ tally, matches }: Work, analyser: AnalyserName, look: Parameters<Parameters<typeof listen>[2]>[1]): void {
  if (!look.wanted) return;
  const checked = checkLook(analyser, "", look);
  matches.push(...checked.matches);
  for (const gap of checked.gaps) tally.gap(gap);
  tally.looked(analyser, { files: 0, bytes: 0, cached: 0, ms: look.ms });
}
