import { createHash } from "node:crypto";
import type { Match } from "@plastron/contracts";
import { lastingName } from "./advisories.ts";
import type { Joined } from "./join.ts";
import { byPlace, compare, lastingKey } from "./places.ts";

/**
 * Gives each a name that outlives moved lines: a hash over its rule, its file, what makes it itself (`anchor`), and which of those that
 * are equal in all of this it is, in the order of the file. Lines and columns are in none of it. An advisory's name is its CVE and the
 * package, not the database that told it nor the version: an update that repairs nothing is no new weakness. A secret's is its digest.
 */
export function named<Each extends Joined>(joined: readonly Each[]): (Each & { fingerprint: string })[] {
  const equal = new Map<string, number>();
  return joined
    .toSorted((a, b) => byPlace(a.match.place, b.match.place) || compare(a.match.rule, b.match.rule) || compare(a.match.anchor, b.match.anchor))
    .map((each) => {
      const identity = JSON.stringify(identityOf(each.match));
      const ordinal = equal.get(identity) ?? 0;
      equal.set(identity, ordinal + 1);
      return { ...each, fingerprint: hash(`${identity}#${ordinal}`) };
    });
}

function identityOf(match: Match): unknown[] {
  const { package: affected } = match;
  const path = lastingKey(match.place);
  if (match.secret) return ["secret", path, match.secret.detector, match.secret.digest];
  const advisory = affected && lastingName(match);
  return affected && advisory ? ["advisory", path, affected.ecosystem, affected.name, advisory] : [match.rule, path, match.anchor];
}

const hash = (text: string): string => createHash("sha256").update(`plastron/finding/1\n${text}`).digest("hex").slice(0, 32);
