import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type FidelityRow, type HostFacts, newId, runSpecSchema } from "@plastron/contracts";
import { compilePolicy, parsePolicy, ruleNames, runSelfTests } from "@plastron/policy";
import { hostFacts, openDriver, type SandboxDriver } from "@plastron/sandbox";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const root = process.geteuid?.() === 0;
const OBSERVED = { auditViolations: true, allowViolations: true };
/** What these rules are about is in no sandbox: there is nothing whose use could be recorded. */
const ABSENT = ["mitigate-sa-leak", "disable-access-shadow", "disable-access-ssh-dir"];
/** A part of it no operator can lift: the user's set-id bit, and kernel modules. */
const PARTLY_HARD = ["disable-chmod-s-bit", "disallow-insmod"];
const LISTS = ["hardeningRules", "attackProtectionRules", "vulMitigationRules"] as const;

/** Capabilities have no signal of their own, as their rows say; an alias is the rule that it stands for. */
const ALIASES = ["disallow-load-ebpf", "disallow-metadata-service", "disable-ipv4", "disable-ipv6"];
const RULES = ruleNames().filter((rule) => !rule.startsWith("disable-cap-") && !ABSENT.includes(rule) && !ALIASES.includes(rule));

describe.skipIf(!root)("a built-in rule that only observes [needs: root]", () => {
  let home: string;
  let driver: SandboxDriver;
  let host: HostFacts;
  beforeAll(async () => {
    home = mkdtempSync(join(tmpdir(), "plastron-observed-"));
    [driver, host] = await Promise.all([openDriver({ home }, "local"), hostFacts()]);
    host = { ...host, permissive: true };
  });
  afterAll(async () => {
    await driver.close();
    rmSync(home, { recursive: true, force: true });
  });

  /** The rule alone, in whichever list it belongs to. */
  function compiled(rule: string, flags: Record<string, boolean>) {
    for (const list of LISTS) {
      const enhanceProtect = { ...flags, [list]: list === "attackProtectionRules" ? [{ rules: [rule] }] : [rule] };
      const policy = { enforcer: "AppArmorBPFSeccomp", mode: "EnhanceProtect", enhanceProtect };
      const text = JSON.stringify({
        ...{ apiVersion: "crd.varmor.org/v1beta1", kind: "VarmorPolicy", metadata: { name: "observed" } },
        spec: { target: { kind: "Pod", name: "x" }, policy },
      });
      try {
        return compilePolicy(parsePolicy(text), host);
      } catch (error) {
        if (!/belongs in/.test(String(error))) throw error;
      }
    }
    throw new Error(`${rule} is in no list`);
  }
  const rowOf = (rule: string, { fidelity }: { fidelity: FidelityRow[] }): FidelityRow => fidelity.find((row) => row.rule === rule) as FidelityRow;

  it.each(RULES)("%s is recorded, and passes where it could", async (rule) => {
    const tests = rowOf(rule, compiled(rule, {})).self_tests;
    const observed = compiled(rule, OBSERVED);
    const row = rowOf(rule, observed);
    if (row.observes !== true || row.mechanism.includes("kernel refuses"))
      return expect(["unsupported", "by-construction", "approximate"]).toContain(row.fidelity);
    const ran = [];
    const run = async (runtime: string, code: string) => {
      const spec = { runtime, code, run_id: newId("run"), tenant: "observed", confinement: observed.confinement, limits: { wall_ms: 20_000 } };
      const { exit_code, violations } = await driver.run(runSpecSchema.parse(spec), { stdout: () => {}, stderr: () => {} });
      return { exit_code, violations, stdout: "", stderr: "" };
    };
    for (const { runtime, forbidden } of tests) ran.push(await run(runtime, forbidden));
    const records = ran.flatMap(({ violations }) => violations).filter(({ rule_id }) => rule_id === rule);
    const port = { run: async ({ runtime, code }: { runtime: string; code: string }) => run(runtime, code) };
    const [shown] = await runSelfTests([row], observed.confinement, port);
    expect([shown?.verdict, shown?.tests.map(({ why }) => why)]).toEqual([row.self_tests.length > 0 ? "passed" : "unclaimed", row.self_tests.map(() => "")]);
    expect(records.length, `${rule}: ${row.note}`).toBeGreaterThan(0);
    const denied = records.filter(({ action }) => action === "DENIED");
    if (!PARTLY_HARD.includes(rule)) expect(denied).toEqual([]);
  });
});
