import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { assembleFilter } from "../seccomp/assemble.ts";
import { ALLOW, deny, type Entry, eq, errno, KILL, NOTIFY, type Profile } from "../seccomp/profile.ts";
import { type Arch, syscallNumbers } from "../seccomp/syscalls.ts";
import { decode, execute } from "../testing/classic-bpf.ts";
import { ARCHES, decision, matchingEntries } from "../testing/meaning.ts";
import { notified } from "../testing/notifier.ts";
import { tried } from "../testing/profiles.ts";
import { watchedCalls } from "./calls.ts";

const HANDED_OVER = 0x7fc00000;

describe.each<Arch>(["x86_64", "aarch64"])("what is handed over on %s", (arch) => {
  test("is decided by the listener as the profile means, and recorded for a rule that matches, for any profile and any call", () => {
    fc.assert(
      fc.property(tried(arch), ([profile, calls]) => {
        const program = decode(assembleFilter(profile, arch));
        const known = new Map(watchedCalls(profile, arch).map((call) => [call.number, call]));
        for (const call of calls) {
          if (execute(program, call) !== HANDED_OVER) continue;
          const matching = matchingEntries(profile, arch, call);
          const decided = decision(matching) ?? profile.otherwise;
          const rules = matching.flatMap(({ report }) => report ?? []);
          const watched = known.get(call.nr);
          if (!watched) {
            // Handed over for its path alone: then nothing else would have stopped it.
            expect(["allow", "log"]).toContain(decided.action);
            expect(rules).toEqual([]);
            continue;
          }
          const { errno: answer, rule } = notified(watched, call.args);
          expect(answer).toBe(decided.action === "errno" ? decided.errno : 0);
          if (rules.length === 0) expect(rule).toBeNull();
          else expect(rules).toContain(rule);
        }
      }),
      { numRuns: 400 },
    );
  });
});

const CALL = { arch: ARCHES.x86_64, nr: syscallNumbers("x86_64").get("bpf") as number };
const of = (...entries: Entry[]): Profile => ({ otherwise: ALLOW, unknown: errno("ENOSYS"), entries });
const answer = (profile: Profile, command: number) =>
  execute(decode(assembleFilter(profile, "x86_64")), { ...CALL, args: [BigInt(command), 0n, 0n, 0n, 0n, 0n] });

describe("a record", () => {
  const heard: Entry = { ...deny("bpf", eq(0, 5)), report: 3 };

  test("is made of a denial that somebody asked to hear of, and of no other", () => {
    expect([answer(of(heard), 5), answer(of(heard), 4), answer(of(deny("bpf", eq(0, 5))), 5)]).toEqual([HANDED_OVER, 0x7fff0000, 0x00050001]);
  });

  test("is made too where a silent denial matches the same call", () => {
    const both = of(deny("bpf"), heard);
    expect([answer(both, 5), answer(both, 4)]).toEqual([HANDED_OVER, 0x00050001]);
    const [call] = watchedCalls(both, "x86_64");
    expect(call && notified(call, [5n])).toEqual({ errno: 1, rule: 3 });
  });

  test("never keeps a call from ending the process", () => {
    expect(answer(of(heard, { names: ["bpf"], verdict: KILL, when: [] }), 5)).toBe(0x80000000);
  });

  test("of a call that passes lets nothing pass that was not allowed", () => {
    const observer: Entry = { names: ["bpf"], verdict: NOTIFY, when: [], report: 0 };
    const closed: Profile = { ...of(observer), otherwise: errno("EPERM") };
    for (const [profile, expected] of [
      [of(observer), 0],
      [closed, 1],
    ] as const) {
      expect(answer(profile, 5)).toBe(HANDED_OVER);
      const [call] = watchedCalls(profile, "x86_64");
      expect(call && notified(call, [5n])).toEqual({ errno: expected, rule: 0 });
    }
  });

  test("is not made of a call that the filter answers with success: a listener could only let it run", () => {
    const done: Entry = { names: ["bpf"], verdict: { action: "errno", errno: 0 }, when: [] };
    expect(answer(of(done, { names: ["bpf"], verdict: NOTIFY, when: [], report: 0 }), 5)).toBe(0x00050000);
  });
});

test("a call that is carried out by its path is handed over wherever it would pass, and stays refused where it is", () => {
  const profile: Profile = { ...of(deny("bpf", eq(0, 5))), brokered: ["bpf"] };
  expect([answer(profile, 4), answer(profile, 5)]).toEqual([HANDED_OVER, 0x00050001]);
});
