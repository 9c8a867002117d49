import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { compilePolicy, parsePolicy, ruleNames, runSelfTests } from "@plastron/policy";
import { afterAll, describe, expect, it } from "vitest";
import { guestsNeed } from "../../testing/guests.ts";
import { bench } from "../../testing/harness.ts";
import { gvisorFacts } from "./facts.ts";
import { openGvisorDriver } from "./index.ts";

const home = mkdtempSync(join(tmpdir(), "plastron-rules-"));
afterAll(() => rmSync(home, { recursive: true, force: true }));

const everyRule = {
  apiVersion: "crd.varmor.org/v1beta1",
  kind: "VarmorClusterPolicy",
  metadata: { name: "every-rule" },
  spec: {
    target: { kind: "Pod", selector: { matchLabels: { app: "x" } } },
    policy: {
      enforcer: "BPFSeccomp",
      mode: "EnhanceProtect",
      enhanceProtect: {
        hardeningRules: ruleNames("hardeningRules"),
        attackProtectionRules: [{ rules: ruleNames("attackProtectionRules") }],
        vulMitigationRules: ruleNames("vulMitigationRules"),
      },
    },
  },
};

const need = guestsNeed();
describe.skipIf(need !== null)(`every built-in rule in a guest ${need ?? ""}`, () => {
  it("denies what it says it denies, or says that it does not", async () => {
    const { confinement, fidelity } = compilePolicy(parsePolicy(JSON.stringify(everyRule)), gvisorFacts());
    const driver = await openGvisorDriver({ home });
    const guest = bench(driver, confinement);
    try {
      const results = await runSelfTests(fidelity, confinement, {
        run: ({ runtime, code }) => (runtime === "python3" ? guest.python(code) : runtime === "nodejs" ? guest.node(code) : guest.bash(code)),
      });
      const claims = results.filter((row) => row.fidelity !== "unsupported");
      expect(claims.length).toBeGreaterThan(90);
      expect(claims.filter(({ verdict }) => verdict === "failed").map(({ rule, tests }) => [rule, tests.map(({ why }) => why)])).toEqual([]);
    } finally {
      await driver.close();
    }
  }, 240_000);
});
