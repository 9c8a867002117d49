import { confinementSchema, fidelityRowSchema, type HostFacts, NO_RULES, TYPICAL_HOST } from "@plastron/contracts";
import { describe, expect, test } from "vitest";
import { compilePolicy } from "../compile.ts";
import { compileDefault } from "../default.ts";
import type { EnhanceProtect, PolicyDocument } from "../parse/schema.ts";
import { syscallNumbers } from "../seccomp/syscalls.ts";
import { decode, execute } from "../testing/classic-bpf.ts";
import { ARCHES } from "../testing/meaning.ts";
import { notified } from "../testing/notifier.ts";
import { policyOf } from "../testing/policies.ts";

const host: HostFacts = TYPICAL_HOST;
const permissive: HostFacts = { ...host, permissive: true };

/** What becomes of a call: of the filter, and of the listener where it is handed over. */
function fate(compiled: ReturnType<typeof compilePolicy>, name: string, ...args: number[]): string {
  const { confinement } = compiled;
  const words = Array.from({ length: 6 }, (_, i) => BigInt(args[i] ?? 0));
  const nr = syscallNumbers("x86_64").get(name) as number;
  const value = execute(decode(Buffer.from(confinement.seccomp, "base64")), { arch: ARCHES.x86_64, nr, args: words });
  if (value !== 0x7fc00000) return value === 0x7fff0000 ? "passes" : "denied";
  const call = confinement.watch.calls.find(({ number }) => number === nr);
  if (!call) return "brokered";
  const { errno, rule } = notified(call, words);
  return `${errno === 0 ? "passes" : "denied"}, recorded for ${rule === null ? "nothing" : confinement.rules[rule]?.id}`;
}

const withFlags = (names: string[], more: Partial<EnhanceProtect>) => policyOf(names, more);
const FLAGS = [
  { allowViolations: false, auditViolations: false },
  { allowViolations: false, auditViolations: true },
  { allowViolations: true, auditViolations: true },
  { allowViolations: true, auditViolations: false },
];

describe("vArmor's truth table", () => {
  test.each<[string, string, string, number[]]>([
    ["a system call", "dirty-pipe-mitigation", "splice", []],
    ["a socket", "disable-tcp", "socket", [2, 1, 0]],
    ["a mode", "disable-chmod-x-bit", "fchmodat", [0, 0, 0o755]],
  ])("for %s", (_, rule, call, args) => {
    const fates = FLAGS.map((flags) => fate(compilePolicy(withFlags([rule], flags), host), call, ...args));
    expect(fates).toEqual(["denied", `denied, recorded for ${rule}`, `passes, recorded for ${rule}`, "passes"]);
  });

  test("for a file, a program and an address", () => {
    const compiled = FLAGS.map((flags) =>
      compilePolicy(withFlags(["disable-access-passwd", "disable-wget", "block-access-to-aws-metadata-service"], flags), host),
    );
    expect(compiled.map(({ confinement: { hidden } }) => hidden.includes("/etc/passwd"))).toEqual([true, true, false, false]);
    expect(compiled.map(({ confinement: { forbidden_programs: names } }) => names)).toEqual([["wget", "wget2"], ["wget", "wget2"], [], []]);
    const looks = compiled.map(({ confinement: { rules, watch } }) => watch.paths.map(({ rule, deny, report }) => [rules[rule]?.operation, deny, report]));
    expect(looks[0]).toEqual([]);
    expect(looks[1]).toEqual([["file", true, true], ...[1, 2].map(() => ["bprm", true, true])]);
    expect(looks[2]).toEqual([["file", false, true], ...[1, 2].map(() => ["bprm", false, true])]);
    expect(looks[3]).toEqual([]);
    expect(compiled.map(({ confinement: { hooks } }) => hooks !== null)).toEqual([false, true, true, false]);
  });

  test("for raw rules, which have words of their own", () => {
    const fateOf = (qualifiers: string[], flags: Partial<EnhanceProtect> = {}) =>
      fate(compilePolicy(withFlags([], { ...flags, bpfRawRules: { network: { sockets: [{ qualifiers, protocols: ["udp"] }] } } }), host), "socket", 2, 2, 17);
    const id = "recorded for bpfRawRules.network.sockets[0]";
    expect(fateOf(["deny"])).toBe("denied");
    expect(fateOf(["deny", "audit"])).toBe(`denied, ${id}`);
    expect(fateOf(["audit"])).toBe(`passes, ${id}`);
    expect(fateOf(["deny"], { auditViolations: true })).toBe(`denied, ${id}`);
    expect(fateOf(["deny"], { allowViolations: true })).toBe("passes");
  });

  test("does not take away what a rule decides call by call, though its words are no path", () => {
    const ptrace = { qualifiers: ["deny"], permissions: ["all"], strictMode: true };
    for (const auditViolations of [false, true]) {
      const { paths } = compilePolicy(withFlags([], { auditViolations, bpfRawRules: { ptrace } }), host).confinement.watch;
      expect(paths.map(({ glob, deny, report }) => [glob, deny, report])).toEqual([
        ["/proc/*/mem", true, auditViolations],
        ["/proc/*/task/*/mem", true, auditViolations],
      ]);
    }
  });

  test("never keeps the launcher waiting for an answer about how it sends its listener away", () => {
    const raw = { syscallRawRules: [{ names: ["sendmsg", "close", "write", "splice"], action: "SCMP_ACT_ERRNO" }], auditViolations: true };
    const compiled = compilePolicy(withFlags([], raw), host);
    expect(["sendmsg", "close", "write"].map((name) => fate(compiled, name))).toEqual(["denied", "denied", "denied"]);
    expect(fate(compiled, "splice")).toBe("denied, recorded for syscallRawRules[0]");
  });

  test("does not take the first try of every C library for a violation", () => {
    const compiled = compilePolicy(withFlags(["disallow-create-user-ns"], { auditViolations: true }), host);
    expect([fate(compiled, "clone3"), fate(compiled, "unshare", 0x10000000)]).toEqual(["denied", "denied, recorded for disallow-create-user-ns"]);
  });

  test("is told in the rows, where nothing is claimed that is not denied, or let pass and recorded", () => {
    const rows = FLAGS.map((flags) => compilePolicy(withFlags(["dirty-pipe-mitigation"], flags), host).fidelity.find(({ rule }) => rule.startsWith("dirty")));
    expect(rows.map((row) => [row?.fidelity, row?.observes ?? false, row?.self_tests.length])).toEqual([
      ["exact", false, 1],
      ["exact", false, 1],
      ["exact", true, 1],
      ["unsupported", false, 0],
    ]);
    for (const row of rows) expect(fidelityRowSchema.parse(row)).toEqual(row);
  });
});

describe("what costs something is there only where it is needed", () => {
  test("no listener, no programs, no way out under the default policy, nor under any built-in rule that is not recorded but one", () => {
    expect(compileDefault(host).confinement).toMatchObject({ rules: [], watch: NO_RULES.watch, hooks: null, network: null });
    const quiet = compilePolicy(
      policyOf(["mitigate-disk-device-number-leak", "disable-access-ssh-dir", "disable-network", "disable-cap-all"]),
      host,
    ).confinement;
    expect(quiet).toMatchObject({ rules: [], watch: NO_RULES.watch, hooks: null });
    expect(compilePolicy(policyOf(["disable-write-skills"]), host).confinement.watch.paths).toHaveLength(1);
  });

  test("files of the root are masked, and only what a program can make itself is looked at", () => {
    const rule = (pattern: string, permissions: string[]) => {
      const compiled = compilePolicy(withFlags([], { bpfRawRules: { files: [{ qualifiers: ["deny"], pattern, permissions }] } }), host);
      const { hidden, watch, unexecutable, noexec_writable } = compiled.confinement;
      const ours = hidden.filter((path) => !path.startsWith("/proc/"));
      return {
        hidden: ours,
        looked: watch.paths.length,
        unexecutable,
        noexec_writable,
        row: compiled.fidelity.find((row) => row.rule.startsWith("bpf"))?.fidelity,
      };
    };
    const nothing = { hidden: [], looked: 0, unexecutable: [], noexec_writable: false };
    expect(rule("/etc/secret", ["read"])).toEqual({ ...nothing, hidden: ["/etc/secret"], row: "stricter" });
    expect(rule("/usr/share/x/**", ["read"])).toEqual({ ...nothing, hidden: ["/usr/share/x"], row: "stricter" });
    expect(rule("/usr/share/x/**", ["write"])).toEqual({ ...nothing, row: "by-construction" });
    expect(rule("/workspace/secret", ["read"])).toEqual({ ...nothing, looked: 1, row: "exact" });
    expect(rule("**.key", ["write"])).toEqual({ ...nothing, looked: 1, row: "approximate" });
    expect(rule("/proc/**/maps", ["read"])).toEqual({ ...nothing, looked: 1, row: "exact" });
    expect(rule("*ping", ["exec"])).toEqual({ ...nothing, unexecutable: ["/**/*ping"], noexec_writable: true, row: "stricter" });
  });

  test("calls that take paths are handed over where rules on paths need it, and stay refused where the floor refuses them", () => {
    const files = (permissions: string[]) =>
      compilePolicy(withFlags([], { bpfRawRules: { files: [{ qualifiers: ["deny"], pattern: "/workspace/**", permissions }] } }), host);
    const fates = (permissions: string[], ...names: string[]) => names.map((name) => fate(files(permissions), name));
    expect(fates(["read"], "openat", "open", "rename", "unlink", "execve", "read")).toEqual(["brokered", "brokered", "brokered", "passes", "passes", "passes"]);
    expect(fates(["write"], "openat", "unlinkat", "truncate", "chmod", "execve")).toEqual(["brokered", "brokered", "brokered", "brokered", "passes"]);
    expect(fate(files(["write"]), "chmod", 0, 0o4755)).toBe("denied");
    expect(fate(files(["write"]), "openat2")).toBe("denied");
    expect(fates(["exec"], "execve", "openat")).toEqual(["passes", "passes"]);
  });
});

describe("a host that lacks something is told so, and claims nothing", () => {
  const raw: Partial<EnhanceProtect> = {
    auditViolations: true,
    bpfRawRules: {
      files: [{ qualifiers: ["deny"], pattern: "/workspace/**", permissions: ["write"] }],
      network: { egress: { toDestinations: [{ qualifiers: ["deny"], ip: "127.0.0.1", ports: [{ port: 80 }] }] } },
    },
  };
  test.each<[string, Partial<HostFacts>]>([
    ["without notification and hooks", { notify: false, hooks: false }],
    ["with gVisor", { driver: "gvisor", tier: 3, notify: true, hooks: false }],
  ])("%s", (_, lacking) => {
    const { confinement, fidelity } = compilePolicy(withFlags(["disable-write-skills"], raw), { ...host, ...lacking });
    expect(confinement).toMatchObject({ watch: NO_RULES.watch, hooks: null });
    const row = (name: string) => fidelity.find(({ rule }) => rule.startsWith(name))?.fidelity;
    expect([row("bpfRawRules.files"), row("bpfRawRules.network"), row("auditViolations"), row("disable-write-skills")]).toEqual([
      "unsupported",
      "unsupported",
      "unsupported",
      "approximate",
    ]);
  });

  test("without a way out no network is opened, whatever the policy allows", () => {
    const policy: PolicyDocument = withFlags([], { networkProxyRawRules: { egress: { defaultAction: "allow" } } });
    policy.spec.policy.enforcer = "NetworkProxy";
    expect(compilePolicy(policy, { ...host, egress: false }).confinement).toMatchObject({ network: null, rules: [] });
    expect(compilePolicy(policy, host).confinement.network).toMatchObject({ default_action: "allow" });
  });

  test("no program on the group refuses the socket by which the launcher raises loopback", () => {
    const policy = withFlags(["disable-inet", "block-access-to-aws-metadata-service"], { auditViolations: true });
    const filterless = compilePolicy(withFlags(["block-access-to-aws-metadata-service"], { auditViolations: true }), host).confinement.hooks;
    expect(compilePolicy(policy, host).confinement.hooks?.programs.map(({ at, code }) => [at, code.length])).toEqual(
      filterless?.programs.map(({ at, code }) => [at, code.length]),
    );
  });

  test("a way out holds the addresses that other rules refuse, and its programs come with it", () => {
    const policy = withFlags(["block-access-to-aws-metadata-service"], { networkProxyRawRules: { egress: { defaultAction: "allow" } } });
    policy.spec.policy.enforcer = "BPFNetworkProxy";
    const { confinement } = compilePolicy(policy, host);
    expect(confinement.network?.denied.map(({ cidr }) => cidr)).toEqual(["169.254.169.254/32", "fd00:ec2::254/128"]);
    expect(confinement.rules[confinement.network?.denied[0]?.rule as number]?.id).toBe("block-access-to-aws-metadata-service");
    expect(confinement.hooks?.programs.map(({ at }) => at)).toEqual(expect.arrayContaining(["connect4", "connect6", "sendmsg4", "sendmsg6"]));
  });
});

describe("the floor", () => {
  const modeOf = (mode: "AlwaysAllow" | "RuntimeDefault"): PolicyDocument => {
    const policy = policyOf([]);
    return { ...policy, spec: { ...policy.spec, policy: { enforcer: "BPF", mode } } };
  };
  const HARD: [string, ...number[]][] = [
    ["init_module"],
    ["kexec_load"],
    ["keyctl"],
    ["io_uring_setup"],
    ["perf_event_open"],
    ["clone3"],
    ["openat2"],
    ["reboot"],
  ];

  test("holds for AlwaysAllow, privileged and allowViolations alike where the operator has not consented", () => {
    const policies = [modeOf("AlwaysAllow"), withFlags(["disallow-mount"], { privileged: true }), withFlags(["disallow-mount"], FLAGS[2] ?? {})];
    for (const policy of policies) {
      const compiled = compilePolicy(policy, host);
      expect(compiled.confinement).toMatchObject({ capabilities: [], user_namespaces: false });
      expect([fate(compiled, "mount"), fate(compiled, "ptrace"), fate(compiled, "unshare", 0x10000000)].map((each) => each.split(",")[0])).toEqual(
        Array(3).fill("denied"),
      );
    }
    const observed = compilePolicy(policies[2] as PolicyDocument, host);
    expect(fate(observed, "mount")).toBe("denied, recorded for disallow-mount");
    expect(observed.fidelity.find(({ rule }) => rule === "disallow-mount")?.note).toContain("the platform's floor still denies");
  });

  test("is recorded where the policy's rules are, and names the policy's own rule where there is one", () => {
    const compiled = compilePolicy(withFlags(["disallow-mount"], FLAGS[1] ?? {}), host);
    expect([fate(compiled, "mount"), fate(compiled, "umount2"), fate(compiled, "ptrace")]).toEqual([
      "denied, recorded for disallow-mount",
      "denied, recorded for floor-mounts",
      "denied, recorded for floor-tracing",
    ]);
  });

  test("is lifted by consent: wholly for AlwaysAllow, by what rules name for allowViolations, and never its hard part", () => {
    const open = compilePolicy(modeOf("AlwaysAllow"), permissive);
    expect(open.confinement.user_namespaces).toBe(true);
    expect(open.confinement.capabilities).toHaveLength(14);
    for (const [name, ...args] of [["mount"], ["ptrace"], ["unshare", 0x10000000], ["bpf"], ["userfaultfd"], ["socket", 38, 5], ["chroot"]] as [
      string,
      ...number[],
    ][])
      expect([name, fate(open, name, ...args)]).toEqual([name, "passes"]);
    for (const [name, ...args] of HARD) expect([name, fate(open, name, ...args)]).toEqual([name, "denied"]);
    expect(open.fidelity.filter(({ mechanism }) => mechanism === "none: lifted").map(({ rule }) => rule)).toEqual(["floor-mounts", "floor-tracing"]);

    const observed = compilePolicy(withFlags(["disallow-mount"], FLAGS[2] ?? {}), permissive);
    expect([fate(observed, "mount"), fate(observed, "ptrace")]).toEqual(["passes, recorded for disallow-mount", "denied"]);
    expect(observed.confinement.user_namespaces).toBe(false);
  });

  test("does not claim to let pass and record what does not exist, what the kernel keeps, or what is not known", () => {
    const observedRow = (rule: string, on = host) => {
      const { fidelity } = compilePolicy(withFlags([rule], FLAGS[2] ?? {}), on);
      return fidelity.find((row) => row.rule === rule);
    };
    expect(observedRow("disallow-debug-disk-device")).toMatchObject({ fidelity: "by-construction", note: expect.stringContaining("no more than before") });
    expect(observedRow("disallow-mount-cgroupfs")).toMatchObject({ observes: true });
    expect(observedRow("disallow-mount-cgroupfs", permissive)).toMatchObject({ fidelity: "by-construction", note: expect.stringContaining("not always") });
    expect(observedRow("block-access-to-kube-apiserver")).toMatchObject({ fidelity: "unsupported", self_tests: [] });
  });

  test("leaves a privileged sandbox what its rules do not take away", () => {
    const compiled = compilePolicy(withFlags(["disable-cap-net-raw", "disallow-umount"], { privileged: true }), permissive);
    expect(compiled.confinement.capabilities).toHaveLength(40);
    expect(compiled.confinement.capabilities).not.toContain("net_raw");
    expect([fate(compiled, "mount"), fate(compiled, "umount2")]).toEqual(["passes", "denied"]);
    expect(confinementSchema.parse(compiled.confinement)).toEqual(compiled.confinement);
  });

  test("and the container runtimes' list both hold under RuntimeDefault", () => {
    const compiled = compilePolicy(modeOf("RuntimeDefault"), host);
    const plain = compilePolicy(modeOf("AlwaysAllow"), host);
    expect([fate(plain, "get_mempolicy"), fate(compiled, "get_mempolicy")]).toEqual(["passes", "denied"]);
    expect([fate(compiled, "ptrace"), fate(compiled, "socket", 40, 1), fate(compiled, "socket", 2, 1), fate(compiled, "clone", 17)]).toEqual([
      "denied",
      "denied",
      "passes",
      "passes",
    ]);
  });
});
