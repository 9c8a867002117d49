/** How often a scan cries wolf: popular packages scanned one by one, and every grave finding held against what a careful reader said of it. */
import { spawnSync } from "node:child_process";
import type { Finding, ScanResult } from "@plastron/contracts";
import { round } from "../measure.ts";
import { JUDGEMENTS, type Judged, type Judgement } from "./judgements.ts";
import { type Chosen, PACKAGES } from "./packages.ts";

export interface GraveFinding {
  fingerprint: string;
  rule: string;
  severity: string;
  verdict: string;
  place: string;
  line: string;
  message: string;
  /** From where the data comes to where it does harm, a line each. */
  flow: string[];
  judged: Judged | "not yet";
  why: string;
}

export interface PackageRow {
  what: string;
  sort: string;
  status: string;
  files: number;
  bytes: number;
  seconds: number;
  severities: Record<string, number>;
  verdicts: Record<string, number>;
  grave: GraveFinding[];
  /** What was not seen as it should be, where that matters. */
  gaps: string[];
}

export interface PrecisionReport {
  bench: "precision";
  started_at: string;
  settings: { quick: boolean };
  packages: PackageRow[];
  totals: { packages: number; incomplete: number; malice: number; grave: number; judged: Record<string, number>; false_per_ten: number };
  /** Judgements of findings that are no longer told. */
  stale: string[];
}

/** No more than one grave finding in ten packages may be false. */
export const TARGET_FALSE_PER_TEN = 1;
const PLASTRON = `${import.meta.dirname}/../../packages/cli/main.ts`;

/** Throws where a package cannot be fetched: a set that is not whole says nothing. `quick`: every sixth package. */
export function benchPrecision(quick: boolean, say: (what: string) => void): PrecisionReport {
  const started_at = new Date().toISOString();
  const chosen = quick ? PACKAGES.filter((_, i) => i % 6 === 0) : PACKAGES;
  const packages = chosen.map((one, i) => {
    say(`scanning ${one.what} (${i + 1} of ${chosen.length})`);
    return rowOf(one, scan(one.what));
  });
  return { bench: "precision", started_at, settings: { quick }, packages, totals: totalsOf(packages), stale: staleOf(packages) };
}

/** As a user calls it, and without a cache: what an earlier version found must not stand in for this one. */
function scan(what: string): ScanResult {
  const args = [PLASTRON, "scan", what, "--format", "json", "--fail-on", "none", "--no-cache"];
  const { stdout, stderr, status } = spawnSync(process.execPath, args, { encoding: "utf8", maxBuffer: 2 ** 30 });
  if ((status !== 0 && status !== 2) || stdout === "") throw new Error(`plastron scan ${what} ended with ${status}: ${stderr.slice(-500)}`);
  return JSON.parse(stdout) as ScanResult;
}

function rowOf({ what, sort }: Chosen, { status, ms, findings, coverage }: ScanResult): PackageRow {
  return {
    ...{ what, sort, status, files: coverage.files, bytes: coverage.bytes, seconds: round(ms / 1000) },
    severities: counted(findings.map(({ severity }) => severity)),
    verdicts: counted(findings.map(({ verdict }) => verdict)),
    grave: findings.filter(isGrave).map((finding) => graveOf(what, finding)),
    gaps: coverage.gaps.filter(({ matters }) => matters).map(({ analyser, path, reason, detail }) => `${analyser}: ${path}: ${reason}: ${detail}`),
  };
}

/** Of malice every finding is grave, however little it weighs: on this set there is none. */
function isGrave({ severity, verdict }: Finding): boolean {
  return severity === "critical" || severity === "high" || verdict === "malice";
}

function graveOf(what: string, { fingerprint, rule, severity, verdict, place, message, flow }: Finding): GraveFinding {
  const said = JUDGEMENTS.find((one) => isOf(one, what, rule, place.path, place.snippet));
  return {
    ...{ fingerprint, rule, severity, verdict, place: `${place.path}:${place.line}`, line: place.snippet.trim(), message },
    flow: flow.map((step) => `${step.path}:${step.line}: ${step.message}`),
    ...{ judged: said?.judged ?? "not yet", why: said?.why ?? "" },
  };
}

function isOf(one: Judgement, what: string, rule: string, path: string, line: string): boolean {
  return one.what === what && one.rule === rule && one.path === path && line.includes(one.line);
}

function totalsOf(packages: readonly PackageRow[]): PrecisionReport["totals"] {
  const grave = packages.flatMap((row) => row.grave);
  const judged = counted(grave.map((finding) => finding.judged));
  return {
    packages: packages.length,
    incomplete: packages.filter(({ status }) => status !== "complete").length,
    malice: grave.filter(({ verdict }) => verdict === "malice").length,
    grave: grave.length,
    judged,
    false_per_ten: round(((judged.false ?? 0) / packages.length) * 10),
  };
}

function staleOf(packages: readonly PackageRow[]): string[] {
  const seen = new Set(packages.map(({ what }) => what));
  const told = packages.flatMap(({ what, grave }) => grave.map((finding) => ({ what, ...finding })));
  return JUDGEMENTS.filter(
    (one) => seen.has(one.what) && !told.some(({ what, rule, place, line }) => isOf(one, what, rule, place.slice(0, place.lastIndexOf(":")), line)),
  ).map(({ what, rule, path, line }) => `${what} ${rule} ${path}: ${line}`);
}

function counted(words: readonly string[]): Record<string, number> {
  return Object.fromEntries(Object.entries(Object.groupBy(words, (word) => word)).map(([word, all]) => [word, all?.length ?? 0]));
}
