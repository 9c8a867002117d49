import { describe, expect, test } from "vitest";
import { builtInSyscalls, type LinuxSyscall, mergeSyscalls, weakenedUpstream } from "./syscall-merge.ts";
import { faultsOf, rawOf } from "./testing/policy-text.ts";

const raw = (...rules: object[]) => ({ syscallRawRules: rules });
const bit = (index: number, value: number) => ({ index, value, valueTwo: value, op: "SCMP_CMP_MASKED_EQ" });
const [ISUID, ISGID, IREAD, IRWXU] = [0o4000, 0o2000, 0o400, 0o700] as const;
const rule = (names: string[], args: LinuxSyscall["args"], action = "SCMP_ACT_ERRNO", errnoRet?: number): LinuxSyscall => ({ names, action, errnoRet, args });
const fchmod = rule(["fchmod"], [bit(1, ISUID), bit(1, ISGID)]);

describe("syscallRawRules", () => {
  test("are entries, any of whose conditions holds where an argument is named twice", () => {
    const { orders } = rawOf(raw({ names: ["fchmodat"], action: "SCMP_ACT_ERRNO", args: [bit(2, 0x40), bit(2, 8), bit(2, 1)] }));
    const when = (value: bigint) => [{ index: 2, op: "masked_eq", mask: value, value }];
    expect(orders).toEqual([
      {
        rule: "syscallRawRules[0]",
        path: "spec.policy.enhanceProtect.syscallRawRules[0]",
        enforcer: "Seccomp",
        deny: true,
        audit: false,
        intents: [
          { kind: "syscall", entries: [0x40n, 8n, 1n].map((value) => ({ names: ["fchmodat"], verdict: { action: "errno", errno: 1 }, when: when(value) })) },
        ],
      },
    ]);
  });

  test("have the mask in value and what it must give in valueTwo, and 64 bits as the CRD's int64 has them", () => {
    const { orders } = rawOf(
      raw({ names: ["ioctl"], action: "SCMP_ACT_KILL_PROCESS", args: [{ index: 1, value: -1, valueTwo: 5, op: "SCMP_CMP_MASKED_EQ" }] }),
    );
    expect(orders[0]?.intents[0]).toMatchObject({ entries: [{ verdict: { action: "kill_process" }, when: [{ mask: (1n << 64n) - 1n, value: 5n }] }] });
  });

  test("that log pass and are recorded, those that allow say nothing", () => {
    const { orders, rows } = rawOf(raw({ names: ["splice"], action: "SCMP_ACT_LOG" }, { names: ["read"], action: "SCMP_ACT_ALLOW" }));
    expect(orders).toEqual([expect.objectContaining({ deny: false, audit: true })]);
    expect(rows).toEqual([expect.objectContaining({ rule: "syscallRawRules[1]", note: expect.stringContaining("no effect") })]);
    expect(rawOf({ auditViolations: true, ...raw({ names: ["splice"], action: "SCMP_ACT_ERRNO" }) }).orders[0]).toMatchObject({ deny: true, audit: true });
  });

  test("skip calls of other machines, as container runtimes do", () => {
    const { orders, rows } = rawOf(raw({ names: ["chown", "chown32", "socketcall"], action: "SCMP_ACT_ERRNO", errnoRet: 38 }));
    expect(orders[0]?.intents[0]).toMatchObject({ entries: [{ names: ["chown"], verdict: { errno: 38 } }] });
    expect(rows.map(({ rule }) => rule)).toEqual(["syscallRawRules[0].names[1]", "syscallRawRules[0].names[2]"]);
  });

  test.each([
    [{ names: ["splise"], action: "SCMP_ACT_ERRNO" }, 'Did you mean "splice"?'],
    [{ names: [], action: "SCMP_ACT_ERRNO" }, "names no system call"],
    [{ names: ["read"], action: "SCMP_ACT_ERNO" }, 'Did you mean "SCMP_ACT_ERRNO"?'],
    [{ names: ["read"], action: "SCMP_ACT_NOTIFY" }, "SCMP_ACT_NOTIFY is refused"],
    [{ names: ["read"], action: "SCMP_ACT_TRACE" }, "SCMP_ACT_TRACE is refused"],
    [{ names: ["read"], action: "SCMP_ACT_LOG", args: [{ index: 0, value: 1, op: "SCMP_CMP_EG" }] }, "args[0].op"],
    [{ names: ["read"], action: "SCMP_ACT_LOG", args: [{ index: 6, value: 1, op: "SCMP_CMP_EQ" }] }, "args[0].index"],
    [{ names: ["read"], action: "SCMP_ACT_ERRNO", errnoRet: 4096 }, "errnoRet"],
    ["{syscallRawRules: [{names: [read], action: SCMP_ACT_LOG, args: [{index: 0, value: 0x20000000000001, op: SCMP_CMP_EQ}]}]}", "value"],
  ])("%j is refused", (given, message) => {
    expect(faultsOf(typeof given === "string" ? given : raw(given)).join("\n")).toContain(message);
  });
});

describe("the rows of upstream's Test_generateRawRules", () => {
  const suid = [bit(1, ISUID)];
  test.each([
    [
      "ignores raw rules that say the same",
      [rule(["chmod", "fchmod"], suid, undefined, 1)],
      [rule(["chmod"], suid, undefined, 1), rule(["fchmod"], suid, undefined, 1)],
      null,
      [],
    ],
    ["leaves other names beside", [rule(["chmod"], suid)], [fchmod], null, [rule(["chmod"], suid)]],
    ["leaves other actions beside", [rule(["fchmod"], suid, "SCMP_ACT_KILL")], [fchmod], null, [rule(["fchmod"], suid, "SCMP_ACT_KILL")]],
    ["leaves other errnos beside", [rule(["fchmod"], suid, undefined, 16)], [fchmod], null, [rule(["fchmod"], suid, undefined, 16)]],
    [
      "joins conditions, and leaves other names beside",
      [rule(["fchmod"], [bit(1, IREAD)]), rule(["fchmodat"], [bit(2, ISUID), bit(2, ISGID)])],
      [fchmod],
      [rule(["fchmod"], [bit(1, ISUID), bit(1, ISGID), bit(1, IREAD)])],
      [rule(["fchmodat"], [bit(2, ISUID), bit(2, ISGID)])],
    ],
    [
      "joins conditions, and leaves other actions beside",
      [rule(["fchmod"], [bit(1, IREAD)]), rule(["fchmod"], [bit(2, IRWXU)], "SCMP_ACT_KILL")],
      [fchmod],
      [rule(["fchmod"], [bit(1, ISUID), bit(1, ISGID), bit(1, IREAD)])],
      [rule(["fchmod"], [bit(2, IRWXU)], "SCMP_ACT_KILL")],
    ],
    [
      "does so for each name",
      [rule(["chmod", "fchmod"], [bit(1, IREAD)]), rule(["fchmod"], [bit(2, IRWXU)], "SCMP_ACT_KILL")],
      [fchmod],
      [rule(["fchmod"], [bit(1, ISUID), bit(1, ISGID), bit(1, IREAD)])],
      [rule(["chmod"], [bit(1, IREAD)]), rule(["fchmod"], [bit(2, IRWXU)], "SCMP_ACT_KILL")],
    ],
    [
      "lets a raw rule without conditions stand beside",
      [rule(["chmod", "fchmod"], [])],
      [rule(["chmod"], suid), rule(["fchmod"], suid)],
      null,
      [rule(["chmod"], []), rule(["fchmod"], [])],
    ],
    ["drops conditions where the built-in rule has none", [rule(["chmod", "fchmod"], suid)], [rule(["fchmod"], [])], null, [rule(["chmod"], suid)]],
  ])("%s", (_, given, builtIn, joined, added) => {
    const byName = (rules: readonly LinuxSyscall[]) => new Map(rules.map((each) => [each.names[0] as string, each]));
    const merged = mergeSyscalls(given, byName(builtIn));
    expect(merged.builtIn).toEqual(byName(joined ?? builtIn));
    expect(merged.added).toEqual(added);
  });

  test("and where joining would ask for both conditions, here each holds by itself, which the order says", () => {
    const builtIn = builtInSyscalls(["disallow-create-user-ns"]);
    expect(weakenedUpstream("unshare", rule(["unshare"], [bit(1, 1)]), builtIn)).toBe(true);
    expect(weakenedUpstream("unshare", rule(["unshare"], [bit(0, 0x20000)]), builtIn)).toBe(false);
    const hardeningRules = ["disallow-create-user-ns"];
    const { orders } = rawOf({ hardeningRules, ...raw({ names: ["unshare"], action: "SCMP_ACT_ERRNO", args: [bit(1, 1)] }) });
    expect(orders[0]?.notes?.[0]).toContain("each holds by itself");
  });
});
