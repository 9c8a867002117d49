import type { PlastronError } from "@plastron/contracts";
import { nearest } from "@plastron/document";
import { expect, test } from "vitest";
import { faultsOf, policyText } from "../raw/testing/policy-text.ts";
import { parsePolicy } from "./parse.ts";

const destination = (more: object) => ({ bpfRawRules: { network: { egress: { toDestinations: [{ qualifiers: ["deny"], ip: "10.0.0.1", ...more }] } } } });
const call = (more: object) => ({ syscallRawRules: [{ names: ["splice"], action: "SCMP_ACT_ERRNO", ...more }] });
const compared = (more: object) => call({ args: [{ index: 0, value: 0, op: "SCMP_CMP_EQ", ...more }] });

test.each<[string, object, object, string]>([
  ["a port of 0", destination({ ports: [{ port: 0 }] }), {}, "ports[0].port: must be a port, 1 to 65535"],
  ["a port that is text", destination({ ports: [{ port: "http" }] }), {}, "ports[0].port: must be a port, 1 to 65535"],
  ["a port and a half", destination({ ports: [{ port: 80.5 }] }), {}, "ports[0].port: must be a port, 1 to 65535"],
  ["a last port beyond all", destination({ ports: [{ port: 1, endPort: 65_536 }] }), {}, "ports[0].endPort: must be a port, 1 to 65535, or 0 for none"],
  ["a proxy's port", {}, { policy: { networkProxyConfig: { proxyPort: 70_000 } } }, "networkProxyConfig.proxyPort: must be a port, 1 to 65535"],
  ["a proxy's user", {}, { policy: { networkProxyConfig: { proxyUID: -1 } } }, "networkProxyConfig.proxyUID: must be a user id, 0 or more"],
  ["no minute", {}, { mode: "BehaviorModeling", policy: { modelingOptions: { duration: 0 } } }, "duration: must be at least 1 minute, in whole minutes"],
  ["an error number", call({ errnoRet: 4096 }), {}, "errnoRet: must be an error number, 0 to 4095"],
  ["a seventh argument", compared({ index: 6 }), {}, "args[0].index: must be the number of an argument, 0 to 5"],
  ["a value that is no number", compared({ value: "x" }), {}, "args[0].value: must be a whole number"],
  ["a number for text", { hardeningRules: [5] }, {}, "hardeningRules[0]: must be text"],
  ["text for a list", { hardeningRules: "x" }, {}, "hardeningRules: must be a list"],
])("%s is refused in words that say what may stand there", (_, rules, more, message) => {
  const faults = faultsOf(rules, { enforcer: "BPFSeccomp", ...more });
  expect(faults).toHaveLength(1);
  expect(faults[0]).toContain(message);
  expect(faults[0]).not.toMatch(/Invalid input|Too (small|big)|>=|<=/);
});

test("what is wrong with the meaning is said beside what is wrong with the shape, in the order of the lines", () => {
  const faults = faultsOf(`
      hardeningRules: [disallow-mountt]
      bpfRawRules:
        network:
          egress:
            toDestinations:
              - {qualifiers: [dney], ip: 10.0.0.1, ports: [{port: 70000}]}
      bogus: 1
      syscallRawRules: [{names: [splic], action: SCMP_ACT_ERRNO}]`);
  expect(faults).toEqual([
    expect.stringContaining('Did you mean "disallow-mount"?'),
    expect.stringMatching(/unknown qualifier "dney".*Did you mean "deny"\?/),
    expect.stringContaining("must be a port"),
    expect.stringContaining('unknown field "bogus"'),
    expect.stringContaining('Did you mean "splice"?'),
  ]);
});

test("nothing is said that is true only because a part was not understood", () => {
  const matched = { networkProxyRawRules: { egress: { defaultAction: "deny", httpRules: [{ qualifiers: ["deny"], match: { hosts: 5 } }] } } };
  for (const rules of [matched, destination({ ip: 5 }), '{"hardeningRules": 5}', "5"]) expect(faultsOf(rules)).toHaveLength(1);
  expect(faultsOf({}, { mode: "Enhance" })).toHaveLength(1);
  expect(faultsOf({}, { policy: { networkProxyConfig: { proxyPort: 0, proxyAdminPort: 15_001 } } })).toHaveLength(1);
});

test("thousands of faults of both kinds are told in less than two seconds", () => {
  const rule = "{qualifiers: [dney], ip: 10.0.0.1, ports: [{port: 0}]}";
  const text = policyText(`{bpfRawRules: {network: {egress: {toDestinations: [${Array(1400).fill(rule).join(", ")}]}}}}`);
  const start = process.cpuUsage();
  const faults = () => parsePolicy(text);
  expect(faults).toThrow();
  const { user, system } = process.cpuUsage(start);
  expect((user + system) / 1000).toBeLessThan(2000);
  try {
    faults();
  } catch (error) {
    expect((error as PlastronError).errors).toHaveLength(2800);
  }
});

test("two letters that changed places are one mistake", () => {
  expect([nearest("dney", ["deny", "audit"]), nearest("adn", ["and"]), nearest("yned", ["deny"])]).toEqual(["deny", "and", null]);
});
