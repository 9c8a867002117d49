/** Fuzzing of an artifact, in sandboxes that somebody lends: from its files to matches, and the cases by which they can be tried again. */
import type { MatchInput, ScanProgress } from "@plastron/contracts";
import type { LookGap } from "../analyser.ts";
import type { Artifact } from "../intake/artifact.ts";
import type { FuzzCase } from "./cases.ts";
import { type Confirmed, confirm } from "./confirm.ts";
import { describe as described } from "./descriptions.ts";
import { matchOf } from "./finding.ts";
import { fuzzPrepared, type HarnessReport } from "./fuzz.ts";
import { type Gathered, gather } from "./gather.ts";
import type { Harness, Prepared, PreparedFile } from "./harness.ts";
import { choose } from "./interest.ts";
import type { FuzzSandbox } from "./port.ts";
import { prepareJavascriptFiles, preparePythonFiles } from "./prepare.ts";

export { CASES_PATH, type FuzzCase, readCases, writeCase } from "./cases.ts";
export type { Confirmed } from "./confirm.ts";
export type { HarnessReport } from "./fuzz.ts";
export type { Harness } from "./harness.ts";
export type { FuzzOrder, FuzzSandbox } from "./port.ts";

/** Changes whenever fuzzing could find otherwise. */
export const FUZZ_VERSION = "1";

export interface FuzzSettings {
  readonly seconds: number;
  readonly seed: number;
  /** Only harnesses whose id holds this. */
  readonly harness?: string;
  readonly mostHarnesses?: number;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: (progress: ScanProgress) => void;
}

export interface FuzzResult {
  readonly matches: readonly MatchInput[];
  readonly gaps: readonly LookGap[];
  readonly confirmed: readonly Confirmed[];
  readonly harnesses: readonly HarnessReport[];
  /** What takes input and was not fuzzed, for want of time or because it was not asked for. */
  readonly left: number;
  readonly files: number;
  readonly bytes: number;
  readonly notes: readonly string[];
}

/** Fuzzes what of the artifact takes input, for so long. Everything that could not be is a gap; nothing of the artifact runs outside of a sandbox. */
export async function fuzzArtifact(artifact: Pick<Artifact, "files" | "read">, sandbox: FuzzSandbox, settings: FuzzSettings): Promise<FuzzResult> {
  const gathered = await gather(artifact);
  const gaps: LookGap[] = [];
  const prepared = await prepare(gathered, sandbox, gaps, settings.signal);
  const all = prepared.flatMap((one) => one.harnesses);
  const chosen = choose(all, settings);
  const confirmed: Confirmed[] = [];
  const harnesses: HarnessReport[] = [];
  for (const one of prepared) {
    const own = chosen.filter((harness) => one.harnesses.includes(harness));
    const { onProgress } = settings;
    const onHarness = (harness: Harness, index: number, total: number, found: number) =>
      onProgress?.({ phase: "fuzz", done: index, total, bytes: 0, findings: confirmed.length + found, current: harness.id });
    const options = { sandbox, seconds: (settings.seconds * own.length) / Math.max(1, chosen.length), seed: settings.seed, signal: settings.signal };
    const report = await fuzzPrepared(one, own, { ...options, pumps: one.pumps, onHarness });
    confirmed.push(...report.confirmed);
    harnesses.push(...report.harnesses);
  }
  for (const { id, trouble } of harnesses) if (trouble !== null) gaps.push(gap(id.split(":", 1)[0] as string, "not_fuzzed", `${id}: ${trouble}`));
  if (all.length > chosen.length && settings.harness === undefined)
    gaps.push({
      kind: "degraded",
      reason: "budget",
      detail: `${all.length - chosen.length} of ${all.length} functions and tools were not fuzzed, for want of time`,
      matters: false,
      path: "",
    });
  const sources = new Map([...gathered.javascript, ...gathered.python].map((file) => [file.path, file]));
  const notes = [...gathered.notes, ...prepared.flatMap((one) => one.notes), ...new Set(harnesses.map(({ means }) => means).filter(Boolean))];
  const sizes = [...sources.values()].reduce((sum, { text }) => sum + text.length, 0);
  return { matches: distinct(confirmed, sources), gaps, confirmed, harnesses, left: all.length - chosen.length, files: sources.size, bytes: sizes, notes };
}

/** Two harnesses that reach one fault are one finding. */
function distinct(confirmed: readonly Confirmed[], sources: ReadonlyMap<string, PreparedFile>): MatchInput[] {
  const found = new Map<string, MatchInput>();
  for (const one of confirmed) {
    const match = matchOf(one, sources);
    const key = `${match.rule}\0${match.place.path}\0${match.place.line}`;
    if (!found.has(key)) found.set(key, match);
  }
  return [...found.values()];
}

async function prepare(gathered: Gathered, sandbox: FuzzSandbox, gaps: LookGap[], signal?: AbortSignal): Promise<Prepared[]> {
  const made: Prepared[] = [];
  const attempt = async (work: Promise<Prepared>) => {
    try {
      made.push(await work);
    } catch (error) {
      signal?.throwIfAborted();
      gaps.push(gap("", "not_prepared", (error as Error).message.slice(0, 500)));
    }
  };
  if (gathered.javascript.length > 0) await attempt(prepareJavascriptFiles(gathered.javascript, signal).then((one) => described(one, gathered.descriptions)));
  if (gathered.python.length > 0) await attempt(preparePythonFiles(gathered.python, sandbox, signal));
  return made;
}

function gap(path: string, reason: string, detail: string): LookGap {
  return { kind: "degraded", reason, detail, matters: true, path };
}

export interface Replayed {
  readonly path: string;
  /** fails: the oracle still says so. passes: it does not. gone: its harness could not be called any more. */
  readonly state: "fails" | "passes" | "gone";
  readonly message: string;
}

/** Tries cases again against the artifact as it is now. */
export async function replayCases(
  artifact: Pick<Artifact, "files" | "read">,
  sandbox: FuzzSandbox,
  cases: readonly { readonly path: string; readonly content: FuzzCase }[],
  signal?: AbortSignal,
): Promise<Replayed[]> {
  const gathered = await gather(artifact);
  const prepared = await prepare(gathered, sandbox, [], signal);
  const replayed: Replayed[] = [];
  for (const { path, content } of cases) {
    const one = prepared.find(({ harnesses }) => harnesses.some(({ id }) => id === content.harness.id));
    const harness = one?.harnesses.find(({ id }) => id === content.harness.id);
    if (!one || !harness) {
      replayed.push({ path, state: "gone", message: `${content.harness.id} is no longer there` });
      continue;
    }
    const again = await confirm({ sandbox, prepared: one, seed: content.seed, signal }, harness, { ...content, pump: content.pump ?? undefined });
    replayed.push({ path, state: again ? "fails" : "passes", message: again?.message ?? "" });
  }
  return replayed;
}
