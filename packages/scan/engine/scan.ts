import type { AnalyserName, Match, ScanProgress, ScanResult } from "@plastron/contracts";
import { findingsOf } from "../findings/index.ts";
import type { Artifact } from "../intake/artifact.ts";
import { FactsOfScan } from "./facts.ts";
import { lookAtFiles } from "./files.ts";
import { type ScanOptions, settle } from "./options.ts";
import { WorkerPool } from "./pool.ts";
import { lookAtProject } from "./project.ts";
import { order, Tally } from "./tally.ts";

export type OnProgress = (progress: ScanProgress) => void;

/**
 * Looks at an artifact with every analyser that is asked for. Rejects only where nothing could be looked at at all, or `signal` says so; whatever else goes
 * wrong is a gap, and the result `incomplete`. When it settles, no process of it is left.
 */
export async function scan(artifact: Artifact, options: ScanOptions = {}, onProgress: OnProgress = () => {}, signal?: AbortSignal): Promise<ScanResult> {
  const started = new Date();
  const settings = settle(options);
  const { registry, rules, advisories, analysers } = settings;
  const pool = new WorkerPool({ registry, config: { analysers, rules, advisories } }, settings, settings.workers || undefined);
  const facts = new FactsOfScan();
  const tally = new Tally(analysers);
  const matches: Match[] = [];
  try {
    const versions = await pool.versions();
    for (const gap of artifact.gaps) tally.gap({ ...gap, analyser: "intake" });
    for (const name of analysers) if (!(name in versions)) tally.gap(absent(name));
    const work = { artifact, settings, pool, facts, tally, versions, onProgress, signal, matches };
    await lookAtFiles(work);
    await lookAtProject(work);
    onProgress({ phase: "report", done: 0, total: 1, bytes: 0, findings: matches.length, current: "" });
    const { findings, notes } = findingsOf(matches.sort(byKey));
    const isolation = pool.missing.map((what) => `on this machine the scan's workers run without ${what}`);
    return {
      version: 1,
      artifact: artifact.ref,
      status: tally.complete ? "complete" : "incomplete",
      started_at: started.toISOString(),
      ms: Date.now() - started.getTime(),
      findings,
      coverage: tally.coverage(artifact, versions, [...artifact.notes, ...notes, ...isolation]),
      sbom: null,
    };
  } finally {
    await pool.close();
    facts.close();
  }
}

function absent(analyser: AnalyserName) {
  return { kind: "failed", analyser, path: "", reason: "absent", detail: "this analyser is not part of this Plastron", matters: true } as const;
}

/** Workers answer in any order; a report has one. */
function byKey(a: Match, b: Match): number {
  return (
    order(a.place.layers.join("!/"), b.place.layers.join("!/")) ||
    order(a.place.path, b.place.path) ||
    a.place.line - b.place.line ||
    a.place.column - b.place.column ||
    order(a.rule, b.rule) ||
    order(JSON.stringify(a), JSON.stringify(b))
  );
}
