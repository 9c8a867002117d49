import type { VersionScheme } from "../versions/scheme.ts";

export type EventKind = "introduced" | "fixed" | "last_affected" | "limit";
/** Events of one range of OSV, in the order of their versions. `introduced` "0" is before everything. */
export type RangeEvents = readonly (readonly [EventKind, string])[];

const RANK: Readonly<Record<EventKind, number>> = { introduced: 0, last_affected: 1, fixed: 2, limit: 3 };

/** In order, or null where a version among them is none to this ecosystem. */
export function sortEvents(events: readonly (readonly [EventKind, string])[], scheme: VersionScheme): RangeEvents | null {
  if (events.some(([kind, version]) => !isStart(kind, version) && !(kind === "limit" && version === "*") && !scheme.valid(version))) return null;
  return events.toSorted(([kindA, a], [kindB, b]) => {
    if (isStart(kindA, a) || isStart(kindB, b)) return Number(isStart(kindB, b)) - Number(isStart(kindA, a));
    if (a === "*" || b === "*") return Number(a === "*") - Number(b === "*");
    return scheme.compare(a, b) || RANK[kindA] - RANK[kindB];
  });
}

/** The algorithm of https://ossf.github.io/osv-schema/#evaluation for one range; events are in order. */
export function inRange(version: string, events: RangeEvents, scheme: VersionScheme): boolean {
  const limits = events.filter(([kind]) => kind === "limit");
  if (limits.length > 0 && !limits.some(([, limit]) => limit === "*" || scheme.compare(version, limit) < 0)) return false;
  let affected = false;
  for (const [kind, at] of events) {
    if (kind === "introduced" && (at === "0" || scheme.compare(version, at) >= 0)) affected = true;
    else if (kind === "fixed" && scheme.compare(version, at) >= 0) affected = false;
    else if (kind === "last_affected" && scheme.compare(version, at) > 0) affected = false;
  }
  return affected;
}

function isStart(kind: EventKind, version: string): boolean {
  return kind === "introduced" && version === "0";
}
