/** Fuzzes what of an artifact takes input, each harness in sandboxes of its own; only what showed twice is told. */
import { type Around, type Confirmed, confirm, replay } from "./confirm.ts";
import { runEngine } from "./engine.ts";
import type { Candidate, Input } from "./frames.ts";
import type { Harness, Prepared, Pump } from "./harness.ts";
import type { FuzzSandbox } from "./port.ts";
import { shortenHang } from "./shorten.ts";
import { confirmViolations } from "./violations.ts";

export interface FuzzOptions {
  readonly sandbox: FuzzSandbox;
  /** For all harnesses together; replays come on top. */
  readonly seconds: number;
  readonly seed: number;
  readonly signal?: AbortSignal | undefined;
  readonly pumps?: readonly Omit<Pump, "times" | "path">[];
  readonly onHarness?: (harness: Harness, index: number, total: number, found: number) => void;
  readonly guided?: boolean;
  readonly stopAtFirst?: boolean;
}

/** How one harness went. Numbers are the sandbox's word, and mean nothing of a hostile target. */
export interface HarnessReport {
  readonly id: string;
  readonly executions: number;
  readonly ms: number;
  readonly edges: number;
  readonly corpus: number;
  readonly candidates: number;
  readonly confirmed: number;
  readonly firstFound: { readonly ms: number; readonly executions: number } | null;
  /** Null: it was fuzzed for all of its time. */
  readonly trouble: string | null;
  readonly means: string;
}

export interface FuzzReport {
  readonly confirmed: readonly Confirmed[];
  readonly harnesses: readonly HarnessReport[];
}

const PATIENCE_MS = 1000;
const MOST_ROUNDS = 4;
const LEAST_MS = 500;

export async function fuzzPrepared(prepared: Prepared, harnesses: readonly Harness[], options: FuzzOptions): Promise<FuzzReport> {
  const confirmed: Confirmed[] = [];
  const reports: HarnessReport[] = [];
  const share = Math.max(LEAST_MS, (options.seconds * 1000) / Math.max(1, harnesses.length));
  for (const [index, harness] of harnesses.entries()) {
    options.signal?.throwIfAborted();
    options.onHarness?.(harness, index, harnesses.length, confirmed.length);
    const one = await fuzzHarness(prepared, harness, share, options);
    confirmed.push(...one.confirmed);
    reports.push(one.report);
  }
  return { confirmed, harnesses: reports };
}

async function fuzzHarness(
  prepared: Prepared,
  harness: Harness,
  share: number,
  options: FuzzOptions,
): Promise<{ confirmed: Confirmed[]; report: HarnessReport }> {
  const around: Around = { sandbox: options.sandbox, prepared, seed: options.seed, signal: options.signal };
  const confirmed = new Map<string, Confirmed>();
  const tried = new Set<string>();
  const report = { id: harness.id, executions: 0, ms: 0, edges: 0, corpus: 0, candidates: 0, firstFound: null as HarnessReport["firstFound"], means: "" };
  let trouble: string | null = null;
  for (let round = 0, left = share; round < MOST_ROUNDS && left >= LEAST_MS / 2; round++) {
    const more = { guided: options.guided ?? true, stopAtFirst: options.stopAtFirst ?? false, pumps: options.pumps ?? [] };
    const ran = await runEngine(
      options.sandbox,
      { mode: "fuzz", harness, prepared, seed: options.seed + round, ms: left, patienceMs: PATIENCE_MS, known: [...tried], ...more },
      options.signal,
    );
    const stat = ran.messages.findLast((message) => message.type === "stat");
    const ready = ran.messages.find((message) => message.type === "ready");
    if (stat?.type === "stat") {
      report.executions += stat.executions;
      report.ms += stat.ms;
      report.edges = Math.max(report.edges, stat.edges);
      report.corpus = Math.max(report.corpus, stat.corpus);
      report.firstFound ??= stat.found;
    }
    if (ready?.type === "ready") report.means = ready.means;
    const candidates = ran.messages.filter((message): message is Candidate => message.type === "candidate").slice(0, 16);
    for (const candidate of candidates) await judge(candidate);
    const done = ran.messages.find((message) => message.type === "done");
    if (ran.result.violations.length > 0)
      for (const one of await confirmViolations(around, harness, ran.result.violations, done?.type === "done" ? done.corpus : [])) confirmed.set(one.key, one);
    const broken = ran.messages.find((message) => message.type === "broken");
    trouble = broken?.type === "broken" ? `the target could not be called: ${broken.message.split("\n", 1)[0]}` : null;
    if (broken || done) break;
    trouble =
      ran.messages.length === 0
        ? "the target ended its sandbox before anything was tried"
        : `the sandbox ended early (${ran.result.reason ?? ran.result.signal ?? ran.result.status})`;
    if (!ready || !ran.last) break;
    await ended(
      ran.last.args,
      ran.messages.some(({ type }) => type === "hang"),
    );
    left -= Math.max(stat?.type === "stat" ? stat.ms : 0, share / MOST_ROUNDS);
  }
  if (confirmed.size > 0 && trouble?.startsWith("the sandbox ended early")) trouble = null;
  return { confirmed: [...confirmed.values()], report: { ...report, confirmed: confirmed.size, trouble } };

  async function judge(candidate: Candidate): Promise<void> {
    if (tried.has(candidate.key)) return;
    tried.add(candidate.key);
    report.candidates++;
    report.firstFound ??= { ms: candidate.ms, executions: candidate.executions };
    const one = await confirm(around, harness, candidate);
    if (one !== null) confirmed.set(one.key, one);
  }

  /** The process ended with an input in its hand: did the input end it? */
  async function ended(args: Input, hang: boolean): Promise<void> {
    report.candidates++;
    if (hang && [...confirmed.values()].some(({ oracle }) => oracle === "hang" || oracle === "slow")) return;
    const outcome = await replay(around, harness, args);
    if (outcome === null || confirmed.has(outcome.key)) return;
    if (outcome.oracle !== "hang") return void confirmed.set(outcome.key, { harness, input: args, seed: options.seed, pump: null, times: [], ...outcome });
    if (!hang) return;
    const one = await shortenHang(around, harness, args, outcome);
    confirmed.set(one.key, one);
  }
}
