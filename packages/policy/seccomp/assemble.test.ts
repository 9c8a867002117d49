import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { complaints, decode, execute } from "../testing/classic-bpf.ts";
import { ARCHES, meaning, returned } from "../testing/meaning.ts";
import { calls, NAMES, tried, valuesOf } from "../testing/profiles.ts";
import { assembleFilter } from "./assemble.ts";
import { floorProfile } from "./floor.ts";
import { allow, deny, type Entry, eq, errno, KILL, type Profile } from "./profile.ts";
import { type Arch, syscallNumbers } from "./syscalls.ts";

const LINUX: Arch[] = ["x86_64", "aarch64"];
describe.each(LINUX)("a filter for %s", (arch) => {
  test("answers as the profile means, for any profile and any call", () => {
    fc.assert(
      fc.property(tried(arch), ([of, made]) => {
        const program = decode(assembleFilter(of, arch));
        expect(complaints(program)).toEqual([]);
        for (const call of made) expect(execute(program, call)).toBe(returned(meaning(of, arch, call)));
      }),
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
