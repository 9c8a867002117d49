import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { globMatches } from "../orders/glob.ts";
import type { Intent, Order } from "../orders/order.ts";
import { appArmorProfile } from "./apparmor.ts";
import { appArmorGlob } from "./apparmor-text.ts";

const orderOf = (intent: Intent, deny = true, audit = true): Order => ({ rule: "rule", path: "spec", enforcer: "AppArmor", deny, audit, intents: [intent] });
const linesOf = (...orders: Order[]): string[] => appArmorProfile("p", orders).text.split("\n").slice(13, -2);
const file = (glob: string, ...permissions: Extract<Intent, { kind: "file" }>["permissions"]): Intent => ({ kind: "file", glob, permissions });

describe("the text", () => {
  test("begins by allowing, and denies line by line", () => {
    expect(appArmorProfile("p", [orderOf(file("/etc/shadow", "read", "write"))]).text).toBe(`abi <abi/3.0>,

profile "p" flags=(attach_disconnected, mediate_deleted) {
  file,
  network,
  capability,
  signal,
  unix,
  dbus,
  mount,
  umount,
  pivot_root,
  ptrace peer=@{profile_name},
  audit deny "/etc/shadow{,/}" rwl,
}
`);
  });

  test.each([
    [true, true, ['  audit deny "/a{,/}" r,']],
    [true, false, ['  deny "/a{,/}" r,']],
    [false, true, ['  audit "/a{,/}" r,']],
    [false, false, []],
  ])("deny %s, audit %s", (deny, audit, lines) => {
    expect(linesOf(orderOf(file("/a", "read"), deny, audit))).toEqual(lines);
  });

  test.each<[Intent, string[]]>([
    [file("/**/wget", "exec"), ['"/{**/,}wget{,/}" mrx']],
    [file("/etc/**", "write", "append"), ['"/etc/**" wl']],
    [file("/log", "append"), ['"/log{,/}" a']],
    [{ kind: "capability", names: ["net_raw", "sys_admin"] }, ["capability net_raw", "capability sys_admin"]],
    [{ kind: "socket", families: [], types: [], protocols: [] }, ["network"]],
    [{ kind: "socket", families: [2, 10], types: [1], protocols: [] }, ["network inet stream", "network inet6 stream"]],
    [{ kind: "socket", families: [38], types: [], protocols: [] }, ["network alg"]],
    [{ kind: "socket", families: [], types: [], protocols: [17] }, ["network inet dgram", "network inet6 dgram"]],
    [{ kind: "mount", source: "**", fstype: "proc", flags: ["new"] }, ['mount fstype="proc"']],
    [{ kind: "mount", source: "/proc/**", fstype: "none", flags: ["bind", "rec"] }, ['mount options in (bind, rbind) "/proc{,/,/**}" -> "/**"']],
    [{ kind: "mount", source: "**", fstype: "none", flags: ["umount"] }, ["umount"]],
    [{ kind: "ptrace", permissions: ["trace", "readby"], strict: true }, ["ptrace (trace, readby)"]],
  ])("%j", (intent, lines) => {
    expect(linesOf(orderOf(intent))).toEqual(lines.map((line) => `  audit deny ${line},`));
  });

  test("what it cannot say is a row", () => {
    const connect: Intent = { kind: "connect", cidr: "10.0.0.0/8", ports: [] };
    const { rows } = appArmorProfile("p", [orderOf(connect), orderOf({ kind: "syscall", entries: [] }), orderOf({ kind: "capability", names: ["made\nup"] })]);
    expect(rows.map(({ note }) => note)).toEqual([
      expect.stringContaining("addresses"),
      expect.stringContaining("system calls"),
      expect.stringContaining('no capability "made\\nup"'),
    ]);
  });

  test("a silent denial does not silence one that is logged", () => {
    const intent: Intent = { kind: "capability", names: ["bpf"] };
    expect(linesOf(orderOf(intent), orderOf(intent, true, false))).toEqual(["  audit deny capability bpf,"]);
  });

  test.each(["", "a b", 'a"', "a{", "a\n", "-a", "a".repeat(101)])("no profile is called %j", (name) => {
    expect(() => appArmorProfile(name, [])).toThrow("the name of an AppArmor profile");
  });
});

describe("whatever a policy's glob says", () => {
  const hostile = fc.string({
    unit: fc.oneof(fc.constantFrom(..."/*?[]{}^,\\\"@#\n\r\t !-.az$()'"), fc.string({ minLength: 1, maxLength: 1 })),
    maxLength: 40,
  });

  test("it stays one quoted expression on its own line", () => {
    fc.assert(
      fc.property(hostile, (glob) => {
        const lines = linesOf(orderOf(file(`/${glob}`, "read")));
        if (glob.includes("\0") || /\[[^a-z]*\]/i.test(glob)) fc.pre(lines.length > 0);
        expect(lines).toHaveLength(1);
        // Between the quotes: escapes by themselves or in octal, wildcards, and characters that mean nothing.
        expect(lines[0]).toMatch(/^ {2}audit deny "\/([A-Za-z0-9/._+=:~%@*?-]|\\[*?[\]{}^,\\]|\\[0-7]{3}|\[\^?[A-Za-z0-9._/-]+\]|[{},])*" r,$/);
      }),
      { numRuns: 2000 },
    );
  });

  test("a glob without wildcards stands for itself", () => {
    fc.assert(
      fc.property(hostile, (text) => {
        const glob = `/${text.replace(/[*?[\0]/g, "")}`;
        expect(unescaped(appArmorGlob(glob, false).slice(1, -1))).toBe(glob);
        expect(globMatches(glob, glob)).toBe(true);
      }),
    );
  });

  test.each(["/a\0b", "/[/]"])("what no path can be is a row: %j", (glob) => {
    const { text, rows } = appArmorProfile("p", [orderOf(file(glob, "read"))]);
    expect(text).not.toContain("deny");
    expect(rows).toEqual([{ rule: "rule", note: expect.stringContaining("nothing is matched") }]);
  });
});

/** As AppArmor's parser undoes it. */
function unescaped(text: string): string {
  const bytes = [...text.matchAll(/\\([0-7]{3})|\\(.)|(.)/gs)].map(([, octal, special, plain]) =>
    octal ? Number.parseInt(octal, 8) : ((special ?? plain) as string).charCodeAt(0),
  );
  return Buffer.from(bytes).toString("utf8");
}
