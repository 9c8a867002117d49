/** How fast a whole scan is, cold and warm, and each analyser by itself, beside what people run today on the same tree. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import type { ScanResult } from "@plastron/contracts";
import { type Measured, round } from "../measure.ts";
import { corpus } from "./corpus.ts";
import { type BytesOf, type PeerRun, runPeers } from "./peers.ts";

export interface WholeRow {
  what: "cold" | "warm";
  seconds: number[];
  mb_per_s: number;
  target_seconds: number;
}

export interface AnalyserRow {
  analyser: string;
  files: number;
  bytes: number;
  /** Processor time over all workers: what one core would have taken. */
  core_seconds: number;
  mb_per_s_per_core: number;
  target: number | null;
  findings: Record<string, number>;
}

export interface ScanReport {
  bench: "scan";
  started_at: string;
  settings: { quick: boolean; cores: number };
  tree: { holds: string[]; files: number; bytes: number };
  whole: WholeRow[];
  warm_times_faster: number;
  analysers: AnalyserRow[];
  peers: Measured<PeerRun>[];
  gaps: Record<string, number>;
}

/** For a tree of 20 MB on 2 cores. */
const TARGET_SECONDS = { cold: 30, warm: 2 };
const TARGET_MB_PER_S: Readonly<Record<string, number>> = { secrets: 20, code: 2 };
const PLASTRON = join(import.meta.dirname, "../../packages/cli/main.ts");

export async function benchScan(quick: boolean, say: (what: string) => void): Promise<ScanReport> {
  const started_at = new Date().toISOString();
  const { directory, ...tree } = corpus(say);
  const home = mkdtempSync(join(tmpdir(), "plastron-bench-scan-"));
  try {
    say("scanning, cold");
    const cold = scanOnce(directory, home);
    const warm = Array.from({ length: quick ? 1 : 3 }, () => {
      say("scanning, warm");
      return scanOnce(directory, home);
    });
    const rows = [row("cold", [cold], tree.bytes), row("warm", warm, tree.bytes)];
    return {
      ...{ bench: "scan" as const, started_at, settings: { quick, cores: availableParallelism() }, tree, whole: rows },
      warm_times_faster: round(cold.seconds / Math.min(...warm.map(({ seconds }) => seconds))),
      analysers: analyserRows(cold.result),
      peers: quick ? [] : runPeers(directory, bytesOf(directory), say),
      gaps: counted(cold.result.coverage.gaps.filter(({ matters }) => matters).map(({ analyser, reason }) => `${analyser}: ${reason}`)),
    };
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

interface OneScan {
  seconds: number;
  result: ScanResult;
}

/** As a user calls it: the process with its start and its report. */
function scanOnce(directory: string, cache: string): OneScan {
  const start = performance.now();
  const args = [PLASTRON, "scan", directory, "--all", "--format", "json", "--fail-on", "none"];
  const { stdout, stderr, status } = spawnSync(process.execPath, args, {
    encoding: "utf8",
    maxBuffer: 2 ** 30,
    env: { ...process.env, XDG_CACHE_HOME: cache },
  });
  const seconds = (performance.now() - start) / 1000;
  if (status !== 0 && status !== 2) throw new Error(`plastron scan ended with ${status}: ${stderr.slice(-500)}`);
  return { seconds, result: JSON.parse(stdout) as ScanResult };
}

function row(what: "cold" | "warm", runs: OneScan[], bytes: number): WholeRow {
  const seconds = runs.map((run) => Math.round(run.seconds * 100) / 100);
  // The targets are of 20 MB: a larger tree may take longer in proportion.
  const target = TARGET_SECONDS[what] * Math.max(1, bytes / 20e6);
  return { what, seconds, mb_per_s: round(bytes / 1e6 / Math.min(...seconds)), target_seconds: Math.round(target * 10) / 10 };
}

function analyserRows({ coverage, findings }: ScanResult): AnalyserRow[] {
  return Object.entries(coverage.analysers).map(([analyser, { files, bytes, ms }]) => ({
    ...{ analyser, files, bytes, core_seconds: round(ms / 1000), mb_per_s_per_core: round(bytes / 1e3 / ms), target: TARGET_MB_PER_S[analyser] ?? null },
    findings: counted(findings.filter((finding) => finding.analyser === analyser).map(({ severity }) => severity)),
  }));
}

function counted(words: readonly string[]): Record<string, number> {
  return Object.fromEntries(Object.entries(Object.groupBy(words, (word) => word)).map(([word, all]) => [word, all?.length ?? 0]));
}

function bytesOf(directory: string): BytesOf {
  const files = readdirSync(directory, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return (...endings) =>
    files
      .filter(({ name }) => endings.length === 0 || endings.some((ending) => name.endsWith(ending)))
      .reduce((sum, { parentPath, name }) => sum + statSync(join(parentPath, name)).size, 0);
}
