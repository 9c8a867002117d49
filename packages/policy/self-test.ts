import type { Confinement, FidelityRow, SelfTest, Violation } from "@plastron/contracts";

/** Runs one program of a self-test in a sandbox with that confinement. Rejects only if no sandbox could be made. */
export interface SelfTestPort {
  run(program: { runtime: SelfTest["runtime"]; code: string }, confinement: Confinement): Promise<ProgramOutcome>;
}

export interface ProgramOutcome {
  exit_code: number | null;
  stdout: string;
  stderr: string;
  /** What was recorded while it ran, each rule and action once. */
  violations: Pick<Violation, "rule_id" | "action">[];
}

export interface SelfTestResult {
  id: string;
  forbidden: ProgramOutcome;
  allowed: ProgramOutcome;
  passed: boolean;
  /** What went wrong, in words; empty where passed. */
  why: string;
}

export interface RowResult {
  rule: string;
  category: string;
  fidelity: FidelityRow["fidelity"];
  /** Whether its tests expect that it passes and is recorded, instead of that it is denied. */
  observes: boolean;
  /** `unclaimed`: the row claims nothing that could be shown, so there is nothing to test. */
  verdict: "passed" | "failed" | "unclaimed";
  tests: SelfTestResult[];
}

/** Exit codes of self-test programs: the thing was possible, or it was denied. Everything else is a broken test. */
const POSSIBLE = 0;
const DENIED = 13;

type Tried = Pick<SelfTestResult, "forbidden" | "allowed">;

/**
 * Tries what each row claims. Of a row that denies, what it forbids must be denied (exit 13); of one that only observes, it must
 * pass (exit 0) and be recorded for that rule as AUDIT. What it allows must work (exit 0) either way. A row that claims to deny
 * without a test of it fails. Tests that several rows share run once. One after another: a sandbox that is tested while others
 * start is not slower to deny, but its time-outs would be less telling.
 */
export async function runSelfTests(rows: readonly FidelityRow[], confinement: Confinement, port: SelfTestPort): Promise<RowResult[]> {
  const done = new Map<string, Tried>();
  const results: RowResult[] = [];
  for (const row of rows) {
    const tests: SelfTestResult[] = [];
    for (const test of row.self_tests) {
      const tried = done.get(test.id) ?? (await tryBoth(test, confinement, port));
      done.set(test.id, tried);
      tests.push(judged(test.id, row, tried));
    }
    const { rule, category, fidelity, observes = false } = row;
    results.push({ rule, category, fidelity, observes, verdict: verdictOf(row, tests), tests });
  }
  return results;
}

async function tryBoth({ runtime, forbidden, allowed }: SelfTest, confinement: Confinement, port: SelfTestPort): Promise<Tried> {
  const attempt = async (code: string): Promise<ProgramOutcome> => {
    try {
      return await port.run({ runtime, code }, confinement);
    } catch (error) {
      return { exit_code: null, stdout: "", stderr: error instanceof Error ? error.message : String(error), violations: [] };
    }
  };
  return { forbidden: await attempt(forbidden), allowed: await attempt(allowed) };
}

function judged(id: string, { rule, observes }: FidelityRow, { forbidden, allowed }: Tried): SelfTestResult {
  const whole = observes ? observed(rule, forbidden) : complaint("what it forbids", forbidden, DENIED);
  const why = [whole, complaint("what it allows", allowed, POSSIBLE)].filter((each) => each !== "").join("; ");
  return { id, forbidden, allowed, passed: why === "", why };
}

/** That it passed is nothing without its record, which is all that such a rule is for. */
function observed(rule: string, outcome: ProgramOutcome): string {
  const stopped = complaint("what it observes", outcome, POSSIBLE);
  if (stopped !== "" || isRecorded(rule, outcome)) return stopped;
  return "what it observes passed and was not recorded";
}

/** Whether the rule has a record of having let the program do something. */
function isRecorded(rule: string, { violations }: ProgramOutcome): boolean {
  return violations.some(({ rule_id, action }) => rule_id === rule && action === "AUDIT");
}

/** What a run recorded, as a port tells it. */
export function recordsOf(violations: readonly Violation[]): ProgramOutcome["violations"] {
  const each = new Map(violations.map(({ rule_id, action }) => [`${action} ${rule_id}`, { rule_id, action }]));
  return [...each.values()];
}

function complaint(what: string, { exit_code: code, stderr }: ProgramOutcome, wanted: number): string {
  if (code === wanted) return "";
  const lastLine = stderr.trim().split("\n").at(-1) ?? "";
  if (code === POSSIBLE) return `${what} was possible`;
  if (code === DENIED) return `${what} was denied`;
  return `the test of ${what} broke (exit ${code ?? "none"})${lastLine ? `: ${lastLine}` : ""}`;
}

function verdictOf(row: FidelityRow, tests: SelfTestResult[]): RowResult["verdict"] {
  if (row.fidelity === "unsupported" || (row.observes && tests.length === 0)) return "unclaimed";
  return tests.length > 0 && tests.every((test) => test.passed) ? "passed" : "failed";
}
