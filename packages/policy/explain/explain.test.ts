import { type Denial, type HostFacts, TYPICAL_HOST } from "@plastron/contracts";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compilePolicy } from "../compile.ts";
import { compileDefault } from "../default.ts";
import { parsePolicy } from "../parse/parse.ts";
import { syscallNumbers } from "../seccomp/syscalls.ts";
import { ARCHES, decision, matchingEntries } from "../testing/meaning.ts";
import { profile, valuesOf } from "../testing/profiles.ts";
import { callOf, plain } from "./call.ts";
import { filterDenies } from "./filter.ts";

const NO_WORDS = ["0x0", "0x0", "0x0", "0x0", "0x0", "0x0"];
const O = { WRITE: 1, CREATE: 0o100 } as const;

function denial(call: string, more: Partial<Denial> & { words?: (number | bigint)[] } = {}): Denial {
  const { words = [], ...rest } = more;
  return {
    ...{ t_us: 1, pid: 2, comm: "x", exe: "/usr/bin/x", call, number: syscallNumbers("x86_64").get(call) ?? -1, abi: "native" },
    ...{ errno: "EPERM", path: null, to: null, count: 1, stack: null, arguments: NO_WORDS.map((zero, i) => `0x${(words[i] ?? BigInt(zero)).toString(16)}`) },
    ...rest,
  };
}

const opened = (path: string, errno: Denial["errno"] = "EACCES", flags = 0): Denial => denial("openat", { path, errno, words: [0, 0, flags] });

interface Enhance {
  [field: string]: unknown;
}

function compiled(enhanceProtect: Enhance, host: Partial<HostFacts> = {}) {
  const policy = { enforcer: "BPFSeccomp", mode: "EnhanceProtect", enhanceProtect };
  const text = { apiVersion: "crd.varmor.org/v1beta1", kind: "VarmorPolicy", metadata: { name: "p" }, spec: { target: { kind: "Pod", name: "x" }, policy } };
  return compilePolicy(parsePolicy(JSON.stringify(text)), { ...TYPICAL_HOST, ...host });
}

const attack = (...rules: string[]) => ({ attackProtectionRules: [{ rules }] });

describe("a denial is explained by", () => {
  it.each<[string, Enhance, Denial, string]>([
    ["a hidden file", attack("disable-access-passwd"), opened("/etc/passwd"), "disable-access-passwd"],
    ["a hidden file by a detour", attack("disable-access-passwd"), opened("/proc/self/root/usr/../etc//passwd"), "disable-access-passwd"],
    ["a hidden directory", attack("mitigate-sa-leak"), opened("/run/secrets/kubernetes.io/serviceaccount/token"), "mitigate-sa-leak"],
    ["a forbidden program", attack("disable-wget"), denial("execve", { path: "/usr/bin/wget", errno: "EACCES" }), "disable-wget"],
    ["a program of a writable place", attack("disable-wget"), denial("execve", { path: "/tmp/w", errno: "EACCES" }), "disable-wget"],
    ["a program without a name", attack("disable-curl"), denial("memfd_create", { words: [0, 1] }), "disable-curl"],
    ["a library of a writable place", attack("disable-curl"), denial("mmap", { words: [0, 4096, 5, 2, 3, 0] }), "disable-curl"],
    ["a socket's family", attack("disable-inet6"), denial("socket", { words: [10, 1, 0] }), "disable-inet6"],
    ["mode bits", attack("disable-chmod-s-bit"), denial("fchmodat", { path: "/workspace/x", words: [0, 0, 0o4755] }), "disable-chmod-s-bit"],
    ["the read-only root", attack("disable-write-etc"), opened("/etc/hosts", "EROFS", O.WRITE), "disable-write-etc"],
    ["a rule on a call", { vulMitigationRules: ["dirty-pipe-mitigation"] }, denial("splice"), "dirty-pipe-mitigation"],
    ["a rule on mounts", { hardeningRules: ["disallow-mount"] }, denial("mount", { words: [0, 0, 0, 0x1000] }), "disallow-mount"],
    ["a capability by its call", { hardeningRules: ["disable-cap-chown"] }, denial("chown", { path: "/workspace/x" }), "disable-cap-chown"],
    [
      "a capability by its port",
      { hardeningRules: ["disable-cap-net-bind-service"] },
      denial("bind", { errno: "EACCES", to: inet("127.0.0.1", 80) }),
      "disable-cap-net-bind-service",
    ],
  ])("%s", (_what, enhance, what, rule) => {
    const found = compiled(enhance).explain(what);
    expect(found).toMatchObject({ rule_id: rule, by: "policy" });
    expect(found?.rule_path).toMatch(/^spec\.policy\.enhanceProtect\./);
    expect(found?.hint).toContain(rule);
  });

  it("a raw rule, by its own place", () => {
    const bpfRawRules = {
      files: [{ pattern: "/workspace/keys/**", permissions: ["write"], qualifiers: ["deny"] }],
      network: { egress: { toDestinations: [{ qualifiers: ["deny"], cidr: "10.0.0.0/8", ports: [{ port: 443 }] }] } },
    };
    const { explain } = compiled({ bpfRawRules });
    expect(explain(opened("/workspace/keys/a", "EACCES", O.WRITE | O.CREATE))).toMatchObject({
      ...{ rule_id: "bpfRawRules.files[0]", rule_path: "spec.policy.enhanceProtect.bpfRawRules.files[0]" },
      event: { operation: "File", path: "/workspace/keys/a", permissions: ["write", "create"] },
    });
    expect(explain(opened("/workspace/keys/a"))).toBeNull();
    const to = (address: string, port = 443, family: "inet" | "inet6" = "inet") => explain(denial("connect", { to: { family, address, port } }));
    expect(to("10.1.2.3")).toMatchObject({ rule_id: "bpfRawRules.network.egress.toDestinations[0]", event: { type: "connect", ip: "10.1.2.3", port: 443 } });
    for (const spelled of ["::ffff:10.1.2.3", "::10.1.2.3", "64:ff9b::a01:203"])
      expect(to(spelled, 443, "inet6")?.rule_id, spelled).toContain("toDestinations[0]");
    expect([to("10.1.2.3", 80), to("11.1.2.3"), to("nonsense")]).toEqual([null, null, null]);
  });

  it.each<[string, Denial, string, RegExp]>([
    ["calls that no sandbox has", denial("kexec_load"), "floor-system-calls", /none lifts this/],
    ["what an operator could lift", denial("bpf"), "floor-system-calls", /--permissive/],
    ["mounts", denial("mount"), "floor-mounts", /--permissive/],
    ["tracing", denial("ptrace"), "floor-tracing", /--permissive/],
    ["files of the kernel", opened("/proc/kcore"), "floor-kernel-files", /proc and sys/],
    ["others' memory", opened("/proc/1/mem"), "floor-process-memory", /own processes/],
    ["the root that is read-only", denial("mkdir", { path: "/opt/x", errno: "EROFS" }), "floor-read-only-root", /\/workspace or \/tmp/],
    ["the root that is root's", opened("/usr/bin/env", "EACCES", O.WRITE), "floor-read-only-root", /\/workspace or \/tmp/],
    ["shared memory", denial("execve", { path: "/dev/shm/x", errno: "EACCES" }), "floor-shared-memory", /\/workspace or \/tmp/],
    ["capabilities", denial("setgroups"), "floor-capabilities", /without capabilities/],
  ])("the platform: %s", (_what, what, rule, hint) => {
    const found = compiled({ hardeningRules: [] }).explain(what);
    expect(found).toMatchObject({ rule_id: rule, rule_path: "spec.policy.mode", by: "platform" });
    expect(found?.hint).toMatch(hint);
  });
});

describe("what libraries try and do without", () => {
  const TRIED = { socket: [16, 0x80003, 0], mbind: [0x7000_0000, 4096, 1, 0, 0, 0], set_mempolicy: [5, 0x7000, 1024] } as const;
  const probes = Object.entries(TRIED).map(([call, words]): [string, number[]] => [call, [...words]]);

  it.each(probes)("%s is no violation where the platform denies it, and says why", (call, words) => {
    const { explain } = compiled({ hardeningRules: [] });
    expect(explain(denial(call, { words }))).toMatchObject({ rule_id: "floor-system-calls", isProbe: true, hint: expect.stringMatching(/^no need: /) });
    expect(explain(denial(call, { words, errno: "EACCES" }))?.isProbe ?? false).toBe(false);
  });

  it.each<[string, string, number[]]>([
    ["another family", "socket", [17, 3, 0]],
    ["another netlink protocol", "socket", [16, 3, 12]],
    ["another type", "socket", [16, 2, 0]],
    ["a pair of sockets", "socketpair", [16, 3, 0]],
    ["memory that is bound to a node", "mbind", [0, 4096, 2, 0x7000, 64, 0]],
    ["pages that are moved", "mbind", [0, 4096, 1, 0, 0, 2]],
    ["another policy of memory", "set_mempolicy", [2, 0x7000, 1024]],
    ["another call", "keyctl", [16, 3, 0]],
  ])("%s is one", (_what, call, words) => {
    expect(compiled({ hardeningRules: [] }).explain(denial(call, { words }))).toMatchObject({ by: "platform", isProbe: false });
  });

  it("and a rule of the policy that denies it is told", () => {
    const { explain } = compiled({ attackProtectionRules: [], syscallRawRules: [{ names: ["mbind"], action: "SCMP_ACT_ERRNO" }] });
    expect(explain(denial("mbind", { words: [0, 4096, 1, 0, 0, 0] }))).toMatchObject({ by: "policy", isProbe: false });
  });
});

describe("a denial that no rule caused has no explanation", () => {
  it.each<[string, Enhance, Denial]>([
    ["a file of the program's own that it closed to itself", attack("disable-access-passwd"), opened("/workspace/secret")],
    ["a name that only looks like the rule's", attack("disable-access-passwd"), opened("/etc/passwd-")],
    ["a rule that lets pass", { ...attack("disable-wget"), allowViolations: true }, denial("execve", { path: "/usr/bin/wget", errno: "EACCES" })],
    ["a call with other arguments", attack("disable-inet6"), denial("socketpair", { words: [1, 1, 0] })],
    ["a signal to another", attack("disable-tcp"), denial("kill", { words: [1, 9] })],
    ["another ABI", attack("disable-tcp"), denial("kexec_load", { abi: "ia32" })],
    ["a capability that another call could have wanted", { hardeningRules: ["disable-cap-all"] }, denial("ioctl", { words: [1, 2] })],
    ["an address where no hook looks", attack("block-access-to-metadata-service"), denial("connect", { to: inet("169.254.169.254", 80) })],
  ])("%s", (_what, enhance, what) => {
    expect(compiled(enhance).explain(what)).toBeNull();
  });
});

describe("the hint", () => {
  it("names every rule that would have to go", () => {
    const { explain } = compiled(attack("disable-inet", "disable-network", "disable-tcp"));
    const found = explain(denial("socket", { words: [2, 1, 0] }));
    for (const rule of ["disable-inet", "disable-network", "disable-tcp"])
      expect(found?.hint).toContain(`${rule} (spec.policy.enhanceProtect.attackProtectionRules[0]`);
    expect(found?.hint).toMatch(/^remove .* from the policy to allow it$/);
  });

  it("promises nothing that the platform denies as well", () => {
    expect(compiled({ hardeningRules: ["disallow-mount"] }).explain(denial("mount"))?.hint).toMatch(/denied all the same: .*--permissive/);
    expect(compiled(attack("disable-write-etc")).explain(opened("/etc/hosts", "EROFS", O.WRITE))?.hint).toMatch(/denied all the same: .*\/workspace/);
  });

  it("of what the policy allows once its rules are gone is true", () => {
    for (const rule of ["disable-inet", "disable-udp", "disable-network", "disable-chmod-s-bit"]) {
      const found = compiled(attack(rule)).explain(rule.includes("chmod") ? denial("chmod", { words: [0, 0o2755] }) : denial("socket", { words: [2, 2, 0] }));
      expect(found?.hint, rule).toMatch(/^remove/);
    }
  });
});

it("names the capability that the call would have used, of a rule on many", () => {
  const { explain } = compiled({ hardeningRules: ["disable-cap-all"] });
  expect(explain(denial("socket", { words: [17, 3, 0] }))).toMatchObject({
    rule_id: "disable-cap-all",
    event: { operation: "Capability", capability: "net_raw" },
  });
  expect(explain(denial("chroot"))).toMatchObject({ rule_id: "disable-cap-all", event: { operation: "Capability", capability: "sys_chroot" } });
});

it("says whether the policy asks for a record of the rule", () => {
  const what = denial("splice");
  const rules = { vulMitigationRules: ["dirty-pipe-mitigation"] };
  expect([compiled(rules).explain(what)?.recorded, compiled({ ...rules, auditViolations: true }).explain(what)?.recorded]).toEqual([false, true]);
});

it("of a list of files names the list, and what to add to it", () => {
  const policy = {
    ...{ enforcer: "AppArmor", mode: "DefenseInDepth" },
    defenseInDepth: {
      appArmor: { profileType: "Custom", customProfile: "profile p flags=(attach_disconnected) {\n  /usr/** r,\n  /workspace/** rw,\n  /usr/bin/env ix,\n}\n" },
    },
  };
  const text = { apiVersion: "crd.varmor.org/v1beta1", kind: "VarmorPolicy", metadata: { name: "p" }, spec: { target: { kind: "Pod", name: "x" }, policy } };
  const { explain, orders } = compilePolicy(parsePolicy(JSON.stringify(text)), TYPICAL_HOST);
  const list = orders.find(({ intents }) => intents.some(({ kind }) => kind === "file-list"));
  expect(list).toBeDefined();
  expect(explain(opened("/etc/hosts"))).toMatchObject({ rule_id: list?.rule, hint: `allow to read /etc/hosts in ${list?.path}` });
  expect([
    explain(opened("/usr/share/x")),
    explain(opened("/workspace/x", "EACCES", O.WRITE)),
    explain(denial("newfstatat", { path: "/etc/hosts", errno: "EACCES" })),
  ]).toEqual([null, null, null]);
});

it("of DefenseInDepth names its own profile, and of RuntimeDefault the mode", () => {
  const of = (policy: object) => {
    const text = { apiVersion: "crd.varmor.org/v1beta1", kind: "VarmorPolicy", metadata: { name: "p" }, spec: { target: { kind: "Pod", name: "x" }, policy } };
    return compilePolicy(parsePolicy(JSON.stringify(text)), TYPICAL_HOST).explain;
  };
  const customProfile = JSON.stringify({ defaultAction: "SCMP_ACT_ERRNO", syscalls: [{ names: ["read", "write"], action: "SCMP_ACT_ALLOW" }] });
  const depth = of({ enforcer: "Seccomp", mode: "DefenseInDepth", defenseInDepth: { seccomp: { profileType: "Custom", customProfile } } });
  expect(depth(denial("getpid"))).toMatchObject({ rule_id: "defenseInDepth.seccomp", rule_path: "spec.policy.defenseInDepth.seccomp", by: "policy" });
  expect(depth(denial("getpid"))?.hint).toBe("add getpid to what spec.policy.defenseInDepth.seccomp allows");
  expect(of({ enforcer: "BPF", mode: "RuntimeDefault" })(denial("kexec_load"))?.rule_id).toMatch(/RuntimeDefault|floor-system-calls/);
});

it("never fails, whatever a program asked for", () => {
  const { explain } = compileDefault(TYPICAL_HOST);
  const text = fc.oneof(fc.string({ unit: "binary" }), fc.constantFrom("/", "//", "/..", "/proc/self/root", "\0", "/etc/../../x", `/${"a/".repeat(2000)}`));
  const any = fc.record({
    call: fc.oneof(fc.constantFrom(...syscallNumbers("x86_64").keys()), text),
    errno: fc.constantFrom("EPERM" as const, "EACCES" as const, "EROFS" as const),
    path: fc.option(text),
    to: fc.option(fc.record({ family: fc.constantFrom("inet", "inet6", "unix", "other") as fc.Arbitrary<"inet">, address: text, port: fc.nat(65535) })),
    arguments: fc.array(text, { minLength: 6, maxLength: 6 }),
  });
  fc.assert(
    fc.property(any, ({ call, ...more }) => {
      const found = explain({ ...denial(call), ...more });
      expect(found === null || found.hint !== "").toBe(true);
    }),
  );
});

it("reads filters as they mean", () => {
  const numbers = [...syscallNumbers("x86_64")];
  fc.assert(
    fc.property(
      profile.chain((of) =>
        fc.tuple(fc.constant(of), fc.constantFrom(...numbers), fc.array(fc.constantFrom(0n, 1n, ...valuesOf(of)), { minLength: 6, maxLength: 6 })),
      ),
      ([of, [name, nr], args]) => {
        const verdict = decision(matchingEntries(of, "x86_64", { arch: ARCHES.x86_64, nr, args })) ?? of.otherwise;
        const denies = verdict.action === "errno" && verdict.errno === 1;
        expect(filterDenies(of)(callOf(denial(name, { words: args })))).toBe(denies);
      },
    ),
  );
});

it.each([
  ["/a/b", "/a/b"],
  ["//a/./b/../c", "/a/c"],
  ["/../..", "/"],
  ["/proc/17/root/etc", "/etc"],
  ["/proc/self/root/proc/thread-self/root/x", "/x"],
  ["/proc/self/cwd/x", "/proc/self/cwd/x"],
])("%s is %s", (path, expected) => expect(plain(path)).toBe(expected));

function inet(address: string, port: number) {
  return { family: "inet" as const, address, port };
}
