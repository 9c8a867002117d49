import type { AnalyserName, Gap, ScanProgress, ScanResult } from "@plastron/contracts";
import { findingsOf } from "../findings/index.ts";
import { importSarif } from "../imports/sarif.ts";
import type { Artifact } from "../intake/artifact.ts";
import { type OpenOptions, openArtifact } from "../intake/open.ts";
import type { StampMemo } from "../intake/stamps.ts";
import { advisoriesOf } from "./advisories.ts";
import { ScanCache } from "./cache/index.ts";
import { FactsOfScan } from "./facts.ts";
import { FAILURE_LASTS_MS, lookAtFiles } from "./files.ts";
import { fuzzing } from "./fuzzing.ts";
import { Gathered } from "./gathered.ts";
import { type ScanOptions, type Settled, settle } from "./options.ts";
import { type Versions, WorkerPool } from "./pool.ts";
import { lookAtProject } from "./project.ts";
import { matchableOf } from "./rematch/matchable.ts";
import { Tally } from "./tally.ts";
import { verifyMatches } from "./verify/index.ts";
import { Progress, type Work } from "./work.ts";

/** To start a worker takes a second of processor time: not for a handful of files. */
const FILES_WORTH_A_WORKER = 16;

export type OnProgress = (progress: ScanProgress) => void;

/** Takes an artifact in and scans it; see `openArtifact` for what `source` may be. */
export async function scanSource(source: string, options: ScanOptions & OpenOptions = {}, onProgress: OnProgress = () => {}): Promise<ScanResult> {
  const scanner = new Scanner(options);
  let taken = 0;
  const onFile = (path: string) => onProgress({ phase: "intake", done: ++taken, total: 0, bytes: 0, findings: 0, current: path });
  try {
    const artifact = await openArtifact(source, { ...options, memo: scanner.stamps, onFile });
    try {
      return await scanner.scan(artifact, onProgress, options.signal);
    } finally {
      await artifact.close();
    }
  } finally {
    await scanner.close();
  }
}

/** One artifact looked at; see `Scanner.scan`. When it settles, no process of it is left. */
export async function scan(artifact: Artifact, options: ScanOptions = {}, onProgress: OnProgress = () => {}, signal?: AbortSignal): Promise<ScanResult> {
  const scanner = new Scanner(options);
  try {
    return await scanner.scan(artifact, onProgress, signal);
  } finally {
    await scanner.close();
  }
}

/** Scans one artifact after another by the same workers: to start one takes longer than to look at a small tree. */
export class Scanner {
  readonly #settings: Settled;
  readonly #cache: ScanCache;
  readonly #pool: WorkerPool;

  constructor(options: ScanOptions) {
    this.#settings = settle(options);
    const { cache, registry, rules, advisories, analysers, workers } = this.#settings;
    this.#cache = new ScanCache(cache, { registry, analysers, rules, advisories });
    this.#pool = new WorkerPool({ registry, config: { analysers, rules, advisories } }, this.#settings, workers || undefined);
  }

  get stamps(): StampMemo {
    return this.#cache.stamps;
  }

  /**
   * Looks at an artifact with every analyser that is asked for. Rejects only where nothing could be looked at at all, or `signal` says so; whatever else goes
   * wrong is a gap, and the result `incomplete`.
   */
  scan(artifact: Artifact, onProgress: OnProgress = () => {}, signal?: AbortSignal, more: Pick<ScanOptions, "verifySecrets"> = {}): Promise<ScanResult> {
    return scanArtifact(artifact, { ...this.#settings, ...more }, this.#cache, this.#pool, onProgress, signal);
  }

  /** Ends its processes, also those at work. */
  async close(): Promise<void> {
    await this.#pool.close();
    this.#cache.close();
  }
}

async function scanArtifact(
  artifact: Artifact,
  settings: Settled,
  cache: ScanCache,
  pool: WorkerPool,
  onProgress: OnProgress,
  signal?: AbortSignal,
): Promise<ScanResult> {
  const started = new Date();
  const { analysers } = settings;
  const facts = new FactsOfScan();
  const tally = new Tally(settings.fuzz ? [...analysers, "fuzz"] : analysers);
  const result = new Gathered(tally, facts);
  const progress = new Progress(onProgress, artifact.files.length, () => result.count);
  try {
    const versions = await versionsOf(pool, cache, settings, artifact.files.length);
    const names = analysers.filter((name) => name in versions);
    for (const gap of artifact.gaps) tally.gap({ ...gap, analyser: "intake" });
    for (const name of analysers) if (!(name in versions)) tally.gap(absent(name));
    await look({ artifact, settings, names, versions, pool, cache, facts, result, progress, signal });
    const fuzzed = await fuzzing(artifact, settings, tally, onProgress, signal);
    progress.judging();
    const matches = settings.verifySecrets ? await verifyMatches(result.sorted(), artifact, settings.verifier ?? undefined) : result.sorted();
    const imported = settings.imports.map(({ name, text }) => importSarif(text, name));
    for (const gap of imported.flatMap(({ gaps }) => gaps)) tally.gap({ ...gap, analyser: "code" });
    const { findings, notes } = findingsOf([...matches, ...fuzzed.matches, ...imported.flatMap((log) => log.matches)]);
    const known = await advisoriesOf(settings);
    if (settings.onMatchable && result.leaned) settings.onMatchable(await matchableOf(result.leaned, known.notes));
    return {
      version: 1,
      artifact: artifact.ref,
      status: tally.complete ? "complete" : "incomplete",
      started_at: started.toISOString(),
      ms: Date.now() - started.getTime(),
      findings,
      coverage: {
        ...tally.coverage(artifact, { ...versions, ...fuzzed.versions }, [
          ...artifact.notes,
          ...known.notes,
          ...notes,
          ...fuzzed.notes,
          ...notesOf(pool, cache),
        ]),
        advisories: known.advisories,
      },
      sbom: result.sbom,
      ...(result.offers ? { offers: result.offers } : {}),
    };
  } finally {
    facts.close();
  }
}

async function look(work: Work): Promise<void> {
  const { artifact, cache, versions, result, settings } = work;
  const patience = settings.fileTimeoutMs + settings.projectTimeoutMs;
  const kept = settings.onMatchable === null ? cache.tree(artifact, versions, settings.approvals) : null;
  if (kept && (!kept.failure || (Date.now() < kept.failure.until && kept.failure.patience >= patience))) return result.recall(kept);
  await lookAtFiles(work);
  await lookAtProject(work);
  const keep = result.toKeep();
  if (!keep) return;
  cache.putTree(
    artifact,
    versions,
    settings.approvals,
    keep.failures ? { ...keep.tree, failure: { until: Date.now() + FAILURE_LASTS_MS, patience } } : keep.tree,
  );
}

async function versionsOf(pool: WorkerPool, cache: ScanCache, { analysers }: Settled, files: number): Promise<Versions> {
  const known = cache.versions(analysers);
  if (known) return known;
  const versions = await pool.versions(Math.ceil(files / FILES_WORTH_A_WORKER) || 1);
  cache.putVersions(analysers, versions);
  return versions;
}

function notesOf(pool: WorkerPool, cache: ScanCache): string[] {
  const isolation = pool.missing.map((what) => `on this machine the scan's workers run without ${what}`);
  return cache.trouble === null ? isolation : [...isolation, `nothing was kept of this scan nor taken from earlier ones: ${cache.trouble}`];
}

function absent(analyser: AnalyserName): Gap {
  return { kind: "failed", analyser, path: "", reason: "absent", detail: "this analyser is not part of this Plastron", matters: true };
}
