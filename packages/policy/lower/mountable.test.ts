import { type FidelityRow, TYPICAL_HOST } from "@plastron/contracts";
import { describe, expect, it } from "vitest";
import { compilePolicy } from "../compile.ts";
import type { EnhanceProtect } from "../parse/schema.ts";
import { policyOf } from "../testing/policies.ts";

const permissive = { ...TYPICAL_HOST, permissive: true };
const OWN_PLACE: EnhanceProtect = { bpfRawRules: { files: [{ qualifiers: ["deny"], pattern: "/workspace/private/**", permissions: ["read"] }] } };
const PROGRAM: EnhanceProtect = { bpfRawRules: { processes: [{ qualifiers: ["deny"], pattern: "/usr/bin/id", permissions: ["exec"] }] } };

function row(rule: string, more: EnhanceProtect, named: string[] = [], host = permissive): Pick<FidelityRow, "fidelity" | "note"> | undefined {
  return compilePolicy(policyOf(named, more), host).fidelity.find((each) => each.rule === rule);
}

describe("a sandbox that may mount", () => {
  it.each<[string, EnhanceProtect, string[]]>([
    ["bpfRawRules.files[0]", OWN_PLACE, []],
    ["bpfRawRules.processes[0]", PROGRAM, []],
    ["disable-shell", {}, ["disable-shell"]],
  ])("is not said to hold %s, which goes by paths", (rule, more, named) => {
    expect(row(rule, { ...more, privileged: true }, named)).toMatchObject({ fidelity: "approximate", note: expect.stringContaining("mount") });
    expect(row(rule, more, named)?.fidelity).toMatch(/^(exact|stricter)$/);
    expect(row(rule, { ...more, privileged: true }, named, TYPICAL_HOST)?.fidelity).toMatch(/^(exact|stricter)$/);
  });

  it("is not said to hear of every file either", () => {
    const heard = { ...OWN_PLACE, allowViolations: true, auditViolations: true };
    expect(row("mitigate-disk-device-number-leak", heard, ["mitigate-disk-device-number-leak"])?.fidelity).toBe("exact");
    expect(row("mitigate-disk-device-number-leak", { ...heard, privileged: true }, ["mitigate-disk-device-number-leak"])?.fidelity).toBe("approximate");
  });

  it("keeps its masks, which the kernel locks", () => {
    expect(row("disable-access-passwd", { privileged: true }, ["disable-access-passwd"])?.fidelity).toMatch(/^(exact|stricter)$/);
  });
});
