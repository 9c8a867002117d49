import type { Severity } from "@plastron/contracts";
import { isObject, list, object, text } from "../readers/json.ts";
import { ecosystemOf } from "../versions/ecosystems.ts";
import type { Advisory } from "./advisory.ts";
import { type EventKind, inRange, type RangeEvents, sortEvents } from "./range.ts";

/** What became of one document. */
export type Parsed =
  | { readonly kind: "withdrawn" }
  | { readonly kind: "refused"; readonly reason: string }
  | { readonly kind: "entries"; readonly entries: readonly Entry[] };

export interface Entry {
  readonly ecosystem: string;
  readonly name: string;
  readonly advisory: Advisory;
}

const SEVERITY_WORDS: ReadonlyMap<string, Severity> = new Map([
  ["CRITICAL", "critical"],
  ["HIGH", "high"],
  ["MODERATE", "medium"],
  ["MEDIUM", "medium"],
  ["LOW", "low"],
]);

/**
 * One document of https://ossf.github.io/osv-schema/ as lines of the index, one for each package that it names. A withdrawn one says
 * nothing. Ranges of commits (GIT) are passed over: nothing here knows a package by its commit.
 */
export function parseOsv(document: unknown): Parsed {
  const id = text(document, "id");
  if (!/^[A-Za-z0-9][\w.:-]{2,99}$/.test(id)) return { kind: "refused", reason: "no_id" };
  if (text(document, "withdrawn") !== "") return { kind: "withdrawn" };
  const shared = sharedOf(document, id);
  const byPackage = new Map<string, { ecosystem: string; name: string; affected: unknown[] }>();
  for (const affected of list(document, "affected")) {
    const ecosystem = text(object(affected, "package"), "ecosystem").split(":", 1)[0] as string;
    const name = text(object(affected, "package"), "name");
    if (ecosystem === "" || name === "" || name.length > 500) continue;
    const known = ecosystemOf(ecosystem);
    const key = known?.name(name) ?? name;
    const place = `${ecosystem}\0${key}`;
    const before = byPackage.get(place);
    if (before) before.affected.push(affected);
    else byPackage.set(place, { ecosystem, name: key, affected: [affected] });
  }
  const entries: Entry[] = [];
  for (const { ecosystem, name, affected } of byPackage.values()) {
    if (ecosystemOf(ecosystem) === undefined) continue;
    const advisory = ofPackage(shared, ecosystem, affected);
    if (advisory !== null) entries.push({ ecosystem, name, advisory });
  }
  return entries.length > 0 ? { kind: "entries", entries } : { kind: "refused", reason: byPackage.size === 0 ? "no_package" : "not_supported" };
}

type Shared = Omit<Advisory, "ranges" | "versions" | "functions">;

function sharedOf(document: unknown, id: string): Shared {
  const database = object(document, "database_specific");
  const severity = SEVERITY_WORDS.get(text(database, "severity").toUpperCase());
  const cvss = vectors(list(document, "severity"));
  const cwe = [...list(database, "cwe_ids"), ...list(database, "cwes")].flatMap(
    (each) => /^CWE-(\d{1,6})$/.exec(typeof each === "string" ? each : text(each, "cweId"))?.[1] ?? [],
  );
  const summary = (text(document, "summary") || (text(document, "details").split("\n", 1)[0] as string)).slice(0, 300);
  const references = list(document, "references")
    .map((each) => text(each, "url"))
    .filter((url) => /^https?:\/\/\S{1,400}$/.test(url))
    .slice(0, 4);
  const modified = text(document, "modified").slice(0, 40);
  return {
    ...{ id, alias: strings(list(document, "aliases"), 100).slice(0, 20), summary },
    ...(isMalicious(document, id, cwe) ? { malicious: true as const } : {}),
    ...(cvss.length > 0 ? { cvss } : {}),
    ...(severity === undefined ? {} : { severity }),
    ...(cwe.length > 0 ? { cwe: [...new Set(cwe.map(Number))] } : {}),
    ...(references.length > 0 ? { references } : {}),
    ...(modified === "" ? {} : { modified }),
  };
}

/** OSV says it in the id; GitHub's malware has CWE-506 and nothing else for what the package is. */
function isMalicious(document: unknown, id: string, cwe: readonly string[]): boolean {
  const aliases = list(document, "aliases");
  return (
    id.startsWith("MAL-") || aliases.some((alias) => typeof alias === "string" && alias.startsWith("MAL-")) || (id.startsWith("GHSA-") && cwe.includes("506"))
  );
}

function ofPackage(shared: Shared, ecosystem: string, affected: readonly unknown[]): Advisory | null {
  const scheme = ecosystemOf(ecosystem)?.scheme;
  if (scheme === undefined) return null;
  const ranges = affected.flatMap((each) => list(each, "ranges").flatMap((range) => eventsOf(range, (events) => sortEvents(events, scheme))));
  const named = [...new Set(affected.flatMap((each) => strings(list(each, "versions"), 200)))];
  const versions = named.filter((version) => !scheme.valid(version) || !ranges.some((events) => inRange(version, events, scheme)));
  if (ranges.length === 0 && versions.length === 0) return null;
  const functions = [...new Set(affected.flatMap(functionsOf))].slice(0, 50);
  const own = affected.length > 0 ? vectors(affected.flatMap((each) => list(each, "severity"))) : [];
  return {
    ...shared,
    ...(own.length > 0 ? { cvss: own } : {}),
    ranges,
    ...(versions.length > 0 ? { versions } : {}),
    ...(functions.length > 0 ? { functions } : {}),
  };
}

function eventsOf(range: unknown, sorted: (events: [EventKind, string][]) => RangeEvents | null): RangeEvents[] {
  if (text(range, "type") === "GIT") return [];
  const events: [EventKind, string][] = [];
  for (const event of list(range, "events")) {
    for (const kind of ["introduced", "fixed", "last_affected", "limit"] as const) {
      if (isObject(event) && Object.hasOwn(event, kind)) events.push([kind, text(event, kind)]);
    }
  }
  const last = /^<=?\s*(\S{1,100})$/.exec(text(object(range, "database_specific"), "last_known_affected_version_range"));
  // GitHub's way to say where a range without a fix ends.
  if (last?.[1] && !events.some(([kind]) => kind !== "introduced")) events.push([last[0].startsWith("<=") ? "last_affected" : "fixed", last[1]]);
  if (!events.some(([kind]) => kind === "introduced")) return [];
  const ordered = sorted(events);
  return ordered === null ? [] : [ordered];
}

/** Go's symbols, RustSec's functions, and ours. */
function functionsOf(affected: unknown): string[] {
  const specific = object(affected, "ecosystem_specific");
  const go = list(specific, "imports").flatMap((each) => strings(list(each, "symbols"), 200));
  const rust = object(specific, "affects");
  return [...go, ...strings(list(rust, "functions"), 200), ...strings(list(specific, "affected_functions"), 200), ...strings(list(specific, "functions"), 200)];
}

function vectors(severities: readonly unknown[]): string[] {
  return severities.map((each) => text(each, "score")).filter((score) => /^CVSS:[34]\.\d\/[A-Za-z:/]{10,200}$/.test(score));
}

function strings(values: readonly unknown[], longest: number): string[] {
  return values.filter((value): value is string => typeof value === "string" && value !== "" && value.length <= longest);
}
