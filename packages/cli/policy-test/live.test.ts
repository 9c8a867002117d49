import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { FidelityRow } from "@plastron/contracts";
import { compileDefault, compilePolicy, parsePolicy } from "@plastron/policy";
import { hostFacts } from "@plastron/sandbox";
import { describe, expect, it } from "vitest";
import { CHECKOUT } from "../lifecycle/home.ts";
import { painter, type Terminal } from "../terminal/terminal.ts";
import { type LiveReport, runLiveTests } from "./live.ts";
import { showLiveTests } from "./show.ts";

const possible = process.getuid?.() === 0 && existsSync(join(CHECKOUT, "packages/sandbox/native/build/plastron-launcher"));

describe.runIf(possible)("live policy tests", { timeout: 60_000 }, () => {
  it("believe what the sandbox does, not what a row claims", async () => {
    const compiled = compileDefault(await hostFacts());
    const honest = compiled.fidelity.find((row) => row.rule === "disallow-mount") as FidelityRow;
    const lie: FidelityRow = {
      ...honest,
      rule: "disallow-reading-passwd",
      self_tests: [{ id: "reads-passwd", runtime: "bash", forbidden: "cat /etc/passwd >/dev/null && exit 0; exit 13", allowed: "exit 0", weakness: null }],
    };
    const progress: number[] = [];
    const report = await runLiveTests({ ...compiled, fidelity: [honest, lie] }, (done) => progress.push(done));
    expect(report.rows.map((row) => [row.rule, row.verdict])).toEqual([
      ["disallow-mount", "passed"],
      ["disallow-reading-passwd", "failed"],
    ]);
    expect([report.passed, report.failed, progress.at(-1)]).toEqual([1, 1, 2 * (honest.self_tests.length + 1)]);
    expect(shown(report)).toMatch(/✗ +disallow-reading-passwd +possible +works +reads-passwd: what it forbids was possible/);
  });

  it("believe what was recorded, where a rule only observes", async () => {
    const text = JSON.stringify({
      ...{ apiVersion: "crd.varmor.org/v1beta1", kind: "VarmorPolicy", metadata: { name: "observing" } },
      spec: {
        target: { kind: "Pod", name: "x" },
        policy: {
          ...{ enforcer: "BPFSeccomp", mode: "EnhanceProtect" },
          enhanceProtect: { allowViolations: true, auditViolations: true, hardeningRules: ["disallow-mount"], vulMitigationRules: ["dirty-pipe-mitigation"] },
        },
      },
    });
    const compiled = compilePolicy(parsePolicy(text), await hostFacts());
    const row = (rule: string) => compiled.fidelity.find((each) => each.rule === rule) as FidelityRow;
    const honest = row("dirty-pipe-mitigation");
    const silent: FidelityRow = { ...honest, rule: "recorded-for-another" };
    const denied: FidelityRow = { ...row("floor-mounts"), rule: "denied-all-the-same", observes: true };
    const report = await runLiveTests({ ...compiled, fidelity: [honest, row("disallow-mount"), silent, denied] }, () => {});
    expect(report.rows.map(({ verdict }) => verdict)).toEqual(["passed", "unclaimed", "failed", "failed"]);
    expect(shown(report)).toMatch(/✓ +dirty-pipe-mitigation +passes, recorded +works/);
    expect(shown(report)).toMatch(/✗ +recorded-for-another +not recorded +works/);
    expect(shown(report)).toMatch(/✗ +denied-all-the-same +denied +works/);
  });

  it("leave nothing behind when Ctrl-C ends them", async () => {
    const place = mkdtempSync(join(tmpdir(), "plastron-interrupt-"));
    const child = spawn(process.execPath, [join(CHECKOUT, "packages/cli/main.ts"), "policy", "test", join(CHECKOUT, "policies/default.yaml")], {
      env: { ...process.env, TMPDIR: place },
    });
    const ended = new Promise((resolve) => child.once("exit", resolve));
    while (!readdirSync(place).some((name) => name.startsWith("plastron-own-")) && child.exitCode === null)
      await new Promise((resolve) => setTimeout(resolve, 20));
    await new Promise((resolve) => setTimeout(resolve, 500));
    child.kill("SIGINT");
    expect(await ended).toBe(130);
    expect(readdirSync(place).filter((name) => name.startsWith("plastron-own-"))).toEqual([]);
    rmSync(place, { recursive: true, force: true });
  });
});

function shown(report: LiveReport): string {
  let text = "";
  const out = { write: (chunk: string) => (text += chunk) } as unknown as NodeJS.WritableStream;
  const terminal: Terminal = { out, err: out, columns: Number.POSITIVE_INFINITY, interactive: false, paint: painter(false), paintErr: painter(false) };
  showLiveTests(report, terminal);
  return text;
}
