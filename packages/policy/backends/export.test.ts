import { readFileSync } from "node:fs";
import { join } from "node:path";
import { TYPICAL_HOST } from "@plastron/contracts";
import { describe, expect, test } from "vitest";
import { compilePolicy } from "../compile.ts";
import type { Order } from "../orders/order.ts";
import { parsePolicy } from "../parse/parse.ts";
import { readOciProfile } from "../seccomp/oci.ts";
import { anyBits, deny, eq } from "../seccomp/profile.ts";
import { EXPORT_KINDS, exportPolicy } from "./export.ts";
import { ociSeccomp } from "./oci-seccomp.ts";

const dify = parsePolicy(readFileSync(join(import.meta.dirname, "../../../policies/dify-sandbox.yaml"), "utf8"));
const compiled = compilePolicy(dify, { ...TYPICAL_HOST, permissive: true });
const orderOf = (...entries: Extract<Order["intents"][number], { kind: "syscall" }>["entries"]): Order => ({
  rule: "rule",
  path: "spec",
  enforcer: "Seccomp",
  deny: true,
  audit: true,
  intents: [{ kind: "syscall", entries }],
});

describe("the policy for Dify", () => {
  test.each(EXPORT_KINDS)("as %s: a file, and a row for each rule that it cannot say", (kind) => {
    const { content, file, rows } = exportPolicy(compiled, kind);
    expect(content.length).toBeGreaterThan(500);
    expect(file).toMatch(/^plastron-dify-sandbox-policy/);
    const silent = kind === "seccomp-oci" ? "disallow-mount" : "disallow-userfaultfd-creation";
    expect(rows.map(({ rule }) => rule)).toContain(silent);
  });

  test("every rule is in one of the three", () => {
    const unsaid = EXPORT_KINDS.map((kind) => new Set(exportPolicy(compiled, kind).rows.map(({ rule }) => rule)));
    const nowhere = compiled.orders.filter(({ rule, intents }) => intents.length > 0 && unsaid.every((rules) => rules.has(rule)));
    expect(nowhere.map(({ rule }) => rule)).toEqual([]);
  });

  test("the numbers in records lead back to rules", () => {
    expect(exportPolicy(compiled, "bpf-lsm").rules?.map(({ rule }) => rule)).toEqual(compiled.orders.map(({ rule }) => rule));
  });
});

describe("system calls as an OCI profile", () => {
  test("what the kernel does not read is not compared: a high bit is no way round", () => {
    const { profile } = ociSeccomp([orderOf(deny("bpf", eq(0, 5)))]);
    expect(profile.syscalls).toEqual([
      { names: ["bpf"], action: "SCMP_ACT_ERRNO", errnoRet: 1, args: [{ index: 0, value: 0xffffffff, valueTwo: 5, op: "SCMP_CMP_MASKED_EQ" }] },
    ]);
  });

  test("any of several bits is an entry for each", () => {
    const { profile } = ociSeccomp([orderOf(deny("chmod", anyBits(1, 0o111)))]);
    expect(profile.syscalls.map(({ args }) => args?.[0]?.value)).toEqual([1, 8, 64]);
  });

  test("an order that observes logs", () => {
    const { profile } = ociSeccomp([{ ...orderOf(deny("splice")), deny: false }]);
    expect(profile.syscalls).toEqual([{ names: ["splice"], action: "SCMP_ACT_LOG" }]);
  });

  test("what it cannot say is left out and named", () => {
    const { profile, rows } = ociSeccomp([orderOf(deny("bpf", { index: 0, op: "gt", value: 5n })), orderOf(deny("read", eq(2, 1), eq(2, 2)))]);
    expect(profile.syscalls).toEqual([]);
    expect(rows.map(({ note }) => note)).toEqual([expect.stringContaining("64 bits"), expect.stringContaining("any of them")]);
  });

  test("our own reader takes it", () => {
    const { profile } = ociSeccomp(compiled.orders);
    const read = readOciProfile(JSON.stringify(profile));
    expect(read.otherwise).toEqual({ action: "allow" });
    expect(read.entries.flatMap(({ names }) => names)).toEqual(expect.arrayContaining(["bpf", "setsockopt", "userfaultfd", "unshare", "fchmodat"]));
  });
});
