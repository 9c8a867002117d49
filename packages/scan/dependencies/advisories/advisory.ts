import type { Severity } from "@plastron/contracts";
import { ecosystemOf } from "../versions/ecosystems.ts";
import { inRange, type RangeEvents } from "./range.ts";

/** What one advisory says of one package: a line of the index. Keys are short because there are hundreds of thousands of them. */
export interface Advisory {
  readonly id: string;
  /** Other names of the same weakness. */
  readonly alias: readonly string[];
  readonly summary: string;
  /** The package itself is an attack: OSV's MAL-. */
  readonly malicious?: true;
  /** CVSS vectors as published. */
  readonly cvss?: readonly string[];
  /** In words, where the source says it so. */
  readonly severity?: Severity;
  readonly cwe?: readonly number[];
  readonly ranges: readonly RangeEvents[];
  /** Affected ones that no range covers. */
  readonly versions?: readonly string[];
  /** Affected functions, as dotted paths below the package: `template`. Empty: not known. */
  readonly functions?: readonly string[];
  readonly references?: readonly string[];
  readonly modified?: string;
}

/** Whether this exact version is affected. Null: the version has no order in its ecosystem, and no list names it. */
export function isAffected(advisory: Advisory, ecosystem: string, version: string): boolean | null {
  const scheme = ecosystemOf(ecosystem)?.scheme;
  const listed = advisory.versions ?? [];
  if (listed.includes(version)) return true;
  if (scheme === undefined || !scheme.valid(version))
    return advisory.ranges.some(coversAll) ? true : advisory.ranges.length === 0 && listed.length > 0 ? false : null;
  if (listed.some((each) => scheme.valid(each) && scheme.compare(each, version) === 0)) return true;
  return advisory.ranges.some((events) => inRange(version, events, scheme));
}

/** "Every version there is": how malicious packages are listed. */
export function coversAll(events: RangeEvents): boolean {
  return events.length === 1 && events[0]?.[0] === "introduced" && events[0][1] === "0";
}

/** Versions that end a range of this advisory above `version`, lowest first. */
export function fixesAbove(advisory: Advisory, ecosystem: string, version: string): string[] {
  const scheme = ecosystemOf(ecosystem)?.scheme;
  if (scheme === undefined) return [];
  const ends = advisory.ranges.flatMap((events) => events.filter(([kind]) => kind === "fixed").map(([, at]) => at));
  const above = scheme.valid(version) ? ends.filter((end) => scheme.compare(end, version) > 0) : ends;
  return [...new Set(above)].sort((a, b) => scheme.compare(a, b));
}
