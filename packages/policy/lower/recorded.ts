import { type Entry, NOTIFY } from "../seccomp/profile.ts";

/**
 * What the launcher itself calls between loading the filter and handing its listener over: asked about one of these it would
 * wait for an answer from whom it has not told yet. They are refused in silence where a rule denies them.
 */
export const UNWATCHABLE: ReadonlySet<string> = new Set(["sendmsg", "close", "write"]);

/** The entry as one that is heard of. What cannot be handed over stays a silent refusal. */
export function recorded(entry: Entry, deny: boolean, report: number): Entry[] {
  const heard = entry.names.filter((name) => !UNWATCHABLE.has(name));
  const silent = entry.names.filter((name) => UNWATCHABLE.has(name));
  return [
    ...(heard.length > 0 ? [{ ...entry, names: heard, verdict: deny ? entry.verdict : NOTIFY, report }] : []),
    ...(deny && silent.length > 0 ? [{ ...entry, names: silent }] : []),
  ];
}
