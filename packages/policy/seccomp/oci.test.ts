import { PlastronError } from "@plastron/contracts";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decode, execute } from "../testing/classic-bpf.ts";
import { ARCHES } from "../testing/meaning.ts";
import { assembleFilter } from "./assemble.ts";
import { readOciProfile } from "./oci.ts";
import { syscallNumbers } from "./syscalls.ts";

const ALLOWED = 0x7fff0000;
const EPERM = 0x00050001;

function answers(profile: unknown): (name: string, ...args: (number | bigint)[]) => number {
  const program = decode(assembleFilter(readOciProfile(profile), "x86_64"));
  return (name, ...args) => execute(program, { arch: ARCHES.x86_64, nr: syscallNumbers("x86_64").get(name) as number, args: args.map(BigInt) });
}

describe("an OCI profile", () => {
  test("in the shape of Docker's default allows what it lists and refuses the rest", () => {
    const ask = answers({
      defaultAction: "SCMP_ACT_ERRNO",
      defaultErrnoRet: 1,
      architectures: ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"],
      archMap: [],
      syscalls: [
        { names: ["read", "chown32", "write"], action: "SCMP_ACT_ALLOW" },
        { names: ["personality"], action: "SCMP_ACT_ALLOW", args: [{ index: 0, value: 131080, op: "SCMP_CMP_EQ" }] },
        {
          names: ["clone"],
          action: "SCMP_ACT_ALLOW",
          args: [{ index: 0, value: 2114060288, valueTwo: 0, op: "SCMP_CMP_MASKED_EQ" }],
          comment: "",
          includes: {},
          excludes: {},
        },
        { names: ["clone3"], action: "SCMP_ACT_ERRNO", errnoRet: 38 },
      ],
    });
    expect([ask("read"), ask("mount"), ask("clone3")]).toEqual([ALLOWED, EPERM, 0x00050026]);
    expect([ask("personality", 131080), ask("personality", 8)]).toEqual([ALLOWED, EPERM]);
    expect([ask("clone", 17), ask("clone", 0x10000011), ask("clone", 0x110000011n)]).toEqual([ALLOWED, EPERM, EPERM]);
  });

  test("kills other ABIs, also those that it lists", () => {
    const program = decode(assembleFilter(readOciProfile({ defaultAction: "SCMP_ACT_ALLOW", architectures: ["SCMP_ARCH_X86"] }), "x86_64"));
    expect(execute(program, { arch: 0x40000003, nr: 3, args: [] })).toBe(0x80000000);
  });

  test("means any of its conditions where one argument is named twice, and all of them otherwise", () => {
    const mode = (value: number) => ({ index: 1, value, valueTwo: value, op: "SCMP_CMP_MASKED_EQ" });
    const repeated = answers({ defaultAction: "SCMP_ACT_ALLOW", syscalls: [{ names: ["chmod"], action: "SCMP_ACT_ERRNO", args: [mode(0o100), mode(0o010)] }] });
    expect([repeated("chmod", 0, 0o100), repeated("chmod", 0, 0o010), repeated("chmod", 0, 0o600)]).toEqual([EPERM, EPERM, ALLOWED]);
    const equal = (index: number, value: number) => ({ index, value, op: "SCMP_CMP_EQ" });
    const both = answers({
      defaultAction: "SCMP_ACT_ALLOW",
      syscalls: [{ names: ["setsockopt"], action: "SCMP_ACT_ERRNO", args: [equal(1, 1), equal(2, 26)] }],
    });
    expect([
      both("setsockopt", 3, 1, 26),
      both("setsockopt", 3, 1, 25),
      both("setsockopt", 3, 6, 26),
      both("setsockopt", 3, 1n | (1n << 32n), 26n | (1n << 33n)),
    ]).toEqual([EPERM, ALLOWED, ALLOWED, EPERM]);
  });

  test("skips an entry that says what holds anyway, as runc does", () => {
    const ask = answers({
      defaultAction: "SCMP_ACT_ERRNO",
      syscalls: [
        { names: ["read"], action: "SCMP_ACT_ERRNO", errnoRet: 1 },
        { names: ["read"], action: "SCMP_ACT_ALLOW" },
      ],
    });
    expect(ask("read")).toBe(ALLOWED);
  });

  test.each([
    ["SCMP_ACT_KILL", 0],
    ["SCMP_ACT_KILL_THREAD", 0],
    ["SCMP_ACT_KILL_PROCESS", 0x80000000],
    ["SCMP_ACT_TRAP", 0x00030000],
    ["SCMP_ACT_LOG", 0x7ffc0000],
  ])("knows the action %s", (action, value) => {
    expect(answers({ defaultAction: "SCMP_ACT_ALLOW", syscalls: [{ names: ["read"], action }] })("read")).toBe(value);
  });

  test.each([
    ["EQ", [4, 5, 6], [false, true, false]],
    ["NE", [4, 5, 6], [true, false, true]],
    ["LT", [4, 5, 6], [true, false, false]],
    ["LE", [4, 5, 6], [true, true, false]],
    ["GT", [4, 5, 6], [false, false, true]],
    ["GE", [4, 5, 6], [false, true, true]],
  ])("compares 64-bit arguments with %s", (op, values, wanted) => {
    const beyond = 1n << 33n;
    const ask = answers({
      defaultAction: "SCMP_ACT_ALLOW",
      syscalls: [{ names: ["mmap"], action: "SCMP_ACT_ERRNO", args: [{ index: 1, value: String(beyond + 5n), op: `SCMP_CMP_${op}` }] }],
    });
    expect(values.map((value) => ask("mmap", 0, beyond + BigInt(value)) === EPERM)).toEqual(wanted);
  });

  test.each([
    ["not JSON", "{", "not JSON"],
    ["an unknown action", { defaultAction: "SCMP_ACT_PRAY" }, "SCMP_ACT_PRAY"],
    ["a supervisor that nobody runs", { defaultAction: "SCMP_ACT_ALLOW", syscalls: [{ names: ["read"], action: "SCMP_ACT_NOTIFY" }] }, "syscalls.0.action"],
    [
      "an unknown operator",
      { defaultAction: "SCMP_ACT_ALLOW", syscalls: [{ names: ["read"], action: "SCMP_ACT_LOG", args: [{ index: 0, value: 1, op: "=" }] }] },
      "syscalls.0.args.0.op",
    ],
    [
      "a seventh argument",
      { defaultAction: "SCMP_ACT_ALLOW", syscalls: [{ names: ["read"], action: "SCMP_ACT_LOG", args: [{ index: 6, value: 1, op: "SCMP_CMP_EQ" }] }] },
      "syscalls.0.args.0.index",
    ],
    [
      "65 bits",
      {
        defaultAction: "SCMP_ACT_ALLOW",
        syscalls: [{ names: ["read"], action: "SCMP_ACT_LOG", args: [{ index: 0, value: "18446744073709551616", op: "SCMP_CMP_EQ" }] }],
      },
      "syscalls.0.args.0.value",
    ],
  ])("with %s is refused", (_, profile, named) => {
    expect(() => readOciProfile(profile)).toThrow(PlastronError);
    expect(() => readOciProfile(profile)).toThrow(named);
  });

  test("of any JSON is read or refused, and never breaks", () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.string(), (json, text) => {
        for (const given of [json, { defaultAction: "SCMP_ACT_ALLOW", syscalls: json }, text]) {
          try {
            readOciProfile(given);
          } catch (error) {
            expect(error).toBeInstanceOf(PlastronError);
          }
        }
      }),
    );
  });
});

test.each([
  ["x86_64", { read: 0, execve: 59, clone3: 435, fchmodat2: 452, open_tree_attr: 467, file_setattr: 469, arch_prctl: 158, pkey_free: 331 }],
  ["aarch64", { read: 63, execve: 221, clone3: 435, fchmodat2: 452, open_tree_attr: 467, file_setattr: 469, newfstatat: 79, renameat: 38 }],
] as const)("the table of %s has the kernel's numbers, each once", (arch, known) => {
  const table = syscallNumbers(arch);
  expect(Object.fromEntries(Object.keys(known).map((name) => [name, table.get(name)]))).toEqual(known);
  expect(new Set(table.values()).size).toBe(table.size);
  expect(table.has("open")).toBe(arch === "x86_64");
});
