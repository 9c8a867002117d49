import type { Confinement, FidelityRow, SelfTest } from "@plastron/contracts";

/** Runs one program of a self-test in a sandbox with that confinement. Rejects only if no sandbox could be made. */
export interface SelfTestPort {
  run(program: { runtime: SelfTest["runtime"]; code: string }, confinement: Confinement): Promise<{ exit_code: number | null; stdout: string; stderr: string }>;
}

export type ProgramOutcome = { exit_code: number | null; stdout: string; stderr: string };

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
  /** `unclaimed`: the row does not claim enforcement, so there is nothing to test. */
  verdict: "passed" | "failed" | "unclaimed";
  tests: SelfTestResult[];
}

/** Exit codes of self-test programs: the thing was possible, or it was denied. Everything else is a broken test. */
const POSSIBLE = 0;
const DENIED = 13;

/**
 * Tries what each row claims: what it forbids must be denied (exit 13) and what it allows must work (exit 0). A row that
 * claims enforcement without a test of it fails. Tests that several rows share run once. One after another: a sandbox that is
 * tested while others start is not slower to deny, but its time-outs would be less telling.
 */
export async function runSelfTests(rows: readonly FidelityRow[], confinement: Confinement, port: SelfTestPort): Promise<RowResult[]> {
  const done = new Map<string, SelfTestResult>();
  const results: RowResult[] = [];
  for (const row of rows) {
    const tests: SelfTestResult[] = [];
    for (const test of row.self_tests) {
      const result = done.get(test.id) ?? (await runOne(test, confinement, port));
      done.set(test.id, result);
      tests.push(result);
    }
    results.push({ rule: row.rule, category: row.category, fidelity: row.fidelity, verdict: verdictOf(row, tests), tests });
  }
  return results;
}

async function runOne(test: SelfTest, confinement: Confinement, port: SelfTestPort): Promise<SelfTestResult> {
  const attempt = async (code: string): Promise<ProgramOutcome> => {
    try {
      return await port.run({ runtime: test.runtime, code }, confinement);
    } catch (error) {
      return { exit_code: null, stdout: "", stderr: error instanceof Error ? error.message : String(error) };
    }
  };
  const forbidden = await attempt(test.forbidden);
  const allowed = await attempt(test.allowed);
  const why = [complaint("what it forbids", forbidden, DENIED), complaint("what it allows", allowed, POSSIBLE)].filter((each) => each !== "").join("; ");
  return { id: test.id, forbidden, allowed, passed: why === "", why };
}

function complaint(what: string, { exit_code: code, stderr }: ProgramOutcome, wanted: number): string {
  if (code === wanted) return "";
  const lastLine = stderr.trim().split("\n").at(-1) ?? "";
  if (code === POSSIBLE) return `${what} was possible`;
  if (code === DENIED) return `${what} was denied`;
  return `the test of ${what} broke (exit ${code ?? "none"})${lastLine ? `: ${lastLine}` : ""}`;
}

function verdictOf(row: FidelityRow, tests: SelfTestResult[]): RowResult["verdict"] {
  if (row.fidelity === "unsupported" || row.observes) return "unclaimed";
  return tests.length > 0 && tests.every((test) => test.passed) ? "passed" : "failed";
}
