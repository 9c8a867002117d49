import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { PlastronError } from "@plastron/contracts";
import { describe, expect, test } from "vitest";
import { faultsOf, parsed, policyText, rawOf } from "../raw/testing/policy-text.ts";
import { parsePolicy } from "./parse.ts";

function errorsOf(text: string): NonNullable<PlastronError["errors"]> {
  try {
    parsePolicy(text);
    return [];
  } catch (error) {
    return (error as PlastronError).errors ?? [];
  }
}

describe("what is wrong in a policy", () => {
  test("is said all at once, with the line and column of each, in their order", () => {
    const text = policyText(`
      hardeningRules: [disallow-mountt]
      bpfRawRules:
        files:
          - qualifiers: [deny]
            pattern: /etc/*
            permissions: [reed]
        network:
          egress:
            toDestinations:
              - {qualifiers: [deny, adit], ip: 10.0.0.1, ports: [{port: 9, endPort: 8}]}
      networkProxyRawRules: {egress: {defaultAction: deny, httpRules: [{qualifiers: [deny], match: {}}]}}
      syscallRawRules: [{names: [splic], action: SCMP_ACT_ERRNO}]`);
    const place = (needle: string) => {
      const at = text.indexOf(needle);
      return { line: text.slice(0, at).split("\n").length, column: at - text.lastIndexOf("\n", at) };
    };
    expect(errorsOf(text).map(({ line, column, message }) => ({ line, column, message: message.replace(/^.*?: /, "") }))).toEqual([
      { ...place("disallow-mountt"), message: expect.stringContaining('"disallow-mount"') },
      { ...place("/etc/*"), message: expect.stringContaining("has * beside a /") },
      { ...place("reed]"), message: expect.stringContaining('Did you mean "read"?') },
      { ...place("adit]"), message: expect.stringContaining('Did you mean "audit"?') },
      { ...place("8}]"), message: expect.stringContaining("8 is less than its port, 9") },
      { ...place("{}}]"), message: expect.stringContaining("is empty") },
      { ...place("splic]"), message: expect.stringContaining('Did you mean "splice"?') },
    ]);
  });

  test("is at the nearest thing around it where the thing itself is missing", () => {
    const text = policyText("\n      bpfRawRules:\n        files:\n          - {pattern: /x, permissions: [read]}");
    expect(errorsOf(text)).toEqual([expect.objectContaining({ line: 12, column: 13, message: expect.stringContaining("qualifiers: is missing") })]);
  });

  test.each([
    ["an enforcer with a misspelt part", { enforcer: "BPFSecomp" }, 'Did you mean "Seccomp"?'],
    ["an enforcer that is none", { enforcer: "AppArmr" }, 'Did you mean "AppArmor"?'],
    ["a proxy that learns", { mode: "BehaviorModeling", policy: { modelingOptions: { duration: 1 } } }, "does not work with NetworkProxy"],
    ["modelling for no time", { mode: "BehaviorModeling", enforcer: "AppArmor", policy: { modelingOptions: { duration: 0 } } }, "modelingOptions.duration"],
    ["modelling without options", { mode: "BehaviorModeling", enforcer: "AppArmor" }, "needs modelingOptions"],
    ["a defence without profiles", { mode: "DefenseInDepth", enforcer: "AppArmor" }, "needs defenseInDepth"],
  ])("may be %s", (_, more, message) => {
    expect(faultsOf({}, more).join("\n")).toContain(message);
  });

  test.each([
    ["a container without a name", "{kind: Pod, name: x, containers: ['']}", "must not be empty"],
    ["a target without a name", "{kind: Pod, name: ''}", "either name or selector"],
    ["a target of both kinds", "{kind: Pod, name: x, selector: {}}", "and not both"],
    ["a selector's operator without values", "{kind: Pod, selector: {matchExpressions: [{key: a, operator: In, values: []}]}}", "need values"],
    ["a misspelt kind", "{kind: Deploment, name: x}", 'Did you mean "Deployment"?'],
  ])("may be %s", (_, target, message) => {
    const text = policyText({}).replace(/target: .*/, `target: ${target}`);
    expect(
      errorsOf(text)
        .map((each) => each.message)
        .join("\n"),
    ).toContain(message);
  });

  test("may be a mode without its rules", () => {
    const text = policyText({}).replace(/ {4}enhanceProtect.*\n/, "");
    expect(errorsOf(text)[0]?.message).toContain("needs enhanceProtect");
  });
});

describe("for the sake of compatibility what upstream ignores is a row", () => {
  const pathRule = { qualifiers: ["deny"], pattern: "/x", permissions: ["read"] };
  test.each([
    ["a part of the enforcer", {}, { enforcer: "BPFSecomp" }, "enforcer"],
    ["an unknown permission", { bpfRawRules: { files: [{ ...pathRule, permissions: ["reed", "write"] }] } }, {}, "bpfRawRules.files[0].permissions[0]"],
    ["missing qualifiers", { bpfRawRules: { files: [{ ...pathRule, qualifiers: undefined }] } }, {}, "bpfRawRules.files[0].qualifiers"],
    ["a pattern that matches nothing", { bpfRawRules: { files: [{ ...pathRule, pattern: "x" }] } }, {}, "bpfRawRules.files[0].pattern"],
    ["an unknown permission to trace", { bpfRawRules: { ptrace: { qualifiers: ["deny"], permissions: ["x"] } } }, {}, "bpfRawRules.ptrace.permissions[0]"],
    ["an unknown system call", { syscallRawRules: [{ names: ["splic"], action: "SCMP_ACT_ERRNO" }] }, {}, "syscallRawRules[0].names[0]"],
    ["proxy rules without the enforcer", { networkProxyRawRules: { egress: { defaultAction: "deny" } } }, { enforcer: "BPF" }, "networkProxyRawRules.egress"],
  ])("%s", (_, rules, more, rule) => {
    expect(faultsOf(rules, more).length).toBeGreaterThan(0);
    const { rows } = rawOf(rules, { ...more, upstreamCompat: true });
    expect(rows).toEqual([expect.objectContaining({ rule, fidelity: "unsupported", mechanism: "none: ignored as upstream ignores it" })]);
  });

  test("but not what upstream refuses, nor what takes protection away", () => {
    for (const pattern of ["/etc/*", "a**b**c"]) {
      expect(faultsOf({ bpfRawRules: { files: [{ ...pathRule, pattern }] } }, { upstreamCompat: true })).toHaveLength(1);
    }
    expect(faultsOf({ networkProxyRawRules: { egress: { defaultAction: "denny" } } }, { upstreamCompat: true })).toHaveLength(1);
    expect(faultsOf({ bpfRawRules: { files: [{ ...pathRule, qualifiers: ["denny"] }] } }, { upstreamCompat: true })).toHaveLength(1);
  });
});

test("every ready-made policy means something", () => {
  const folder = join(import.meta.dirname, "../../../policies");
  for (const name of ["default.yaml", "dify-sandbox.yaml"]) expect(() => parsePolicy(readFileSync(join(folder, name), "utf8"))).not.toThrow();
  expect(parsed({}).upstreamCompat).toBe(false);
});
