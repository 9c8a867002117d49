import semver from "semver";
import type { RangeEvents } from "../advisories/range.ts";

/** The lowest version that a range of npm takes; null for other ecosystems, tags and addresses. */
export function lowestIn(ecosystem: string, range: string): string | null {
  if (ecosystem !== "npm" || range === "" || range === "*" || range.length > 200) return null;
  try {
    return semver.minVersion(range)?.version ?? null;
  } catch {
    return null;
  }
}

/** Whether an advisory's range holds every version that a range of npm takes: also the newest that there will ever be. */
export function wholeRangeIn(ecosystem: string, range: string, events: RangeEvents): boolean {
  if (ecosystem !== "npm" || events.some(([kind]) => kind === "limit")) return false;
  const spans: string[] = [];
  let from: string | null = null;
  for (const [kind, version] of events) {
    if (kind === "introduced") from ??= version === "0" ? ">=0.0.0-0" : `>=${version}`;
    else if (from !== null) {
      spans.push(`${from} ${kind === "fixed" ? "<" : "<="}${version}`);
      from = null;
    }
  }
  if (from !== null) spans.push(from);
  try {
    return spans.length > 0 && semver.subset(range, spans.join(" || "), { includePrerelease: true });
  } catch {
    return false;
  }
}
