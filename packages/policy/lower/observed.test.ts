import { type HostFacts, TYPICAL_HOST } from "@plastron/contracts";
import { describe, expect, test } from "vitest";
import { compilePolicy } from "../compile.ts";
import { policyOf } from "../testing/policies.ts";

const host: HostFacts = TYPICAL_HOST;
const permissive: HostFacts = { ...host, permissive: true };
const OBSERVED = { allowViolations: true, auditViolations: true };

describe("the row of a rule that only observes", () => {
  test("claims nothing where the floor denies all of it, and says what the floor denies in part", () => {
    const observedRow = (rules: string[], on = host) => compilePolicy(policyOf(rules, OBSERVED), on).fidelity.find((row) => row.rule === rules.at(-1));
    const failing = { fidelity: "approximate", observes: true, self_tests: [], mechanism: expect.stringContaining("fails all the same") };
    for (const rule of ["disallow-mount", "disallow-insmod", "disallow-userfaultfd-creation", "disable-icmp", "disable-write-etc", "disable-access-shadow"])
      expect([rule, observedRow([rule])]).toEqual([rule, expect.objectContaining(failing)]);
    expect(observedRow(["disallow-insmod"], permissive)).toMatchObject(failing);
    expect(observedRow(["disallow-mount"], permissive)).toMatchObject({ ...failing, note: expect.stringContaining("CAP_SYS_ADMIN") });
    for (const on of [host, permissive]) {
      const partly = observedRow(["disable-chmod-s-bit"], on);
      expect(partly).toMatchObject({ fidelity: "approximate", note: expect.stringContaining("no operator can lift") });
      expect(partly?.self_tests).toHaveLength(1);
    }
    expect([observedRow(["disallow-userfaultfd-creation"], permissive)?.fidelity, observedRow(["dirty-pipe-mitigation"])?.fidelity]).toEqual([
      "exact",
      "exact",
    ]);
    expect(observedRow(["block-access-to-aws-metadata-service"], { ...host, hooks: false })).toMatchObject({ fidelity: "unsupported", self_tests: [] });
  });

  test("claims no record that another rule has", () => {
    const rows = compilePolicy(
      policyOf(["disallow-abuse-user-ns", "disallow-create-user-ns", "disable-network", "disable-tcp"], OBSERVED),
      permissive,
    ).fidelity;
    const row = (rule: string) => rows.find((each) => each.rule === rule);
    expect(row("disallow-create-user-ns")).toMatchObject({ self_tests: [], note: expect.stringContaining("disallow-abuse-user-ns has those") });
    expect(row("disable-tcp")).toMatchObject({ self_tests: [], note: expect.stringContaining("disable-network has those") });
    expect([row("disallow-abuse-user-ns"), row("disable-network")].map((each) => each?.self_tests.length)).toEqual([1, 1]);
  });

  test("has no test where the program of a raw rule could not make it happen", () => {
    const raw = {
      files: ["/workspace/x", "/etc/hosts"].map((pattern) => ({ qualifiers: ["audit"], pattern, permissions: ["read"] })),
      network: { egress: { toDestinations: ["127.0.0.1", "192.0.2.1"].map((ip) => ({ qualifiers: ["audit"], ip, ports: [{ port: 80 }] })) } },
    };
    const rows = compilePolicy(
      policyOf([], { ...OBSERVED, bpfRawRules: raw, syscallRawRules: [{ names: ["pause"], action: "SCMP_ACT_ERRNO" }] }),
      host,
    ).fidelity;
    expect(rows.filter(({ rule }) => /Rules[.[]/.test(rule)).map(({ rule, self_tests }) => [rule, self_tests.length])).toEqual([
      ["bpfRawRules.files[0]", 1],
      ["bpfRawRules.files[1]", 0],
      ["bpfRawRules.network.egress.toDestinations[0]", 1],
      ["bpfRawRules.network.egress.toDestinations[1]", 0],
      ["syscallRawRules[0]", 0],
    ]);
  });
});
