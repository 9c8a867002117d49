import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Call } from "../testing/classic-bpf.ts";
import { ARCHES, decision, matchingEntries } from "../testing/meaning.ts";
import { calls, profile, valuesOf } from "../testing/profiles.ts";
import { floorProfile } from "./floor.ts";
import { intersection } from "./intersection.ts";
import { ALLOW, allow, errno, KILL, type Profile, type Verdict } from "./profile.ts";
import { RUNTIME_DEFAULT } from "./runtime-default.ts";
import { isSyscallName, syscallNumbers } from "./syscalls.ts";

const decided = (of: Profile, call: Call): Verdict => decision(matchingEntries(of, "x86_64", call)) ?? of.otherwise;
const passes = ({ action }: Verdict) => action === "allow" || action === "log";
const of = (otherwise: Verdict, ...entries: Profile["entries"]): Profile => ({ otherwise, unknown: errno("ENOSYS"), entries });
const callOf = (name: string): Call => ({ arch: ARCHES.x86_64, nr: syscallNumbers("x86_64").get(name) as number, args: Array(6).fill(0n) });

describe("what two profiles allow together", () => {
  test("is what both allow, for any two and any call", () => {
    const made = fc
      .tuple(profile, profile)
      .chain(([a, b]) =>
        fc.tuple(fc.constant(a), fc.constant(b), fc.array(calls("x86_64", [...valuesOf(a), ...valuesOf(b)]), { minLength: 20, maxLength: 30 })),
      );
    fc.assert(
      fc.property(made, ([a, b, tried]) => {
        const both = intersection(a, b);
        for (const call of tried.filter(({ arch, nr }) => arch === ARCHES.x86_64 && [...syscallNumbers("x86_64").values()].includes(nr))) {
          expect(passes(decided(both, call))).toBe(passes(decided(a, call)) && passes(decided(b, call)));
        }
      }),
      { numRuns: 300 },
    );
  });

  test("answers as whoever refuses", () => {
    const strict = of(KILL, allow("read"));
    const mild = of(errno("EPERM"), allow("read write"));
    expect(decided(intersection(strict, mild), callOf("write"))).toEqual(KILL);
    expect(decided(intersection(of(KILL, allow("read write")), of(errno("EPERM"), allow("read"))), callOf("write"))).toEqual(errno("EPERM"));
    expect(decided(intersection(of(ALLOW), mild), callOf("write"))).toEqual(ALLOW);
  });
});

describe("the container runtimes' list", () => {
  test("names calls that exist, each once", () => {
    const names = RUNTIME_DEFAULT.entries.filter(({ when }) => when.length === 0).flatMap((entry) => entry.names);
    expect(names.filter((name) => !isSyscallName(name) && !["get_thread_area", "set_thread_area", "uretprobe"].includes(name))).toEqual([]);
    expect(new Set(names).size).toBe(names.length);
  });

  test("takes from the floor what no honest program misses", () => {
    const [floor, both] = [floorProfile(), intersection(floorProfile(), RUNTIME_DEFAULT)];
    const lost = [...syscallNumbers("x86_64").keys()].filter((name) => passes(decided(floor, callOf(name))) && !passes(decided(both, callOf(name))));
    expect(lost).toEqual(["get_mempolicy"]);
  });
});
