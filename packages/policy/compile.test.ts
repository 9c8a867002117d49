import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Cluster, confinementSchema, fidelityRowSchema, type HostFacts, PlastronError, TYPICAL_HOST } from "@plastron/contracts";
import { describe, expect, test } from "vitest";
import { compilePolicy, MIN_TIER_ANNOTATION } from "./compile.ts";
import { compileDefault, defaultPolicy } from "./default.ts";
import { parsePolicy } from "./parse/parse.ts";
import { RULES } from "./rules/registry.ts";
import { selfTestsOf } from "./rules/rule.ts";
import { syscallNumbers } from "./seccomp/syscalls.ts";
import { decode, execute } from "./testing/classic-bpf.ts";
import { ARCHES } from "./testing/meaning.ts";
import { policyOf } from "./testing/policies.ts";
import { weakConfinement } from "./weak.ts";

const host: HostFacts = TYPICAL_HOST;
/** What makes the two rules about services of a cluster enforceable. */
const CLUSTER: Cluster = {
  services: [
    { namespace: "default", name: "kubernetes", labels: {}, addresses: ["10.96.0.1", "fd00::1"], ports: [443] },
    { namespace: "ingress-nginx", name: "ingress-nginx-controller-admission", labels: {}, addresses: ["10.96.0.10"], ports: [] },
  ],
  pods: [],
  self: [],
};
const shipped = (name: string) => readFileSync(join(import.meta.dirname, "../../policies", name), "utf8");
const DIFY = shipped("dify-sandbox.yaml");

function refusal(action: () => unknown): PlastronError {
  try {
    action();
  } catch (error) {
    if (error instanceof PlastronError) return error;
    throw error;
  }
  throw new Error("it was accepted");
}

type Asked = [name: string, ...args: (number | bigint)[]];

/** The verdict of a compiled filter, as "EPERM", "allow" or the raw value. */
function asks(seccomp: string): (...asked: Asked) => string {
  const program = decode(Buffer.from(seccomp, "base64"));
  return (name, ...args) => {
    const filled = Array.from({ length: 6 }, (_, i) => BigInt(args[i] ?? 0));
    const value = execute(program, { arch: ARCHES.x86_64, nr: syscallNumbers("x86_64").get(name) as number, args: filled });
    return { 2147418112: "allow", 2143289344: "notify", 327681: "EPERM", 327718: "ENOSYS" }[value] ?? String(value);
  };
}

describe("the policy of the Dify article", () => {
  const { confinement, fidelity } = compilePolicy(parsePolicy(DIFY), host);

  test("compiles to a valid confinement with a row for each of its 23 rules", () => {
    expect(confinementSchema.parse(confinement)).toEqual(confinement);
    for (const row of fidelity) expect(fidelityRowSchema.parse(row)).toEqual(row);
    const rules = fidelity.filter(({ category }) => category.includes("Rules["));
    expect(rules).toHaveLength(23);
    expect(rules.filter((row) => row.fidelity === "unsupported")).toEqual([]);
  });

  test("forbids its programs, keeps writable places from running anything, and hides what it must", () => {
    expect(confinement).toMatchObject({ policy: "dify-sandbox-policy", min_tier: 2, noexec_writable: true, user_namespaces: false, weak: null });
    expect(confinement.forbidden_programs).toEqual(expect.arrayContaining(["busybox", "wget", "curl", "chmod", "su", "sudo"]));
    expect(confinement.hidden).toEqual(expect.arrayContaining(["/proc/partitions", "/proc/kcore", "/run/secrets/kubernetes.io/serviceaccount"]));
  });

  test("refuses executable modes and executable memory files, by any bit, and leaves the rest", () => {
    const ask = asks(compilePolicy(parsePolicy(DIFY), { ...host, notify: false }).confinement.seccomp);
    for (const mode of [0o100, 0o010, 0o001, 0o755, 0o4600, 0o2600])
      expect([ask("chmod", 0, mode), ask("fchmod", 3, mode), ask("fchmodat", 3, 0, mode), ask("fchmodat2", 3, 0, mode)]).toEqual(Array(4).fill("EPERM"));
    expect([ask("chmod", 0, 0o600), ask("fchmodat2", 3, 0, 0o666)]).toEqual(["allow", "allow"]);
    expect([ask("memfd_create", 0, 0), ask("memfd_create", 0, 0x10), ask("memfd_create", 0, 1), ask("memfd_create", 0, 1n << 35n)]).toEqual(
      Array(4).fill("EPERM"),
    );
    expect([ask("memfd_create", 0, 8), ask("memfd_create", 0, 9)]).toEqual(["allow", "allow"]);
    expect([
      ask("setsockopt", 3, 1, 26),
      ask("setsockopt", 3, 1n | (1n << 32n), 26n | (1n << 32n)),
      ask("setsockopt", 3, 1, 51),
      ask("setsockopt", 3, 6, 26),
      ask("setsockopt", 3, 1, 2),
    ]).toEqual(["EPERM", "EPERM", "EPERM", "allow", "allow"]);
  });

  test("says how violations are recorded", () => {
    expect(fidelity.find(({ rule }) => rule === "auditViolations")).toMatchObject({ fidelity: "stricter", observes: true });
    const blind = compilePolicy(parsePolicy(DIFY), { ...host, notify: false, hooks: false });
    expect(blind.fidelity.find(({ rule }) => rule === "auditViolations")).toMatchObject({ fidelity: "unsupported" });
    expect(blind.confinement).toMatchObject({ rules: [], hooks: null, watch: { calls: [], paths: [] } });
  });
});

describe("the shipped files", () => {
  test("default.yaml is the built-in policy", () => {
    const { positions: _, upstreamCompat: __, ...document } = parsePolicy(shipped("default.yaml"));
    expect(document).toEqual(defaultPolicy);
  });

  test("the default leaves a code interpreter its tools", () => {
    const { confinement } = compileDefault(host);
    expect(confinement).toMatchObject({ forbidden_programs: [], noexec_writable: false, user_namespaces: false });
    const ask = asks(confinement.seccomp);
    expect([ask("chmod", 0, 0o755), ask("chmod", 0, 0o4755), ask("memfd_create", 0, 0), ask("setsockopt", 3, 1, 26), ask("unshare", 0x10000000)]).toEqual([
      "allow",
      "EPERM",
      "allow",
      "EPERM",
      "EPERM",
    ]);
  });
});

describe("each rule", () => {
  const known: HostFacts = { ...host, cluster: CLUSTER };

  test.each(RULES.filter(({ category }) => category !== "floor"))("$name compiles, by each of its names, with a test if it claims anything", (rule) => {
    const rows = [rule.name, ...rule.aliases].map((name) => compilePolicy(policyOf([name]), known).fidelity.find((row) => row.rule === rule.name));
    for (const row of rows) {
      expect(row?.fidelity).not.toBe("unsupported");
      expect(row?.self_tests.length).toBeGreaterThan(0);
      expect(row?.mechanism).not.toBe("");
      // Whoever reads "approximate" or "stricter" must be told what that means here.
      if (row?.fidelity === "approximate" || row?.fidelity === "stricter") expect(row.note).not.toBe("");
    }
  });

  test("has a name of its own, and tests of one id are one test", () => {
    const names = RULES.flatMap((rule) => [rule.name, ...rule.aliases]);
    expect(new Set(names).size).toBe(names.length);
    expect(RULES.filter(({ category }) => category !== "floor").length).toBe(98);
    const programs = new Map<string, string>();
    for (const test of RULES.flatMap((rule) => selfTestsOf(rule, known))) {
      const text = JSON.stringify(test);
      expect(programs.get(test.id) ?? text).toBe(text);
      programs.set(test.id, text);
    }
  });

  test("names for each test a part that the weak confinement can lack", () => {
    const parts = [...Object.keys(confinementSchema.shape.weak.unwrap().shape), "hidden", "noexec_writable", null];
    expect(RULES.flatMap((rule) => selfTestsOf(rule, known)).filter(({ weakness }) => !parts.includes(weakness))).toEqual([]);
  });

  test.each<[string, Asked, Asked]>([
    ["disable-network", ["socket", 1, 1], ["pipe2"]],
    ["disable-inet", ["socket", 2, 1], ["socket", 10, 1]],
    ["disable-inet6", ["socket", 10, 1], ["socket", 2, 1]],
    ["disable-unix-domain-socket", ["socketpair", 1, 1], ["socket", 2, 1]],
    ["disable-tcp", ["socket", 2, 1 | 0o2000000, 0], ["socket", 2, 2, 0]],
    ["disable-udp", ["socket", 10, 2, 17], ["socket", 10, 1, 6]],
    ["dirty-pipe-mitigation", ["splice"], ["sendfile"]],
  ])("%s takes away what it names and leaves what is beside it", (name, forbidden, allowed) => {
    const without = asks(compilePolicy(policyOf([]), host).confinement.seccomp);
    const under = asks(compilePolicy(policyOf([name]), host).confinement.seccomp);
    expect([without(...forbidden), under(...forbidden), under(...allowed)]).toEqual(["allow", "EPERM", "allow"]);
  });
});

describe("what means nothing in its mode", () => {
  test.each([
    ["a mode that learns", `${DIFY.replace("mode: EnhanceProtect", "mode: BehaviorModeling")}    modelingOptions: {duration: 1}\n`, "BehaviorModeling"],
    ["rules of another mode", DIFY.replace("mode: EnhanceProtect", "mode: AlwaysAllow"), "enhanceProtect"],
    ["modelling", `${DIFY}    modelingOptions: {duration: 1}\n`, "modelingOptions"],
    ["defence in depth", `${DIFY}    defenseInDepth: {allowViolations: true}\n`, "defenseInDepth"],
  ])("is a row that says so: %s", (_, text, rule) => {
    const row = compilePolicy(parsePolicy(text), { ...host, sensor: false }).fidelity.find((each) => each.rule === rule);
    expect(row).toMatchObject({ fidelity: "unsupported", self_tests: [] });
    expect(row?.note).toMatch(/no effect in mode|nothing is learned/);
  });

  test("has no effect", () => {
    const { confinement } = compilePolicy(parsePolicy(DIFY.replace("mode: EnhanceProtect", "mode: AlwaysAllow")), host);
    expect(confinement).toMatchObject({ forbidden_programs: [], rules: [] });
  });

  test("targets do not weaken a rule", () => {
    const text = DIFY.replace("        - rules:\n", "        - targets: [/bin/x]\n          rules:\n");
    const { fidelity, confinement } = compilePolicy(parsePolicy(text), host);
    expect(confinement.forbidden_programs).toEqual(compilePolicy(parsePolicy(DIFY), host).confinement.forbidden_programs);
    expect(fidelity.find(({ rule }) => rule.endsWith("targets"))).toMatchObject({ fidelity: "unsupported" });
  });
});

test("unknown and mis-filed names have a row each where the policy is read as upstream reads it", () => {
  const text = DIFY.replace("disable-curl", "disable-crul").replace("disallow-umount", "disable-su-sudo");
  const rows = compilePolicy(parsePolicy(text, { upstreamCompat: true }), host).fidelity.filter(({ mechanism }) => mechanism.includes("ignored"));
  expect(rows.map(({ rule, fidelity }) => [rule, fidelity])).toEqual([
    ["disable-su-sudo", "unsupported"],
    ["disable-crul", "unsupported"],
  ]);
  expect(refusal(() => compilePolicy(policyOf([], { hardeningRules: ["no-such-rule"] }), host)).code).toBe("invalid_policy");
});

describe.each(["AlwaysAllow", "RuntimeDefault"] as const)("mode %s", (mode) => {
  test("is the floor alone", () => {
    const { confinement, fidelity } = compilePolicy({ ...policyOf([]), spec: { target: { kind: "Pod", name: "x" }, policy: { enforcer: "BPF", mode } } }, host);
    expect(fidelity.map(({ rule }) => rule).filter((rule) => !rule.startsWith("floor-"))).toEqual([mode]);
    expect([asks(confinement.seccomp)("mount"), asks(confinement.seccomp)("read")]).toEqual(["EPERM", "allow"]);
  });
});

describe("the report is true to the host", () => {
  test("without namespaces only filters are claimed", () => {
    const rows = compilePolicy(parsePolicy(DIFY), { ...host, tier: 1, user_namespaces: false }).fidelity;
    const claimed = rows.filter(({ fidelity, observes }) => fidelity !== "unsupported" && !observes).map(({ rule }) => rule);
    expect(claimed).toEqual(["disallow-load-all-bpf-prog", "disallow-load-bpf-via-setsockopt", "floor-system-calls", "floor-tracing"]);
    expect(rows.filter(({ fidelity }) => fidelity === "unsupported").flatMap(({ self_tests }) => self_tests)).toEqual([]);
  });

  test("on an overlay the mount table leaks, and the row says so", () => {
    const row = (root_on_overlay: boolean) =>
      compilePolicy(parsePolicy(DIFY), { ...host, root_on_overlay }).fidelity.find(({ rule }) => rule === "mitigate-overlayfs-leak");
    expect([row(false)?.fidelity, row(true)?.fidelity]).toEqual(["by-construction", "unsupported"]);
    expect(row(true)?.note).toContain("overlay");
  });
});

describe("the id of a confinement", () => {
  const idOf = (names: string[]) => compilePolicy(policyOf(names), host).confinement.id;

  test("is the same for the same rules in any order, twice or by alias, and another for others", () => {
    const rules = ["disable-wget", "disable-curl", "block-access-to-metadata-service"];
    expect(idOf(rules.toReversed())).toBe(idOf(rules));
    expect(idOf([...rules, "disallow-metadata-service", "disable-wget"])).toBe(idOf(rules));
    expect(idOf(rules.slice(1))).not.toBe(idOf(rules));
  });

  test("covers the machine code", () => {
    expect(compileDefault({ ...host, arch: "aarch64" }).confinement.id).not.toBe(compileDefault(host).confinement.id);
  });
});

describe("a minimum tier in the annotations", () => {
  const withTier = (tier: string) => ({ ...policyOf([]), metadata: { name: "x", annotations: { [MIN_TIER_ANNOTATION]: tier } } });
  test("is passed on, and is never below what the rules need", () => {
    expect(["1", "2", "3", "4"].map((tier) => compilePolicy(withTier(tier), host).confinement.min_tier)).toEqual([2, 2, 3, 4]);
  });
  test("must be a tier", () => {
    expect(refusal(() => compilePolicy(withTier("gvisor"), host)).code).toBe("invalid_policy");
  });
});

test("a weak confinement is marked, allows every call, and keeps limits and network unless told", () => {
  const weak = weakConfinement({ planted_files: { "/etc/shadow": "x" } });
  expect(confinementSchema.parse(weak)).toEqual(weak);
  expect(weak.weak).toEqual({ seccomp: true, landlock: true, capabilities: true, readonly_etc: true, planted_files: { "/etc/shadow": "x" } });
  expect(asks(weak.seccomp)("mount")).toBe("allow");
  expect(weakConfinement({ network_namespace: "elsewhere" }).id).not.toBe(weakConfinement({}).id);
});
