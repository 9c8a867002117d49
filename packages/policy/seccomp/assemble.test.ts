import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Call, complaints, decode, execute } from "../testing/classic-bpf.ts";
import { ARCHES, meaning, returned } from "../testing/meaning.ts";
import { assembleFilter } from "./assemble.ts";
import { floorProfile } from "./floor.ts";
import { allow, type Condition, deny, type Entry, eq, errno, KILL, type Profile, type Verdict } from "./profile.ts";
import { type Arch, syscallNumbers } from "./syscalls.ts";

const LINUX: Arch[] = ["x86_64", "aarch64"];
const NAMES = ["read", "bpf", "setsockopt", "clone", "fchmod", "mmap", "personality", "ioctl", "open", "fchmodat2", "socket", "openat", "memfd_create"];

/** Values where comparisons go wrong: around the widths of arguments. */
const word = fc.oneof(
  fc.constantFrom(
    0n,
    1n,
    0xffffn,
    0x10000n,
    0x7fffffffn,
    0x80000000n,
    0xffffffffn,
    0x100000000n,
    0x100000001n,
    (1n << 64n) - 1n,
    (1n << 64n) - 2n,
    (1n << 63n) | 5n,
  ),
  fc.bigInt({ min: 0n, max: 8n }),
  fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
);
const index = fc.constantFrom(0, 1, 2, 3, 4, 5) as fc.Arbitrary<Condition["index"]>;
const condition: fc.Arbitrary<Condition> = fc.oneof(
  fc.record({ index, op: fc.constantFrom("eq", "ne", "lt", "le", "gt", "ge"), value: word }),
  fc.record({ index, op: fc.constant("masked_eq" as const), mask: word, value: word }),
  fc.tuple(index, word, word).map(([at, mask, value]) => ({ index: at, op: "masked_eq" as const, mask, value: value & mask })),
  fc.record({ index, op: fc.constant("any_bits" as const), mask: word }),
);
const verdict: fc.Arbitrary<Verdict> = fc.oneof(
  fc.constantFrom<Verdict["action"]>("kill_process", "kill_thread", "trap", "log", "allow").map((action) => ({ action }) as Verdict),
  fc.nat(4095).map((number) => ({ action: "errno" as const, errno: number })),
);
const entry: fc.Arbitrary<Entry> = fc.record({ names: fc.subarray(NAMES, { minLength: 1 }), verdict, when: fc.array(condition, { maxLength: 3 }) });
const profile: fc.Arbitrary<Profile> = fc.record({ otherwise: verdict, unknown: verdict, entries: fc.array(entry, { maxLength: 12 }) });
const numbers = (arch: Arch) => fc.constantFrom(...NAMES.flatMap((name) => syscallNumbers(arch).get(name) ?? []));
const calls = (arch: Arch, interesting: bigint[]): fc.Arbitrary<Call> =>
  fc.record({
    arch: fc.oneof(
      { weight: 19, arbitrary: fc.constant(ARCHES[arch]) },
      { weight: 1, arbitrary: fc.constantFrom(0x40000003, 0xc00000b7, 0xc000003e, 0x40000028) },
    ),
    nr: fc.oneof(
      { weight: 5, arbitrary: numbers(arch) },
      fc.nat(480),
      fc.integer({ min: 0, max: 0xffffffff }),
      fc.constantFrom(0x40000000, 0x40000001, 0x80000000, 0xc0000001, 0xffffffff),
    ),
    args: fc.array(fc.oneof(word, fc.constantFrom(0n, ...interesting)), { minLength: 6, maxLength: 6 }),
  });
const valuesOf = (from: Profile): bigint[] =>
  from.entries
    .flatMap(({ when }) => when.flatMap((each) => ("value" in each ? [each.value, each.value + 1n, each.value | (1n << 40n)] : [each.mask])))
    .map((value) => BigInt.asUintN(64, value));

describe.each(LINUX)("a filter for %s", (arch) => {
  test("answers as the profile means, for any profile and any call", () => {
    fc.assert(
      fc.property(
        profile.chain((of) => fc.tuple(fc.constant(of), fc.array(calls(arch, valuesOf(of)), { minLength: 20, maxLength: 40 }))),
        ([of, tried]) => {
          const program = decode(assembleFilter(of, arch));
          expect(complaints(program)).toEqual([]);
          for (const call of tried) expect(execute(program, call)).toBe(returned(meaning(of, arch, call)));
        },
      ),
      { numRuns: 300 },
    );
  });

  test("of the floor answers as the floor means, for calls near its conditions", () => {
    const floor = floorProfile([deny("setsockopt", eq(1, 1), eq(2, 26))]);
    const program = decode(assembleFilter(floor, arch));
    const near = calls(arch, valuesOf(floor));
    fc.assert(
      fc.property(near, (call) => {
        expect(execute(program, call)).toBe(returned(meaning(floor, arch, call)));
      }),
      { numRuns: 5_000 },
    );
    for (const nr of syscallNumbers(arch).values()) {
      const call = { arch: ARCHES[arch], nr, args: [0n, 0n, 0n, 0n, 0n, 0n] };
      expect(execute(program, call)).toBe(returned(meaning(floor, arch, call)));
    }
  });

  test("kills every other ABI, whatever the number", () => {
    const program = decode(assembleFilter({ otherwise: { action: "allow" }, unknown: { action: "allow" }, entries: [] }, arch));
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 0xffffffff }), fc.nat(500), (other, nr) => {
        fc.pre(other !== ARCHES[arch]);
        expect(execute(program, { arch: other, nr, args: [] })).toBe(0x80000000);
      }),
    );
    expect(execute(program, { arch: ARCHES[arch], nr: 1, args: [] })).toBe(0x7fff0000);
  });

  test("with jumps of more than 255 instructions still answers right", () => {
    // Each call gets its own long chain, so that none of it is shared and targets lie far apart.
    const entries = NAMES.flatMap((name, n) =>
      Array.from({ length: 40 }, (_, i): Entry => ({ names: [name], verdict: { action: "errno", errno: 100 + i }, when: [eq(0, n * 1000 + i), eq(1, i)] })),
    );
    const long: Profile = { otherwise: errno("EPERM"), unknown: errno("ENOSYS"), entries };
    const program = decode(assembleFilter(long, arch));
    expect(program.length).toBeGreaterThan(2000);
    expect(program.some(({ code }) => code === 0x05)).toBe(true);
    expect(complaints(program)).toEqual([]);
    for (const [n, name] of NAMES.entries()) {
      const nr = syscallNumbers(arch).get(name);
      if (nr === undefined) continue;
      for (const i of [0, 1, 30, 39]) {
        const call = { arch: ARCHES[arch], nr, args: [BigInt(n * 1000 + i), BigInt(i), 0n, 0n, 0n, 0n] };
        expect(execute(program, call)).toBe(0x00050000 + 100 + i);
        expect(execute(program, { ...call, args: [BigInt(n * 1000 + i), BigInt(i + 1), 0n, 0n, 0n, 0n] })).toBe(0x00050001);
      }
    }
  });

  test("is refused over the kernel's 4096 instructions", () => {
    const entries = Array.from({ length: 1500 }, (_, i) => allow("mmap", eq(0, 2 * i), eq(1, i)));
    expect(() => assembleFilter({ otherwise: KILL, unknown: KILL, entries }, arch)).toThrow(RangeError);
  });
});

test("the filter of the floor is short enough to be walked at each call", () => {
  expect(decode(assembleFilter(floorProfile(), "x86_64")).length).toBeLessThan(350);
  expect(decode(assembleFilter(floorProfile(), "aarch64")).length).toBeLessThan(350);
});
