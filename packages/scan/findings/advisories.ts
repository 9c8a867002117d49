import type { Match } from "@plastron/contracts";
import { compare } from "./places.ts";

/** Who names advisories, the most lasting first. */
const RANKS = [/^CVE-/, /^GHSA-/, /^(PYSEC|GO|RUSTSEC|DSA|USN)-/];

/** All names of one weakness, the most lasting first; names are compared without regard to case. */
export function advisoryNames(matches: readonly Pick<Match, "aliases">[]): string[] {
  const names = new Map(matches.flatMap(({ aliases }) => aliases).map((name) => [name.toUpperCase(), name]));
  return [...names.values()].toSorted((a, b) => rank(a) - rank(b) || compare(a, b));
}

/** Through any of the group: A and C are one advisory where B is known by the names of both. */
export function sharesAdvisory(group: readonly Pick<Match, "aliases">[], match: Pick<Match, "aliases">): boolean {
  const names = new Set(group.flatMap(({ aliases }) => aliases.map((name) => name.toUpperCase())));
  return match.aliases.some((name) => names.has(name.toUpperCase()));
}

/** What an advisory is called for good: the CVE where there is one. Null where it has no name but its rule's. */
export function lastingName(match: Pick<Match, "aliases">): string | null {
  return advisoryNames([match])[0]?.toUpperCase() ?? null;
}

const rank = (name: string): number => {
  const found = RANKS.findIndex((pattern) => pattern.test(name.toUpperCase()));
  return found < 0 ? RANKS.length : found;
};
