import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Intent, Order } from "../orders/order.ts";
import { bpfLsmTables } from "./bpf-lsm.ts";
import { FILE, FLAG, GLOB, LIMITS, MOUNT, PTRACE } from "./bpf-lsm-layout.ts";

const orderOf = (...intents: Intent[]): Order => ({ rule: "rule", path: "spec", enforcer: "BPF", deny: true, audit: true, intents });
const counts = (tables: Uint8Array): number[] => Array.from({ length: 6 }, (_, i) => Buffer.from(tables).readUInt32LE(12 + 4 * i));
const BODY = 8 + 4 * 7 + 64 * 8;

describe("the layout is that of native/lsm/plastron-lsm.h", () => {
  const header = readFileSync(join(import.meta.dirname, "../../sandbox/native/lsm/plastron-lsm.h"), "utf8");
  const numberOf = (name: string): number | undefined => {
    const defined = new RegExp(`\\b${name}\\s*=?\\s*(\\d+)u?\\b`).exec(header)?.[1];
    return defined === undefined ? undefined : Number(defined);
  };

  test.each([
    ...Object.entries(FILE).map(([name, value]) => [`FILE_${name}`, value] as const),
    ...Object.entries(PTRACE).map(([name, value]) => [`PTRACE_${name}`, value] as const),
    ...Object.entries(FLAG).map(([name, value]) => [`FLAG_${name}`, value] as const),
    ...Object.entries(MOUNT)
      .filter(([, value]) => value > 0)
      .map(([name, value]) => [`MOUNT_${name}`, value] as const),
    ...Object.entries(LIMITS).map(([name, value]) => [`MAX_${name}`, value] as const),
  ])("%s", (name, value) => {
    expect(numberOf(name.toUpperCase())).toBe(value);
  });

  test("the operations of globs", () => {
    const names = /enum \{ (GLOB_END[^}]*)\}/
      .exec(header)?.[1]
      ?.split(",")
      .map((name) => name.replace(/=.*/, "").trim().replace("GLOB_", "").toLowerCase());
    expect(names).toEqual(Object.keys(GLOB));
    expect(Object.values(GLOB)).toEqual([0, 1, 2, 3, 4, 5, 6]);
  });
});

test("an entry for each intent, and one more for every sixteen ports", () => {
  const ports = Array.from({ length: 18 }, (_, i) => [i + 1, i + 1] as const);
  const { tables, rows } = bpfLsmTables([
    orderOf(
      { kind: "file", glob: "/a", permissions: ["read"] },
      { kind: "socket", families: [2], types: [], protocols: [] },
      { kind: "connect", cidr: null, ports },
      { kind: "mount", source: "**", fstype: "proc", flags: ["new", "rec"] },
      { kind: "ptrace", permissions: ["trace"], strict: true },
    ),
  ]);
  expect(counts(tables)).toEqual([0, 1, 1, 2, 1, 1]);
  expect(tables.length).toBe(BODY + 276 + 40 + 2 * 112 + 292 + 16);
  expect(rows).toEqual([]);
});

test.each([
  ["10.1.2.3/8", "00000000000000000000ffff0a000000", "ffffffffffffffffffffffffff000000"],
  ["1.2.3.4", "00000000000000000000ffff01020304", "f".repeat(32)],
  ["2001:db8::/31", `20010db8${"0".repeat(24)}`, `fffffffe${"0".repeat(24)}`],
  ["::ffff:1.2.3.4/128", "00000000000000000000ffff01020304", "f".repeat(32)],
  ["::/0", "0".repeat(32), "0".repeat(32)],
])("%s is written as an IPv6 network", (cidr, address, mask) => {
  const bytes = Buffer.from(bpfLsmTables([orderOf({ kind: "connect", cidr, ports: [] })]).tables).subarray(BODY);
  expect(bytes.subarray(16, 32).toString("hex")).toBe(address);
  expect(bytes.subarray(32, 48).toString("hex")).toBe(mask);
});

test("a capability that one rule denies and another observes is denied", () => {
  const observed = { ...orderOf({ kind: "capability", names: ["bpf"] }), deny: false };
  const { tables } = bpfLsmTables([observed, orderOf({ kind: "capability", names: ["bpf"] })]);
  const at = 8 + 4 * 7 + 39 * 8;
  expect([Buffer.from(tables).readUInt32LE(at), Buffer.from(tables).readUInt32LE(at + 4)]).toEqual([1, 3]);
});

test("a program that may not be executed may not be copied either, unless that is only observed", () => {
  const intent: Intent = { kind: "file", glob: "/x", permissions: ["exec"] };
  const permissionsOf = (order: Order) => Buffer.from(bpfLsmTables([order]).tables).readUInt32LE(BODY + 8);
  expect(permissionsOf(orderOf(intent))).toBe(FILE.exec | FILE.copy);
  expect(permissionsOf({ ...orderOf(intent), deny: false })).toBe(FILE.exec);
});

describe("what does not fit is left out as a whole, and named", () => {
  const whole: Intent = { kind: "capability", names: ["chown"] };
  test.each<[string, Intent, string]>([
    ["a long glob", { kind: "file", glob: `/${"a".repeat(200)}`, permissions: ["read"] }, "a glob of more than 127 steps"],
    ["too many networks", { kind: "connect", cidr: null, ports: Array.from({ length: 9000 }, (_, i) => [i, i] as const) }, "more than 512 entries of connects"],
    ["an unknown capability", { kind: "capability", names: ["root"] }, 'no capability "root"'],
    ["no network", { kind: "connect", cidr: "1.2.3.400/8", ports: [] }, "is no network"],
    ["a long name of a file system", { kind: "mount", source: "**", fstype: "x".repeat(20), flags: ["new"] }, "at most 19 bytes"],
    ["a set beyond ASCII", { kind: "file", glob: "/[ä]", permissions: ["read"] }, "beyond ASCII"],
    ["a family beyond all", { kind: "socket", families: [64], types: [], protocols: [] }, "above 63"],
  ])("%s", (_, intent, why) => {
    const { tables, rows } = bpfLsmTables([orderOf(whole, intent)]);
    expect(rows).toEqual([{ rule: "rule", note: expect.stringContaining(why) }]);
    expect(counts(tables)).toEqual([0, 0, 0, 0, 0, 0]);
    expect(
      Buffer.from(tables)
        .subarray(36, 36 + 64 * 8)
        .every((byte) => byte === 0),
    ).toBe(true);
  });

  test("system calls are a row", () => {
    expect(bpfLsmTables([orderOf({ kind: "syscall", entries: [] })]).rows).toHaveLength(1);
  });
});
