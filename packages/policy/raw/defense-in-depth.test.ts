import { describe, expect, test } from "vitest";
import type { Intent } from "../orders/order.ts";
import { assembleFilter } from "../seccomp/assemble.ts";
import { syscallNumbers } from "../seccomp/syscalls.ts";
import { decode, execute } from "../testing/classic-bpf.ts";
import { ARCHES } from "../testing/meaning.ts";
import { defenseProfile } from "./index.ts";
import { faultsOf, parsed, rawOf } from "./testing/policy-text.ts";

const profile = { defaultAction: "SCMP_ACT_LOG", syscalls: [{ names: ["open", "openat", "read", "write"], action: "SCMP_ACT_ALLOW" }] };
const seccomp = { profileType: "Custom", customProfile: JSON.stringify(profile), syscallRawRules: [{ names: ["chmod", "fchmod"], action: "SCMP_ACT_ALLOW" }] };
const inDepth = (defenseInDepth: object, enforcer = "Seccomp") => ({ mode: "DefenseInDepth", enforcer, policy: { defenseInDepth } });
const read = (defenseInDepth: object, enforcer?: string) => defenseProfile(parsed({}, inDepth(defenseInDepth, enforcer)));

const [ALLOWED, LOGGED, EPERM] = [0x7fff0000, 0x7ffc0000, 0x00050001];
function answers(given: object): (name: string, ...args: number[]) => number {
  const program = decode(assembleFilter(read(given)?.profile as NonNullable<ReturnType<typeof defenseProfile>>["profile"], "x86_64"));
  return (name, ...args) => execute(program, { arch: ARCHES.x86_64, nr: syscallNumbers("x86_64").get(name) as number, args: args.map(BigInt) });
}

describe("a custom seccomp profile", () => {
  test("refuses what it does not list, whatever its own default says, and raw rules allow more", () => {
    const ask = answers({ seccomp });
    expect([ask("openat"), ask("fchmod"), ask("mount"), ask("getpid")]).toEqual([ALLOWED, ALLOWED, EPERM, EPERM]);
  });

  test("lets the same pass on record with allowViolations", () => {
    const ask = answers({ seccomp, allowViolations: true });
    expect([ask("openat"), ask("fchmod"), ask("mount")]).toEqual([ALLOWED, ALLOWED, LOGGED]);
  });

  test("keeps entries that refuse, also where its own default would have done so", () => {
    const syscalls = [...profile.syscalls, { names: ["write"], action: "SCMP_ACT_ERRNO", errnoRet: 5, args: [{ index: 0, value: 1, op: "SCMP_CMP_EQ" }] }];
    const own = { defaultAction: "SCMP_ACT_ERRNO", defaultErrnoRet: 5, syscalls };
    const ask = answers({ seccomp: { ...seccomp, customProfile: JSON.stringify(own) }, allowViolations: true });
    expect([ask("write", 1), ask("write", 2), ask("mount")]).toEqual([0x00050005, ALLOWED, LOGGED]);
  });

  test.each([
    ["{", "it is not JSON"],
    ["[]", "seccomp profile"],
    ['{"syscalls": 1}', "syscalls"],
    [JSON.stringify({ ...profile, syscalls: [{ names: ["read"], action: "SCMP_ACT_NOTIFY" }] }), "SCMP_ACT_NOTIFY"],
    ["", "needs one"],
  ])("%j is refused with its place", (customProfile, message) => {
    expect(faultsOf({}, inDepth({ seccomp: { ...seccomp, customProfile } })).join("\n")).toContain(message);
  });

  test("is looked at in its own mode, and where the enforcer names Seccomp", () => {
    expect(defenseProfile(parsed({}))).toBeNull();
    expect(faultsOf({}, inDepth({ seccomp }, "AppArmor")).join("\n")).toContain("does not name Seccomp");
    expect(faultsOf({}, inDepth({}, "Seccomp")).join("\n")).toContain("seccomp: is missing");
    expect(faultsOf({}, inDepth({ seccomp }, "BPFSeccomp")).join("\n")).toContain("no BPF profile");
  });

  test("learnt from behaviour is not enforced, and a row says so", () => {
    const found = read({ seccomp: { profileType: "BehaviorModel" } });
    expect(found?.profile).toMatchObject({ otherwise: { action: "allow" }, entries: [] });
    expect(found?.rows).toEqual([expect.objectContaining({ fidelity: "unsupported", note: expect.stringContaining("BehaviorModel") })]);
  });
});

const text = (...lines: string[]) =>
  `abi <abi/3.0>,\n#include <tunables/global>\nprofile x flags=(attach_disconnected) {\n  #include <abstractions/base>\n${lines.join("\n")}\n}\n`;
const appArmor = (customProfile: string, more: object = {}) =>
  rawOf({}, { ...inDepth({ appArmor: { profileType: "Custom", customProfile }, ...more }, "AppArmor") });

describe("a custom AppArmor profile", () => {
  test("denies the capabilities, sockets, mounts and tracing that it leaves out", () => {
    const { orders } = appArmor(text("  capability chown,", "  network inet tcp,", "  network unix,", "  umount,"));
    const said = Object.fromEntries(orders.map(({ rule, intents }) => [rule.split(":")[1], intents]));
    expect(orders.every(({ deny, audit, enforcer }) => deny && audit && enforcer === "AppArmor")).toBe(true);
    expect(said.capability?.[0]).toMatchObject({ kind: "capability", names: expect.not.arrayContaining(["chown"]) });
    expect(said.capability?.[0]).toMatchObject({ names: { length: 40 } });
    expect(said.network).toEqual([
      { kind: "socket", families: expect.not.arrayContaining([1, 2]), types: [], protocols: [] },
      { kind: "socket", families: [2], types: [2, 3, 4, 5, 6, 10], protocols: [] },
    ]);
    expect(said.mount).toEqual([{ kind: "mount", source: "**", fstype: "*", flags: expect.not.arrayContaining(["umount"]) }]);
    expect(said.ptrace).toEqual([{ kind: "ptrace", permissions: ["trace", "read", "traceby", "readby"], strict: true }]);
  });

  test("passes them on record with allowViolations; its deny lines hold all the same", () => {
    const { orders } = appArmor(text("  deny /etc/shadow r,", "  network,"), { allowViolations: true });
    expect(orders.map(({ rule, deny }) => [rule, deny])).toEqual([
      ["defenseInDepth.appArmor:capability", false],
      ["defenseInDepth.appArmor:mount", false],
      ["defenseInDepth.appArmor:ptrace", false],
      ["defenseInDepth.appArmor.customProfile:5", true],
    ]);
  });

  test("records nothing that a deny line of its own refuses in silence", () => {
    const { orders } = appArmor(text("  network inet tcp,", "  deny network netlink,", "  /x r,"));
    const network = orders.find(({ rule }) => rule.endsWith(":network"));
    expect(network?.intents[0]).toMatchObject({ families: expect.not.arrayContaining([16]) });
    expect(orders.filter(({ intents }) => intents.some((intent) => intent.kind === "socket" && intent.families.includes(16)))).toEqual([
      expect.objectContaining({ deny: true, audit: false }),
    ]);
  });

  test("is a list of all that may be done to files, and of all that may be executed", () => {
    const { orders } = appArmor(text("  owner /etc/hosts r,", "  /bin/ls ix,", '  "/data/a b*" rwk,', "  /data/\\*x a,"));
    const said = Object.fromEntries(orders.map(({ rule, intents }) => [rule.split(":")[1], intents[0]]));
    expect(said.exec).toEqual({ kind: "file-list", permissions: ["exec"], allowed: [expect.objectContaining({ glob: "/bin/ls", permissions: ["exec"] })] });
    expect(said.file).toMatchObject({ kind: "file-list", permissions: ["read", "write", "append"] });
    const globs = (said.file as Extract<Intent, { kind: "file-list" }>).allowed;
    expect(globs).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ glob: "/etc/hosts", permissions: ["read"] }),
        expect.objectContaining({ glob: "/data/a b*", permissions: ["read", "write", "append"] }),
        expect.objectContaining({ glob: "/data/[*]x", permissions: ["append"] }),
        { glob: "/etc/ld.so.cache", permissions: ["read"] }, // of abstractions/base
      ]),
    );
    expect(globs.map(({ glob }) => glob)).not.toContain("/bin/ls");
  });

  test("has what it includes reported, and no list then", () => {
    const { orders, rows } = appArmor(text("  owner /etc/hosts r,", "  /bin/ls ix,", "  include <abstractions/nameservice>", "  profile child {\n  /x r,\n }"));
    expect(orders).toEqual([]);
    expect(rows.map(({ note }) => note).join("\n")).toMatch(/profile for other programs[\s\S]*not read/);
  });

  test("without a profile in it is refused", () => {
    expect(faultsOf({}, inDepth({ appArmor: { profileType: "Custom", customProfile: "/etc r,\n" } }, "AppArmor")).join()).toContain("has no profile");
    expect(faultsOf({}, inDepth({ appArmor: { profileType: "Custom" } }, "AppArmor")).join()).toContain("needs one");
    expect(faultsOf({}, inDepth({}, "AppArmor")).join()).toContain("appArmor: is missing");
  });
});
