import { newId, type RunResult, runSpecSchema, type Tier } from "@plastron/contracts";
import { type Compiled, type RowResult, recordsOf, runSelfTests, type SelfTestPort } from "@plastron/policy";
import type { SandboxDriver } from "@plastron/sandbox";
import { withOwnDriver } from "../run/own-driver.ts";

/** What `plastron policy test --json` prints. */
export interface LiveReport {
  policy: string;
  confinement: string;
  driver: string;
  tier: number;
  passed: number;
  failed: number;
  /** Rows that claim nothing that could be shown on this host: see their note in `policy explain`. */
  unclaimed: number;
  rows: RowResult[];
}

/** A self-test is over in milliseconds; one that hangs is broken, and says so by its status. */
const WALL_MS = 10_000;

/**
 * Runs every self-test of a compiled policy in sandboxes of a driver of its own, under a temporary home, so that nothing needs to
 * run and nothing that runs is disturbed. Throws PlastronError sandbox_failed where this host can make none.
 */
export function runLiveTests(compiled: Compiled, progress: (done: number, of: number) => void, minTier: Tier = 1): Promise<LiveReport> {
  return withOwnDriver(async (driver) => {
    const programs = 2 * new Set(compiled.fidelity.flatMap((row) => row.self_tests.map((test) => test.id))).size;
    let done = 0;
    let ran = { driver: driver.name, tier: driver.tier };
    const port = portOf(driver, minTier, ({ sandbox }) => {
      ran = sandbox;
      progress(++done, programs);
    });
    const rows = await runSelfTests(compiled.fidelity, compiled.confinement, port);
    const count = (verdict: RowResult["verdict"]) => rows.filter((row) => row.verdict === verdict).length;
    return {
      policy: compiled.confinement.policy,
      confinement: compiled.confinement.id,
      driver: ran.driver,
      tier: ran.tier,
      passed: count("passed"),
      failed: count("failed"),
      unclaimed: count("unclaimed"),
      rows,
    };
  });
}

function portOf(driver: SandboxDriver, minTier: Tier, each: (result: RunResult) => void): SelfTestPort {
  return {
    async run({ runtime, code }, confinement) {
      const out = { stdout: new TextDecoder(), stderr: new TextDecoder() };
      const text = { stdout: "", stderr: "" };
      const collect = (name: "stdout" | "stderr") => (chunk: Uint8Array) => {
        text[name] += out[name].decode(chunk, { stream: true });
      };
      const spec = runSpecSchema.parse({
        runtime,
        code,
        run_id: newId("run"),
        tenant: "policy-test",
        confinement,
        min_tier: minTier,
        limits: { wall_ms: WALL_MS },
      });
      const result = await driver.run(spec, { stdout: collect("stdout"), stderr: collect("stderr") });
      each(result);
      return { exit_code: result.exit_code, ...text, violations: recordsOf(result.violations) };
    },
  };
}
