import type { Severity } from "@plastron/contracts";
import { type Cvss, decisive, scoreVector, severityOfScore } from "../../findings/cvss.ts";
import { ecosystemOf } from "../versions/ecosystems.ts";
import { type Advisory, fixesAbove, isAffected } from "./advisory.ts";
import type { AdvisoryIndex } from "./open.ts";

/** One weakness of one exact package, out of all the advisories that tell of it. */
export interface Hit {
  /** The one whose words are used. */
  readonly advisory: Advisory;
  /** All names, the one that lasts first: CVE, then GHSA, then the rest. */
  readonly ids: readonly string[];
  readonly severity: Severity;
  readonly cvss: readonly Cvss[];
  readonly cwe: readonly number[];
  readonly references: readonly string[];
  readonly functions: readonly string[];
  /** Ends of this weakness above the version, lowest first. */
  readonly fixed: readonly string[];
  /** Another source under the same name says that this version is not affected. */
  readonly disputed: boolean;
  readonly kev: boolean;
  readonly epss: number | null;
}

export interface PackageHits {
  readonly hits: readonly Hit[];
  /** The lowest version above this one that no advisory of the index is about; null where there is none. */
  readonly clear: string | null;
  /** Advisories that could not be compared with this version. */
  readonly unordered: number;
}

/** What the index says of this exact version. Throws IndexDamaged. */
export function hitsOf(index: AdvisoryIndex, ecosystem: string, name: string, version: string): PackageHits {
  const known = index.find(ecosystem, ecosystemOf(ecosystem)?.name(name) ?? name);
  if (known.length === 0) return { hits: [], clear: null, unordered: 0 };
  const told = known.map((advisory) => ({ advisory, affected: isAffected(advisory, ecosystem, version) }));
  const groups = sameWeakness(told.filter(({ affected }) => affected === true).map(({ advisory }) => advisory));
  const denied = told.filter(({ affected }) => affected === false).map(({ advisory }) => advisory);
  const hits = groups.map((group) => hitOf(index, group, denied, ecosystem, version));
  return { hits, clear: hits.length === 0 ? null : lowestClear(known, ecosystem, version), unordered: told.filter(({ affected }) => affected === null).length };
}

/** Advisories that share a name are one weakness, whoever published them. */
export function sameWeakness(advisories: readonly Advisory[]): Advisory[][] {
  const groups: { names: Set<string>; members: Advisory[] }[] = [];
  for (const advisory of advisories) {
    const names = [advisory.id, ...advisory.alias];
    const touching = groups.filter((group) => names.some((name) => group.names.has(name)));
    const joined = {
      names: new Set([...touching.flatMap((group) => [...group.names]), ...names]),
      members: [...touching.flatMap((group) => group.members), advisory],
    };
    for (const group of touching) groups.splice(groups.indexOf(group), 1);
    groups.push(joined);
  }
  return groups.map(({ members }) => members);
}

const LASTING = ["MAL-", "CVE-", "GHSA-"];

function hitOf(index: AdvisoryIndex, group: readonly Advisory[], denied: readonly Advisory[], ecosystem: string, version: string): Hit {
  const rank = (id: string) => (LASTING.findIndex((prefix) => id.startsWith(prefix)) + LASTING.length + 1) % (LASTING.length + 1);
  const byRank = (a: string, b: string) => rank(a) - rank(b) || (a < b ? -1 : 1);
  const members = group.toSorted((a, b) => byRank(a.id, b.id));
  const ids = [...new Set(members.flatMap(({ id, alias }) => [id, ...alias]))].sort(byRank);
  const cvss = scored(members.flatMap((each) => each.cvss ?? []));
  const advisory = members.find((each) => each.malicious) ?? (members[0] as Advisory);
  const known = ids.filter((id) => id.startsWith("CVE-")).flatMap((cve) => index.exploitation(cve) ?? []);
  const epss = known.flatMap((each) => each.epss ?? []);
  const fixes = members.map((each) => fixesAbove(each, ecosystem, version));
  return {
    ...{ advisory, ids, cvss, severity: severityOf(members, cvss) },
    cwe: [...new Set(members.flatMap((each) => each.cwe ?? []))],
    references: [...new Set(members.flatMap((each) => each.references ?? []))].slice(0, 6),
    functions: [...new Set(members.flatMap((each) => each.functions ?? []))],
    fixed: fixes.find((each) => each.length > 0) ?? [],
    disputed: denied.some((each) => [each.id, ...each.alias].some((name) => ids.includes(name))),
    kev: known.some(({ kev }) => kev),
    epss: epss.length > 0 ? Math.max(...epss) : null,
  };
}

function severityOf(members: readonly Advisory[], cvss: readonly Cvss[]): Severity {
  if (members.some(({ malicious }) => malicious)) return "critical";
  const best = decisive(cvss);
  return best === null ? (members.find(({ severity }) => severity !== undefined)?.severity ?? "medium") : severityOfScore(best.score);
}

/** CVSS 3.0 is told as 3.1: the base metrics are the same, and scores differ in rounding alone. */
function scored(vectors: readonly string[]): Cvss[] {
  return [...new Set(vectors.map((vector) => vector.replace(/^CVSS:3\.0\//, "CVSS:3.1/")))].flatMap((vector) => scoreOnce(vector) ?? []);
}

/** Few vectors are many advisories', and scoring one costs as much as everything else about a hit. */
const scores = new Map<string, Cvss | null>();

function scoreOnce(vector: string): Cvss | null {
  const before = scores.get(vector);
  if (before !== undefined) return before;
  if (scores.size > 10_000) scores.clear();
  const score = scoreVector(vector);
  scores.set(vector, score);
  return score;
}

function lowestClear(known: readonly Advisory[], ecosystem: string, version: string): string | null {
  const scheme = ecosystemOf(ecosystem)?.scheme;
  if (scheme === undefined) return null;
  const candidates = [...new Set(known.flatMap((advisory) => fixesAbove(advisory, ecosystem, version)))].sort((a, b) => scheme.compare(a, b));
  return candidates.find((candidate) => known.every((advisory) => isAffected(advisory, ecosystem, candidate) === false)) ?? null;
}
