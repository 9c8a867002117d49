import type { Finding, Match } from "@plastron/contracts";
import { advisoryNames, sharesAdvisory } from "./advisories.ts";
import { compare, inHistory, lastingKey, linesOf, overlap, placeKey, sameSpan } from "./places.ts";
import { byPrecedence, gravest } from "./precedence.ts";

/** A match that speaks for all that said the same. */
export interface Joined {
  readonly match: Match;
  readonly also: Finding["also"];
}

/** Something that spans more is a place around others, not the same place as they. */
const ONE_PLACE_LINES = 10;

/**
 * Joins what several rules, detectors and advisories say of one weakness; the best evidence speaks, the others are named in `also`.
 * The same in whatever order the matches come. Two instances of one rule are never joined, however close they stand: a group takes
 * each rule once, and only what its speaker itself agrees with, so that no chain of neighbours swallows a weakness of its own.
 */
export function join(matches: readonly Match[]): Joined[] {
  const groups: Match[][] = [];
  const near = new Map<string, Match[][]>();
  for (const match of matches.toSorted(byPrecedence)) {
    const bin = binOf(match);
    const inBin = near.get(bin) ?? [];
    const group = inBin.find((group) => belongs(match, group));
    if (group) group.push(match);
    else {
      const fresh = [match];
      groups.push(fresh);
      inBin.push(fresh);
      near.set(bin, inBin);
    }
  }
  return groups.map(speakerOf);
}

/** Only what lies in one bin can be the same: keeps thousands of matches from being compared with each other. */
function binOf(match: Match): string {
  const { package: affected } = match;
  if (affected) return JSON.stringify(["package", lastingKey(match.place), affected.ecosystem, affected.name, affected.version, affected.path]);
  if (match.verdict === "secret") return JSON.stringify(["secret", lastingKey(match.place)]);
  return JSON.stringify(["place", placeKey(match.place)]);
}

function belongs(match: Match, group: readonly Match[]): boolean {
  const speaker = group[0] as Match;
  const twice = group.find((other) => other.rule === match.rule);
  if (match.package && speaker.package) return sharesAdvisory(group, match) || twice?.anchor === match.anchor;
  if (match.verdict === "secret" && speaker.verdict === "secret") return sameSecret(speaker, match);
  if (twice) return sameSpan(twice.place, match.place) && twice.anchor === match.anchor;
  return samePlace(speaker, match) && sameWeakness(speaker, match);
}

/** Two detectors over the same characters, or one secret of one file in its tree and in its history. */
function sameSecret(a: Match, b: Match): boolean {
  if (inHistory(a.place) || inHistory(b.place)) return a.secret !== null && a.secret.detector === b.secret?.detector && a.secret.digest === b.secret.digest;
  return placeKey(a.place) === placeKey(b.place) && overlap(a.place, b.place);
}

function samePlace(a: Match, b: Match): boolean {
  if (!overlap(a.place, b.place)) return false;
  return a.place.line === b.place.line || Math.max(linesOf(a.place), linesOf(b.place)) <= ONE_PLACE_LINES;
}

function sameWeakness(a: Match, b: Match): boolean {
  if (a.verdict === "authority" || b.verdict === "authority") return a.verdict === b.verdict && a.anchor === b.anchor;
  return a.cwe.some((cwe) => b.cwe.includes(cwe));
}

/** The evidence of the first, the gravest severity of all: what is joined must not pass a threshold that it would not pass alone. */
function speakerOf(group: readonly Match[]): Joined {
  const [speaker, ...others] = group as [Match, ...Match[]];
  const also = new Map(others.filter(({ rule }) => rule !== speaker.rule).map(({ rule, analyser }) => [rule, { rule, analyser }]));
  const match: Match = {
    ...speaker,
    severity: gravest(group.map(({ severity }) => severity)),
    cwe: union(group.map(({ cwe }) => cwe)),
    aliases: speaker.package ? advisoryNames(group) : union(group.map(({ aliases }) => aliases)),
    references: union(group.map(({ references }) => references)).slice(0, 50),
    cvss: speaker.cvss.length > 0 ? speaker.cvss : (others.find(({ cvss }) => cvss.length > 0)?.cvss ?? []),
    flow: speaker.flow.length > 0 ? speaker.flow : (others.find(({ flow, place }) => flow.length > 0 && sameSpan(place, speaker.place))?.flow ?? []),
    package: speaker.package && { ...speaker.package, kev: group.some((each) => each.package?.kev), epss: highest(group) },
  };
  return { match, also: [...also.values()].toSorted((a, b) => compare(a.rule, b.rule)) };
}

function highest(group: readonly Match[]): number | null {
  const known = group.flatMap((each) => (each.package?.epss == null ? [] : [each.package.epss]));
  return known.length === 0 ? null : Math.max(...known);
}

function union<Value>(lists: readonly (readonly Value[])[]): Value[] {
  return [...new Set(lists.flat())];
}
