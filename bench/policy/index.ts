import { performance } from "node:perf_hooks";
import { TYPICAL_HOST } from "@plastron/contracts";
import { compilePolicy, type PolicyDocument } from "@plastron/policy";
import { type Measured, type Summary, summarize } from "../measure.ts";
import { EVERY_RULE, EVERYTHING } from "./every-rule.ts";
import { linearFilter } from "./linear.ts";
import { measureOverhead, type Overhead } from "./overhead.ts";

export interface PolicyTarget {
  name: string;
  at_most: number;
  unit: "ms" | "ns";
  measured: number | null;
  met: boolean | null;
}

export interface PolicyReport {
  bench: "policy";
  started_at: string;
  settings: { quick: boolean };
  /** `first`: the first compilation of the process, with nothing warmed up. */
  compile: { first_ms: number; every_rule: Summary; everything: Summary };
  filter: { ours_instructions: number; linear_instructions: number };
  overhead: Measured<Overhead>;
  targets: PolicyTarget[];
}

const COMPILE_MS = 5;
const ADDED_NS = 150;

/** How long a policy takes to compile, and what its filter adds to a call, beside no filter and beside the same rules as a list. */
export function benchPolicy(quick: boolean, say: (what: string) => void): PolicyReport {
  const started_at = new Date().toISOString();
  const host = { ...TYPICAL_HOST, arch: process.arch === "arm64" ? ("aarch64" as const) : ("x86_64" as const) };
  const timed = (policy: PolicyDocument): number => {
    const start = performance.now();
    compilePolicy(policy, host);
    return performance.now() - start;
  };
  say("compiling");
  const first = timed(EVERYTHING);
  const several = (policy: PolicyDocument): Summary => {
    for (let i = 0; i < (quick ? 50 : 200); i++) timed(policy);
    return summarize(Array.from({ length: quick ? 50 : 400 }, () => timed(policy)));
  };
  const compile = { first_ms: Math.round(first * 1000) / 1000, every_rule: several(EVERY_RULE), everything: several(EVERYTHING) };
  say("calls under filters");
  // Nobody listens to the loop: without notification nothing is handed over, and both filters have the same rules.
  const { confinement, profile } = compilePolicy(EVERY_RULE, { ...host, notify: false });
  const filters = { ours: Buffer.from(confinement.seccomp, "base64"), linear: linearFilter(profile, host.arch) };
  const overhead = measureOverhead(filters, quick ? { calls: 20_000, rounds: 5, turns: 2 } : { calls: 100_000, rounds: 5, turns: 10 });
  return {
    ...{ bench: "policy" as const, started_at, settings: { quick }, compile },
    filter: { ours_instructions: filters.ours.length / 8, linear_instructions: filters.linear.length / 8 },
    overhead,
    targets: targetsOf(compile, overhead),
  };
}

function targetsOf({ everything }: PolicyReport["compile"], overhead: Measured<Overhead>): PolicyTarget[] {
  const target = (name: string, at_most: number, unit: PolicyTarget["unit"], measured: number | null): PolicyTarget => ({
    ...{ name, at_most, unit, measured },
    met: measured === null ? null : measured <= at_most,
  });
  const cost = "unavailable" in overhead ? null : overhead;
  return [
    target("compile every rule and raw rules of each kind, p50", COMPILE_MS, "ms", everything.p50_ms),
    target("added to a getpid", ADDED_NS, "ns", cost?.getpid.ours_added_ns ?? null),
    target("added to a call with conditions (ioctl)", ADDED_NS, "ns", cost?.ioctl.ours_added_ns ?? null),
  ];
}
