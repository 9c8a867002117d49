import { type HostFacts, newId, type Program, type RunResult, runSpecSchema, type Violation } from "@plastron/contracts";
import { type Advice, type AdviseRequest, advise, type Behavior, compilePolicy } from "@plastron/policy";
import type { SandboxDriver } from "@plastron/sandbox";
import { describeEvent, shown } from "../violations/words.ts";

/** The workload as it is run: a program with its files, and how it should end. */
export type Workload = Pick<Program, "runtime" | "code" | "args" | "files" | "stdin">;

export interface Learned {
  advice: Advice;
  /** How the workload ended with nothing but the platform's floor around it: what a good policy must not change. */
  expected: Pick<RunResult, "status" | "exit_code">;
  observed: { rule: string; what: string }[];
  rounds: number;
}

export interface Verified {
  passed: boolean;
  status: string;
  exit_code: number | null;
  violations: Violation[];
}

/** A run records so many violations and no more: each round leaves out the rules that were hit and looks for others. */
const MOST_ROUNDS = 8;
const WALL_MS = 60_000;
/** Where the floor's own rules stand: no line of a policy. */
const FLOOR = "spec.policy.mode";

/**
 * Lets the workload run under everything that could be advised, observing only, and leaves out the rules that it hits.
 * Rules that the platform's floor holds anyway deny also while observing, and count as hit.
 */
export async function learn(request: AdviseRequest, workload: Workload, driver: SandboxDriver, host: HostFacts): Promise<Learned> {
  const observed: Learned["observed"] = [];
  let expected: Learned["expected"] | undefined;
  for (let rounds = 1; ; rounds++) {
    const behavior: Behavior = { ...request.behavior, rules: observed };
    const advice = advise({ ...request, behavior });
    const result = await runUnder(observing(advice), workload, driver, host);
    expected ??= { status: result.status, exit_code: result.exit_code };
    const fresh = newRules(result.violations, observed);
    if (fresh.length === 0 || rounds === MOST_ROUNDS) return { advice, expected, observed, rounds };
    observed.push(...fresh);
  }
}

/**
 * Runs the workload under the advised policy as it would be deployed: it must end as it did before, and hit none of its rules.
 * What the platform's floor denies it denied before, too.
 */
export async function verify(advice: Advice, expected: Learned["expected"], workload: Workload, driver: SandboxDriver, host: HostFacts): Promise<Verified> {
  const { status, exit_code, violations: all } = await runUnder(advice.policy, workload, driver, host);
  const violations = all.filter(({ rule_path }) => rule_path !== FLOOR);
  return { passed: status === expected.status && exit_code === expected.exit_code && violations.length === 0, status, exit_code, violations };
}

async function runUnder(policy: Advice["policy"], workload: Workload, driver: SandboxDriver, host: HostFacts): Promise<RunResult> {
  const { confinement } = compilePolicy(policy, host);
  const spec = runSpecSchema.parse({ ...workload, run_id: newId("run"), tenant: "advise", confinement, limits: { wall_ms: WALL_MS } });
  return driver.run(spec, { stdout: () => {}, stderr: () => {} });
}

function observing({ policy }: Advice): Advice["policy"] {
  const { spec } = policy;
  const enhanceProtect = { ...spec.policy.enhanceProtect, allowViolations: true, auditViolations: true };
  return { ...policy, spec: { ...spec, policy: { ...spec.policy, enhanceProtect } } };
}

/** One entry a rule, with what it was hit by first. */
function newRules(violations: readonly Violation[], known: readonly { rule: string }[]): Learned["observed"] {
  const fresh = new Map<string, string>();
  for (const { rule_id, event } of violations) {
    if (known.some(({ rule }) => rule === rule_id) || fresh.has(rule_id)) continue;
    fresh.set(rule_id, shown(describeEvent(event)));
  }
  return [...fresh].map(([rule, what]) => ({ rule, what }));
}
