import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type HostFacts, newId, type RunResult, type Runtime, runSpecSchema } from "@plastron/contracts";
import { compilePolicy, parsePolicy } from "@plastron/policy";
import { hostFacts, openDriver, type SandboxDriver } from "@plastron/sandbox";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Attempt, Case } from "./case.ts";
import { ADDRESS_CASES } from "./cases/addresses.ts";
import { CALL_CASES } from "./cases/calls.ts";
import { FILE_CASES } from "./cases/files.ts";
import { WHOLE_POLICY } from "./cases/whole.ts";

const root = process.geteuid?.() === 0;
const DENIED = 13;
/** Not there at all, where a thing is denied by construction. */
const GONE = 14;

describe.skipIf(!root)("upstream's acceptance cases [needs: root]", () => {
  let home: string;
  let driver: SandboxDriver;
  let host: HostFacts;

  beforeAll(async () => {
    home = mkdtempSync(join(tmpdir(), "plastron-acceptance-"));
    [driver, host] = await Promise.all([openDriver({ home }, "local"), hostFacts()]);
    host = { ...host, permissive: true };
  });
  afterAll(async () => {
    await driver.close();
    rmSync(home, { recursive: true, force: true });
  });

  const confined = (of: Case, policy: Record<string, unknown>) => {
    const document = {
      apiVersion: "crd.varmor.org/v1beta1",
      kind: of.kind ?? "VarmorPolicy",
      metadata: { name: `case-${of.id}` },
      spec: { target: { kind: "Pod", selector: { matchLabels: { app: "probe" } } }, policy: { enforcer: of.enforcer, ...policy } },
    };
    const { confinement } = compilePolicy(parsePolicy(JSON.stringify(document)), host);
    return of.files ? { ...confinement, weak: { planted_files: of.files } } : confinement;
  };

  const run = async (attempt: Attempt, runtime: Runtime, confinement: ReturnType<typeof confined>): Promise<RunResult> => {
    const spec = runSpecSchema.parse({
      run_id: newId("run"),
      tenant: "acceptance",
      runtime,
      code: attempt.programs[runtime],
      confinement,
      limits: { wall_ms: 20_000 },
    });
    const said: Uint8Array[] = [];
    const result = await driver.run(spec, { stdout: () => {}, stderr: (chunk) => void said.push(Buffer.from(chunk)) });
    return { ...result, stderr: Buffer.concat(said).toString() };
  };

  const attempts = (all: Attempt[]): [string, Runtime, Attempt][] =>
    all.flatMap((attempt) => (Object.keys(attempt.programs) as Runtime[]).map((runtime): [string, Runtime, Attempt] => [attempt.what, runtime, attempt]));
  const rulesOf = (of: Case): readonly string[] => (of.rule === null ? [] : typeof of.rule === "string" ? [of.rule] : of.rule);

  describe.each([...FILE_CASES, ...CALL_CASES, ...ADDRESS_CASES, WHOLE_POLICY].map((of) => [`${of.id}: ${of.title}`, of] as const))("%s", (_name, of) => {
    const enhance = (flags: Record<string, boolean>) => ({ mode: "EnhanceProtect", enhanceProtect: { ...of.enhanceProtect, ...flags } });
    const privileged = of.enhanceProtect.privileged === true;
    const byConstruction = of.rule === null;

    it("is possible under AlwaysAllow", async () => {
      const confinement = confined(of, privileged ? { mode: "EnhanceProtect", enhanceProtect: { privileged } } : { mode: "AlwaysAllow" });
      for (const [what, runtime, attempt] of attempts([...of.control, ...(byConstruction ? [] : of.denied)])) {
        const { exit_code, stderr, violations } = await run(attempt, runtime, confinement);
        expect({ what, runtime, exit_code, why: exit_code === attempt.free ? "" : stderr }).toEqual({ what, runtime, exit_code: attempt.free, why: "" });
        expect(violations).toEqual([]);
      }
    });

    it(of.auditOnly ? "passes and is recorded under the policy" : "is denied and recorded under the policy, and its neighbour is not", async () => {
      const confinement = confined(of, enhance({ auditViolations: true }));
      for (const [what, runtime, attempt] of attempts(of.denied)) {
        const { exit_code, stderr, violations } = await run(attempt, runtime, confinement);
        const wanted = of.auditOnly ? attempt.free : byConstruction && exit_code === GONE ? GONE : DENIED;
        expect({ what, runtime, exit_code, why: exit_code === wanted ? "" : stderr }).toEqual({ what, runtime, exit_code: wanted, why: "" });
        if (!byConstruction && !attempt.unrecorded) expectRecord(of, violations, of.auditOnly ? "AUDIT" : "DENIED", `${what} (${runtime})`);
      }
      for (const [what, runtime, attempt] of attempts(of.control)) {
        const { exit_code, stderr, violations } = await run(attempt, runtime, confinement);
        expect({ what, runtime, exit_code, why: exit_code === attempt.free ? "" : stderr }).toEqual({ what, runtime, exit_code: attempt.free, why: "" });
        expect(violations.filter(({ rule_id }) => rulesOf(of).includes(rule_id))).toEqual([]);
      }
    });

    if (byConstruction) return;
    it("passes and is recorded where violations are allowed and audited", async () => {
      const confinement = confined(of, enhance({ allowViolations: true, auditViolations: true }));
      for (const [what, runtime, attempt] of attempts([...of.denied, ...of.control])) {
        const { exit_code, stderr, violations } = await run(attempt, runtime, confinement);
        expect({ what, runtime, exit_code, why: exit_code === attempt.free ? "" : stderr }).toEqual({ what, runtime, exit_code: attempt.free, why: "" });
        if (of.denied.includes(attempt) && !attempt.unrecorded) expectRecord(of, violations, "AUDIT", `${what} (${runtime})`);
      }
    });
  });

  function expectRecord(of: Case, violations: RunResult["violations"], action: string, what: string): void {
    const found = violations.find(({ rule_id }) => rulesOf(of).includes(rule_id));
    expect({ what, rule: found?.rule_id, action: found?.action }).toEqual({ what, rule: expect.toBeOneOf([...rulesOf(of)]), action });
    if (of.operation) expect(found?.event.operation).toBe(of.operation);
  }
});
