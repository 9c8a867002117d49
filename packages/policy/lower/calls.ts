import type { Watch } from "@plastron/contracts";
import { argumentWidth, type Width } from "../seccomp/arguments.ts";
import { normalise } from "../seccomp/assemble.ts";
import { type Condition, deciding, type Entry, entriesByName, type Profile, type Verdict } from "../seccomp/profile.ts";
import { type Arch, syscallNumbers } from "../seccomp/syscalls.ts";

type WatchedCall = Watch["calls"][number];

/**
 * What a listener must know to decide as the filter means (profile.ts): for every call that an entry reports, all entries that name
 * it. What decides comes first, the most severe before the others; then what only wants to hear of the call, with the verdict of
 * a call that nothing else speaks of. So the first that matches decides, and the first that matches with a rule is recorded.
 */
export function watchedCalls(profile: Profile, arch: Arch): WatchedCall[] {
  const entries = entriesByName(profile.entries);
  const otherwise = errnoOf(profile.otherwise);
  return [...syscallNumbers(arch)].flatMap(([name, number]) => {
    const speaking = entries.get(name) ?? [];
    if (speaking.every(({ report }) => report === undefined)) return [];
    const hearing = speaking.filter(({ verdict }) => verdict.action === "notify");
    return {
      name,
      number,
      entries: [...deciding(speaking).map((entry) => watched(name, entry, errnoOf(entry.verdict))), ...hearing.map((entry) => watched(name, entry, otherwise))],
      otherwise,
    };
  });
}

function watched(name: string, { when, report, late }: Entry, errno: number): WatchedCall["entries"][number] {
  return { ...(late ? { late } : {}), errno, rule: report ?? null, when: when.map((condition) => written(condition, argumentWidth(name, condition.index))) };
}

function written(condition: Condition, width: Width): WatchedCall["entries"][number]["when"][number] {
  const { index, op } = condition;
  switch (condition.op) {
    case "masked_eq":
      return { index, mask: String(condition.mask), op, value: String(condition.value), width };
    case "any_bits":
      return { index, mask: String(condition.mask), op, value: "0", width };
    default:
      return { index, mask: "0", op, value: String(normalise(condition.value, width)), width };
  }
}

/** 0 passes. What the filter answers itself never comes to a listener; it is written as a refusal lest it ever pass. */
function errnoOf(verdict: Verdict): number {
  switch (verdict.action) {
    case "errno":
      return verdict.errno;
    case "kill_process":
    case "kill_thread":
    case "trap":
      return 1;
    case "notify":
    case "log":
    case "allow":
      return 0;
  }
}
