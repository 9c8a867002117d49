import type { Denial } from "@plastron/contracts";
import { argumentWidth } from "../seccomp/arguments.ts";
import { type Condition, deciding, type Entry, ERRNO, entriesByName, type Profile } from "../seccomp/profile.ts";
import type { Call } from "./call.ts";

/** Whether this filter, by itself, answers the call with the error that it got. The kernel's own reasons come after the filter. */
export function filterDenies(profile: Profile): (call: Call) => boolean {
  const entries = entriesByName(profile.entries);
  return ({ denial, words }) => {
    const speaking = (entries.get(denial.call) ?? []).filter((entry) => matches(entry, denial.call, words));
    const verdict = deciding(speaking)[0]?.verdict ?? profile.otherwise;
    return verdict.action === "errno" && verdict.errno === numberOf(denial.errno);
  };
}

/** Whether one of these refusals is about the call. */
export function refuses(entries: readonly Entry[], { denial, words }: Call): boolean {
  return entries.some(
    (entry) =>
      entry.verdict.action === "errno" &&
      entry.verdict.errno === numberOf(denial.errno) &&
      entry.names.includes(denial.call) &&
      matches(entry, denial.call, words),
  );
}

/** Whether a call is one that these entries name, whatever they answer. */
export function speaksOf(entries: readonly Entry[], { denial, words }: Call): boolean {
  return entries.some((entry) => entry.names.includes(denial.call) && matches(entry, denial.call, words));
}

const EROFS = 30;

function numberOf(errno: Denial["errno"]): number {
  return errno === "EROFS" ? EROFS : ERRNO[errno];
}

function matches({ when }: Entry, name: string, words: readonly bigint[]): boolean {
  return when.every((condition) => {
    const width = argumentWidth(name, condition.index);
    return holds(condition, BigInt.asUintN(width, words[condition.index] ?? 0n), width);
  });
}

/** As native code compares (seccomp/assemble.ts): a negative constant is one of the argument's width. */
function holds(condition: Condition, argument: bigint, width: number): boolean {
  if (condition.op === "any_bits") return (argument & condition.mask) !== 0n;
  if (condition.op === "masked_eq") return (argument & condition.mask) === condition.value;
  const signed = BigInt.asIntN(64, condition.value);
  const value = signed < 0n && signed >= -(1n << BigInt(width - 1)) ? BigInt.asUintN(width, signed) : condition.value;
  switch (condition.op) {
    case "eq":
      return argument === value;
    case "ne":
      return argument !== value;
    case "lt":
      return argument < value;
    case "le":
      return argument <= value;
    case "gt":
      return argument > value;
    case "ge":
      return argument >= value;
  }
}
