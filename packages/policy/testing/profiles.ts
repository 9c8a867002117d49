import fc from "fast-check";
import type { Condition, Entry, Profile, Verdict } from "../seccomp/profile.ts";
import { type Arch, syscallNumbers } from "../seccomp/syscalls.ts";
import type { Call } from "./classic-bpf.ts";
import { ARCHES } from "./meaning.ts";

/** Random profiles and calls, near where comparisons go wrong. */

export const NAMES = ["read", "bpf", "setsockopt", "clone", "fchmod", "mmap", "personality", "ioctl", "open", "fchmodat2", "socket", "openat", "memfd_create"];

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
const entry: fc.Arbitrary<Entry> = fc
  .record({
    names: fc.subarray(NAMES, { minLength: 1 }),
    verdict,
    when: fc.array(condition, { maxLength: 3 }),
    report: fc.option(fc.nat(20), { nil: undefined }),
    observes: fc.boolean(),
  })
  .map(({ report, observes, verdict: said, ...rest }) =>
    report === undefined ? { ...rest, verdict: said } : { ...rest, report, verdict: observes ? { action: "notify" } : said },
  );

export const profile: fc.Arbitrary<Profile> = fc.record({
  otherwise: verdict,
  unknown: verdict,
  entries: fc.array(entry, { maxLength: 12 }),
  brokered: fc.subarray(NAMES, { maxLength: 4 }),
});

const numbers = (arch: Arch) => fc.constantFrom(...NAMES.flatMap((name) => syscallNumbers(arch).get(name) ?? []));

export const calls = (arch: Arch, interesting: bigint[]): fc.Arbitrary<Call> =>
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

export const valuesOf = (from: Profile): bigint[] =>
  from.entries
    .flatMap(({ when }) => when.flatMap((each) => ("value" in each ? [each.value, each.value + 1n, each.value | (1n << 40n)] : [each.mask])))
    .map((value) => BigInt.asUintN(64, value));

/** A profile with calls that come near its conditions. */
export const tried = (arch: Arch): fc.Arbitrary<[Profile, Call[]]> =>
  profile.chain((of) => fc.tuple(fc.constant(of), fc.array(calls(arch, valuesOf(of)), { minLength: 20, maxLength: 40 })));
