import type { Denial } from "@plastron/contracts";
import { matches } from "../seccomp/matches.ts";
import { deciding, type Entry, ERRNO, entriesByName, type Profile } from "../seccomp/profile.ts";
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
