import { describe, expect, test } from "vitest";
import { rawOf } from "../testing/policy-text.ts";

const read = (rules: string, targets?: string[]) => rawOf({ appArmorRawRules: [{ rules, ...(targets ? { targets } : {}) }] });
/** The intents of one line that denies. */
const denied = (rule: string) => read(`deny ${rule},`).orders[0]?.intents ?? read(`deny ${rule},`).rows[0]?.note;
const globs = (path: string) => {
  const found = denied(`${path} r`);
  return typeof found === "string" ? found : found?.map((intent) => (intent.kind === "file" ? intent.glob : intent.kind));
};

describe("a line of AppArmor text", () => {
  test("that denies is an order, recorded with audit; one that only audits is recorded and passes", () => {
    const { orders, rows } = read("# words\n\naudit deny /etc/shadow r,\ndeny /etc/passwd rw, # more\naudit /etc/hosts r,\n");
    expect(orders).toEqual([
      {
        rule: "appArmorRawRules[0].rules:3",
        path: "spec.policy.enhanceProtect.appArmorRawRules[0].rules",
        enforcer: "AppArmor",
        deny: true,
        audit: true,
        intents: [{ kind: "file", glob: "/etc/shadow", permissions: ["read"] }],
      },
      expect.objectContaining({ rule: "appArmorRawRules[0].rules:4", deny: true, audit: false }),
      expect.objectContaining({ rule: "appArmorRawRules[0].rules:5", deny: false, audit: true }),
    ]);
    expect(rows).toEqual([]);
  });

  test("that allows has no effect, and a row says so with its text", () => {
    const { orders, rows } = read("/etc/shadow r,\nallow capability chown,\n");
    expect(orders).toEqual([]);
    expect(rows.map(({ rule, note }) => [rule, note])).toEqual([
      ["appArmorRawRules[0].rules:1", expect.stringMatching(/^"\/etc\/shadow r": .*no effect/)],
      ["appArmorRawRules[0].rules:2", expect.stringContaining("no effect")],
    ]);
  });

  test("for some programs holds for all, which its order says", () => {
    expect(read("deny /x r,", ["/bin/cat"]).orders[0]?.notes).toEqual([expect.stringContaining("/bin/cat")]);
  });

  test("for an owner holds for everyone, which its order says", () => {
    expect(read("deny owner /x r,").orders[0]?.notes?.[0]).toContain("owner");
  });

  test("may go over several lines, and several may stand in one", () => {
    expect(read("deny\n  /a\n  r,\ndeny /b r, deny /c r,").orders.map(({ rule }) => rule.split(":")[1])).toEqual(["1", "4", "4"]);
  });
});

describe("a path", () => {
  test.each([
    ["/etc/shadow", ["/etc/shadow"]],
    ["/{usr/,}bin/{ba,da}sh", ["/usr/bin/bash", "/usr/bin/dash", "/bin/bash", "/bin/dash"]],
    ["/a{b,c{d,e}}", ["/ab", "/acd", "/ace"]],
    ["/a?/[a-z]/[^/]*/**", ["/a?/[a-z]/?*/**"]],
    ["/etc/", ["/etc"]],
    ["@{PROC}/sys/kernel/core_pattern", ["/proc/sys/kernel/core_pattern"]],
    ["@{PROC}@{pid}/mem", ["/proc/[1-9]*/mem"]],
    ["@{HOME}/.ssh/**", ["/home/*/.ssh/**", "/root/.ssh/**"]],
    ['"/a b/c"', ["/a b/c"]],
    ["/a\\*b", ["/a[*]b"]],
    ["/a\\101\\040\\303\\251\\012\\052", ["/aA é\n[*]"]],
    ["/{,**}", ["/", "/**"]],
  ])("%s is %j", (path, wanted) => {
    expect(globs(path)).toEqual(wanted);
  });

  test.each([
    ["@{exec_path}", "the variable @{exec_path} is not known"],
    ['/a/"b c"', "hold the whole path"],
    ["/a{b", "brackets do not match"],
    ["/a}b", "brackets do not match"],
    [`/${"{a,b}".repeat(7)}`, "more than 64 paths"],
    ["/[!a]", "the set [!a] is not read"],
    ["/a\\x", "the escape \\x is not read"],
    ["/a\\000", "control character"],
    ["/a/../b", "canonical"],
    ["{a,/b}", "does not begin with /"],
  ])("%s is not read, and a row says why", (path, why) => {
    expect(globs(path)).toContain(why);
  });
});

describe("permissions", () => {
  test.each([
    ["/x rw", ["read", "write", "append"]],
    ["/x wl", ["write", "append"]],
    ["/x a", ["append"]],
    ["rwx /x", ["read", "write", "append", "exec"]],
    ["file /x mr", ["read", "exec"]],
    ["/x rwklmx", ["read", "write", "append", "exec"]],
    ["file", ["read", "write", "append", "exec"]],
  ])("%s are %j", (rule, permissions) => {
    expect(denied(rule)).toEqual([{ kind: "file", glob: rule === "file" ? "/**" : "/x", permissions }]);
  });

  test.each(["/x q", "/x", "/x r w", "/x k", "x r", "/x px -> y z q,"])("%j is not read", (rule) => {
    expect(denied(rule)).toBeTypeOf("string");
  });
});

describe("rules on what is no file", () => {
  test.each([
    ["capability sys_admin net_raw", [{ kind: "capability", names: ["sys_admin", "net_raw"] }]],
    ["capability", [{ kind: "capability", names: expect.arrayContaining(["chown", "checkpoint_restore"]) }]],
    ["network", [{ kind: "socket", families: [], types: [], protocols: [] }]],
    ["network inet", [{ kind: "socket", families: [2], types: [], protocols: [] }]],
    ["network inet6 dgram", [{ kind: "socket", families: [10], types: [2], protocols: [] }]],
    ["network icmp", [{ kind: "socket", families: [], types: [], protocols: [1, 58] }]],
    ["network tcp", [expect.objectContaining({ protocols: [6, 262] }), { kind: "socket", families: [2, 10], types: [1], protocols: [0] }]],
    ["unix", [{ kind: "socket", families: [1], types: [], protocols: [] }]],
    ["mount fstype=proc", [{ kind: "mount", source: "**", fstype: "proc", flags: expect.arrayContaining(["new", "bind", "remount"]) }]],
    ["mount fstype=(proc, sysfs) options in (ro, bind) /a{b,c} -> /x", Array.from({ length: 4 }, () => expect.objectContaining({ flags: ["bind"] }))],
    ["mount options=(rw,rbind,move) /proc** -> /**", [{ kind: "mount", source: "/proc**", fstype: "*", flags: ["bind", "rec", "move"] }]],
    ["mount options=ro tmpfs", [{ kind: "mount", source: "tmpfs", fstype: "*", flags: ["new"] }]],
    ["remount /proc/**", [{ kind: "mount", source: "/proc/**", fstype: "*", flags: ["remount"] }]],
    ["umount /mnt/", [{ kind: "mount", source: "/mnt", fstype: "none", flags: ["umount"] }]],
    ["ptrace", [{ kind: "ptrace", permissions: ["trace", "read", "traceby", "readby"], strict: true }]],
    ["ptrace (read, tracedby) peer=unconfined", [{ kind: "ptrace", permissions: ["read", "traceby"], strict: true }]],
    ["userns create", [{ kind: "syscall", entries: [expect.objectContaining({ names: ["unshare", "clone"] })] }]],
  ])("%s", (rule, intents) => {
    expect(denied(rule)).toEqual(intents);
  });

  test("signals are the calls that send them", () => {
    const [intent] = read("deny signal send set=(kill, term) peer=x,").orders[0]?.intents ?? [];
    const entries = intent?.kind === "syscall" ? intent.entries : [];
    expect(entries).toHaveLength(12);
    expect(entries[4]).toEqual({ names: ["tgkill"], verdict: { action: "errno", errno: 1 }, when: [{ index: 2, op: "eq", value: 9n }] });
    expect(denied("signal receive")).toContain("only sending");
  });

  test.each([
    ["capability sys_admins", "no capability"],
    ["network inet stream tcp", "one family and one type"],
    ["network inet4", "neither a family"],
    ["network (send) inet", "neither a family"],
    ["unix (connect) addr=@x", "not looked at"],
    ["mount fstype=(ext?)", "names alone"],
    ["mount options=(upperdir=/x)", "is not read"],
    ["mount /a /b /c", "is not read"],
    ["signal set=(boom)", "no signal"],
    ["dbus bus=session", "AppArmor itself would"],
    ["change_profile -> x", "AppArmor itself would"],
    ["rlimit nproc <= 10", "AppArmor itself would"],
    ["pivot_root /a", "AppArmor itself would"],
    ["constructor r", "neither a path"],
  ])("%s is not read, and a row says why", (rule, why) => {
    expect(denied(rule)).toContain(why);
  });

  test.each([
    ["#include <abstractions/base>", "no files to include"],
    ["include if exists <x>", "no files to include"],
    ["profile x {\n deny /a r,\n}", "blocks belong"],
    ["quiet deny /a r,", "modifier quiet"],
  ])("%j neither", (rules, why) => {
    const { rows } = read(rules);
    expect(rows.map(({ note }) => note).join("\n")).toContain(why);
  });
});
