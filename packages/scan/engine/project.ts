import type { AnalyserName } from "@plastron/contracts";
import { listen } from "./listen.ts";
import type { WorkerProcess } from "./process.ts";
import type { Arrived } from "./protocol.ts";
import { checkLook, checkOffers } from "./tally.ts";
import type { Work } from "./work.ts";

/** Each analyser's look at the whole, one after another in one worker that was told all facts; a new one where it died. */
export async function lookAtProject(work: Work): Promise<void> {
  const { settings, names, pool, result } = work;
  let worker: WorkerProcess | null = null;
  for (const [index, analyser] of names.entries()) {
    work.progress.joining(analyser, index, names.length);
    if (!worker || worker.over) worker = await told(work);
    await worker.send({ type: "project", analyser, keep: settings.onMatchable !== null });
    const outcome = await listen(worker, settings.projectTimeoutMs, (_, look) => take(work, analyser, look), work.signal);
    if (outcome.type === "done") continue;
    result.failed({ ...outcome.gap, analyser, path: "" }, "lasting");
    await worker.kill();
  }
  if (worker && !worker.over) {
    await worker.send({ type: "forget" });
    pool.release(worker);
  }
}

async function told({ artifact, facts, pool, settings, signal }: Work): Promise<WorkerProcess> {
  const worker = await pool.acquire();
  for (const { path, layers, language, executable, size, sealed } of artifact.files) {
    signal?.throwIfAborted();
    await worker.send({ type: "head", file: { path, layers, language, executable, size, ...(sealed ? { sealed } : {}) } });
  }
  await worker.send({ type: "approvals" }, Buffer.from(JSON.stringify(settings.approvals)));
  for (const { analyser, key, facts: body } of facts.all()) {
    signal?.throwIfAborted();
    await worker.send({ type: "facts", analyser, key }, body);
  }
  return worker;
}

function take({ result }: Work, analyser: AnalyserName, look: Arrived): void {
  const dependencies = analyser === "dependencies";
  result.joined(analyser, {
    ...{ ...checkLook(analyser, "", look), ms: look.ms },
    ...{ sbom: dependencies ? (look.sbom ?? null) : null, leaned: dependencies ? look.facts : null },
    offers: analyser === "agentware" ? checkOffers(look.offers) : null,
  });
}
