import type { MatchInput } from "@plastron/contracts";
import type { LookGap } from "../analyser.ts";
import type { CodeFacts } from "../outline.ts";
import { hitsOf, type PackageHits } from "./advisories/match.ts";
import type { AdvisoryIndex } from "./advisories/open.ts";
import { mismatchFinding } from "./checks/mismatch.ts";
import { examineDeclared } from "./declared.ts";
import type { DependencyFacts, Listed, Listing } from "./facts.ts";
import { findingsOf, rangesInto } from "./finding.ts";
import { descents } from "./graph.ts";
import { MODULES } from "./modules.data.ts";
import { type PlacedListing, pair } from "./pair.ts";
import { type Reachability, reachabilityOf } from "./reach.ts";
import { shown } from "./shown.ts";
import { ecosystemOf } from "./versions/ecosystems.ts";

/** More findings than this in one list are an attack on their reader. */
const MOST_FINDINGS = 5000;

/** Everything that the index says of everything that is listed. Throws IndexDamaged. */
export function examine(
  facts: ReadonlyMap<string, DependencyFacts>,
  code: ReadonlyMap<string, CodeFacts>,
  index: AdvisoryIndex,
): { matches: MatchInput[]; gaps: LookGap[] } {
  const paired = pair([...facts].flatMap(([key, { listings }]) => listings.map((listing): PlacedListing => ({ key, listing }))));
  const reach = reachabilityOf(code, modulesOf(facts));
  const known = new Map<string, PackageHits>();
  const looks = [
    // First: whatever advisories there are, a flood of them pushes out none of these.
    { matches: paired.mismatches.map(mismatchFinding), gaps: paired.missing.map(missingGap) },
    ...paired.exact.map((each) => examineListing(each, index, reach, known)),
    ...paired.declared.map((each) => examineDeclared(each, index, reach)),
  ];
  return { matches: looks.flatMap(({ matches }) => matches), gaps: looks.flatMap(({ gaps }) => gaps) };
}

/** Where installed metadata says so, else from what is known of well-known ones. */
function modulesOf(facts: ReadonlyMap<string, DependencyFacts>): ReadonlyMap<string, string> {
  const modules = new Map<string, string>(MODULES);
  for (const { modules: told = [] } of facts.values())
    for (const [distribution, module] of told) if (!module.startsWith("_")) modules.set(module, distribution);
  return modules;
}

function missingGap({ key, path }: { key: string; path: string }): LookGap {
  return { kind: "degraded", reason: "missing_include", detail: `it takes in ${shown(path)}, which is not in the artifact`, matters: true, path: key };
}

function examineListing({ key, listing }: PlacedListing, index: AdvisoryIndex, reach: Reachability, known: Map<string, PackageHits>) {
  const descend = descents(listing);
  const gaps: LookGap[] = notSupported(key, listing);
  const matches: MatchInput[] = [];
  const layers = key.split("!/");
  const path = layers.pop() as string;
  let ranges: ReadonlyMap<number, string[]> | null = null;
  const reported = new Set<string>();
  let unordered = 0;
  for (const [at, listed] of listing.packages.entries()) {
    const found = lookUp(index, listed, known);
    unordered += found.unordered;
    const name = `${listed.ecosystem}\0${listed.name}\0${listed.version}`;
    if (found.hits.length === 0 || reported.has(name)) continue;
    reported.add(name);
    ranges ??= rangesInto(listing);
    const descent = descend(at);
    const chain = descent.path.map((step) => listing.packages[step]?.name ?? "");
    const of = (functions: readonly string[]) => reach.of(listed.ecosystem, listed.name, chain, functions);
    matches.push(...findingsOf({ path, layers, listing, index: at, descent, found, reach: of, ranges: ranges.get(at) ?? [], declared: false }));
    if (matches.length > MOST_FINDINGS) {
      gaps.push({
        kind: "degraded",
        reason: "too_many",
        detail: `more than ${MOST_FINDINGS} findings in this list; the rest is not shown`,
        matters: true,
        path: key,
      });
      break;
    }
  }
  if (unordered > 0) {
    const detail = `${unordered} advisories could not be compared with a version that is none in its ecosystem`;
    gaps.push({ kind: "degraded", reason: "version_unknown", detail, matters: true, path: key });
  }
  return { matches, gaps };
}

/** A list of an ecosystem whose versions have no order here says nothing, and that is said. */
function notSupported(key: string, listing: Listing): LookGap[] {
  const names = [...new Set(listing.packages.map((each) => each.ecosystem))].filter((name) => ecosystemOf(name) === undefined);
  if (names.length === 0) return [];
  const detail = `packages of ${names
    .map((name) => shown(name, 40))
    .slice(0, 5)
    .join(", ")} are listed, but not compared with advisories`;
  return [{ kind: "degraded", reason: "ecosystem_not_supported", detail, matters: listing.role !== "sbom", path: key }];
}

const NOTHING: PackageHits = { hits: [], clear: null, unordered: 0 };

function lookUp(index: AdvisoryIndex, listed: Listed, known: Map<string, PackageHits>): PackageHits {
  if (listed.version === "" || ecosystemOf(listed.ecosystem) === undefined || (listed.origin ?? "registry") === "workspace") return NOTHING;
  const key = `${listed.ecosystem}\0${listed.name}\0${listed.version}`;
  const before = known.get(key);
  if (before) return before;
  const found = hitsOf(index, listed.ecosystem, listed.name, listed.version);
  known.set(key, found);
  return found;
}
