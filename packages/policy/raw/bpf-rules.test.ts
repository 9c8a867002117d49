import { describe, expect, test } from "vitest";
import type { Order } from "../orders/order.ts";
import { faultsOf, rawOf } from "./testing/policy-text.ts";

const bpf = (rules: object, more: object = {}) => ({ ...more, bpfRawRules: rules });
const only = (rules: object, more: object = {}): Order => rawOf(bpf(rules, more)).orders[0] as Order;
const file = (more: object) => ({ qualifiers: ["deny"], pattern: "/x", permissions: ["read"], ...more });

describe("rules on files and processes", () => {
  test("of either list ask for any permission, in any case, with upstream's short forms", () => {
    const { orders } = rawOf(
      bpf({ files: [file({ permissions: ["R", "x"] })], processes: [file({ permissions: ["write", "a"], qualifiers: ["audit", "Deny"] })] }),
    );
    expect(orders).toEqual([
      {
        rule: "bpfRawRules.files[0]",
        path: "spec.policy.enhanceProtect.bpfRawRules.files[0]",
        enforcer: "BPF",
        deny: true,
        audit: false,
        intents: [{ kind: "file", glob: "/x", permissions: ["read", "exec"] }],
      },
      expect.objectContaining({
        rule: "bpfRawRules.processes[0]",
        deny: true,
        audit: true,
        intents: [{ kind: "file", glob: "/x", permissions: ["write", "append"] }],
      }),
    ]);
    expect(only({ files: [file({ permissions: ["*"] })] }).intents[0]).toMatchObject({ permissions: ["read", "write", "append", "exec"] });
  });

  test("that only audit pass and are recorded; without qualifiers they do nothing, and a row says so", () => {
    expect(only({ files: [file({ qualifiers: ["audit"] })] })).toMatchObject({ deny: false, audit: true });
    const { orders, rows } = rawOf(bpf({ files: [file({ qualifiers: [] })] }));
    expect(orders).toEqual([]);
    expect(rows[0]).toMatchObject({ rule: "bpfRawRules.files[0]", fidelity: "unsupported", note: expect.stringContaining("no effect") });
  });

  test.each([
    ["an unknown qualifier", { qualifiers: ["denny"] }, 'unknown qualifier "denny"'],
    ["one of the proxy's", { qualifiers: ["allow"] }, 'unknown qualifier "allow"'],
    ["an unknown permission", { permissions: ["reaad"] }, 'Did you mean "read"?'],
    ["a prototype's name", { permissions: ["constructor"] }, 'unknown permission "constructor"'],
    ["an illegal pattern", { pattern: "/etc/*" }, "bpfRawRules.files[0].pattern"],
    ["a pattern that matches nothing", { pattern: "passwd" }, "matches nothing"],
    ["no qualifiers", { qualifiers: undefined }, "is missing"],
    ["no permissions", { permissions: [] }, "is empty"],
  ])("with %s are refused", (_, wrong, message) => {
    expect(faultsOf(bpf({ files: [file(wrong)] })).join("\n")).toContain(message);
  });

  test("are 64 of a type, over both lists", () => {
    const files = Array.from({ length: 40 }, () => file({}));
    expect(faultsOf(bpf({ files, processes: files.slice(0, 24) }))).toEqual([]);
    expect(faultsOf(bpf({ files, processes: files.slice(0, 25) })).join("\n")).toContain("processes[24]: only the first 64 rules on files");
    const { orders, rows } = rawOf(bpf({ files, processes: files.slice(0, 25) }), { upstreamCompat: true });
    expect([orders.length, rows.map(({ rule }) => rule)]).toEqual([64, ["bpfRawRules.processes[24]"]]);
  });
});

describe("rules on sockets", () => {
  const sockets = (rule: object) => bpf({ network: { sockets: [{ qualifiers: ["deny"], ...rule }] } });
  const intents = (rule: object) => rawOf(sockets(rule)).orders[0]?.intents;

  test("are read by name in any case, and all lists must match", () => {
    expect(intents({ domains: ["INET", "unix"], types: ["Stream"] })).toEqual([{ kind: "socket", families: [2, 1], types: [1], protocols: [] }]);
    expect(intents({ domains: ["all"] })).toEqual([{ kind: "socket", families: [], types: [], protocols: [] }]);
    expect(intents({ types: ["*"], domains: ["alg"] })).toEqual([{ kind: "socket", families: [38], types: [], protocols: [] }]);
    expect(intents({ protocols: ["icmp"] })).toEqual([{ kind: "socket", families: [], types: [], protocols: [1, 58] }]);
  });

  test("on a protocol mean protocol 0 of its type too, which is how programs ask for it", () => {
    expect(intents({ protocols: ["udp"] })).toEqual([
      { kind: "socket", families: [], types: [], protocols: [17, 136] },
      { kind: "socket", families: [2, 10], types: [2], protocols: [0] },
    ]);
    expect(intents({ protocols: ["tcp"], domains: ["inet6"] })).toEqual([
      { kind: "socket", families: [10], types: [], protocols: [6, 262] },
      { kind: "socket", families: [10], types: [1], protocols: [0] },
    ]);
    expect(intents({ protocols: ["tcp"], domains: ["unix"] })).toHaveLength(1);
  });

  test.each([
    [{ domains: ["inet5"] }, 'Did you mean "inet"?'],
    [{ types: ["stram"] }, 'Did you mean "stream"?'],
    [{ protocols: ["sctp"] }, 'unknown socket protocol "sctp"'],
    [{ types: ["raw"], protocols: ["tcp"] }, "both types and protocols"],
    [{}, "neither domains, types nor protocols"],
    [{ domains: ["toString"] }, "unknown socket domain"],
  ])("%j are refused", (rule, message) => {
    expect(faultsOf(sockets(rule)).join("\n")).toContain(message);
  });
});

describe("a rule on tracing", () => {
  test("holds at the border of the sandbox, and everywhere in strict mode", () => {
    expect(only({ ptrace: { qualifiers: ["deny"], permissions: ["Trace", "readby"] } })).toMatchObject({
      rule: "bpfRawRules.ptrace",
      intents: [{ kind: "ptrace", permissions: ["trace", "readby"], strict: false }],
    });
    expect(only({ ptrace: { qualifiers: ["deny"], permissions: ["all"], strictMode: true } }).intents).toEqual([
      { kind: "ptrace", permissions: ["trace", "read", "traceby", "readby"], strict: true },
    ]);
    expect(faultsOf(bpf({ ptrace: { qualifiers: ["deny"], permissions: ["tracby"] } })).join()).toContain('"traceby"');
  });
});

describe("rules on mounts", () => {
  const mount = (more: object) => ({ mounts: [{ qualifiers: ["deny"], sourcePattern: "/proc**", fstype: "none", flags: ["bind"], ...more }] });
  const intentsOf = (more: object) => only(mount(more), { privileged: true }).intents;

  test.each([
    [["bind"], ["bind"]],
    [["R"], ["bind", "rec"]],
    [
      ["B", "M"],
      ["bind", "move"],
    ],
    [["make-rslave"], ["bind", "rec", "slave"]],
    [["Umount"], ["umount"]],
    [
      ["private", "make-shared"],
      ["private", "shared"],
    ],
    [["all"], ["new", "bind", "rec", "remount", "move", "private", "slave", "shared", "unbindable", "umount"]],
  ])("%j mean %j", (flags, wanted) => {
    expect(intentsOf({ flags })).toEqual([{ kind: "mount", source: "/proc**", fstype: "none", flags: wanted }]);
  });

  test("on the options of a mount hold with and without them, and say so", () => {
    const order = only(mount({ flags: ["ro", "nosuid"] }), { privileged: true });
    expect(order.intents[0]).toMatchObject({ flags: expect.arrayContaining(["new", "bind", "remount"]) });
    expect(order.notes?.[0]).toContain("ro, nosuid");
  });

  test("have no effect on a policy that is not privileged: a fault, or a row for compatibility", () => {
    expect(faultsOf(bpf(mount({}))).join()).toContain("privileged: true");
    const { orders, rows } = rawOf(bpf(mount({})), { upstreamCompat: true });
    expect([orders, rows.map(({ rule }) => rule)]).toEqual([[], ["bpfRawRules.mounts[0]"]]);
  });

  test.each([
    [{ flags: ["bindd"] }, 'Did you mean "bind"?'],
    [{ flags: [] }, "flags: is empty"],
    [{ fstype: "x".repeat(16) }, "1 to 15 letters"],
    [{ fstype: "proc,\n}" }, "1 to 15 letters"],
    [{ sourcePattern: "/a*" }, "sourcePattern"],
  ])("%j are refused", (wrong, message) => {
    expect(faultsOf(bpf(mount(wrong), { privileged: true })).join("\n")).toContain(message);
  });
});
