import type { MatchInput } from "@plastron/contracts";
import type { LookGap } from "../analyser.ts";
import { hitsOf, type PackageHits } from "./advisories/match.ts";
import type { AdvisoryIndex } from "./advisories/open.ts";
import type { Listed, Root } from "./facts.ts";
import { findingsOf } from "./finding.ts";
import type { PlacedListing } from "./pair.ts";
import type { Reachability } from "./reach.ts";
import { pinOf } from "./readers/requirement.ts";
import { lowestIn, wholeRangeIn } from "./versions/within.ts";

/** A manifest without a lock file: what is pinned in it is known, and of a range it is known where all of it is affected. The rest is a gap. */
export function examineDeclared({ key, listing }: PlacedListing, index: AdvisoryIndex, reach: Reachability): { matches: MatchInput[]; gaps: LookGap[] } {
  const layers = key.split("!/");
  const path = layers.pop() as string;
  const open = listing.roots.filter((root) => root.target < 0 && root.origin === undefined);
  const matches: MatchInput[] = [];
  let ranges = 0;
  for (const root of open) {
    const pinned = exactOf(root);
    const found = pinned === null ? affectedRange(index, root) : { version: pinned, found: hitsOf(index, root.ecosystem, root.name, pinned) };
    if (pinned === null) ranges++;
    if (found === null || found.found.hits.length === 0) continue;
    const listed: Listed = { ecosystem: root.ecosystem, name: root.name, version: found.version, line: root.line };
    const alone = { ...listing, packages: [listed], roots: [{ ...root, target: 0 }] };
    const of = (functions: readonly string[]) => reach.of(root.ecosystem, root.name, [root.name], functions);
    const descent = { path: [0], direct: true, group: root.group };
    matches.push(...findingsOf({ path, layers, listing: alone, index: 0, descent, found: found.found, reach: of, ranges: [], declared: pinned === null }));
  }
  const detail = `${ranges} dependencies are declared as ranges, and no lock file says which versions are installed`;
  return { matches, gaps: ranges === 0 ? [] : [{ kind: "degraded", reason: "declared_only", detail, matters: false, path: key }] };
}

function exactOf({ ecosystem, range }: Root): string | null {
  if (ecosystem === "PyPI") return pinOf(range) || null;
  return /^=?v?(\d+\.\d+\.\d+(?:[-+][\w.+-]{1,100})?)$/.exec(range.replace(/^npm:(@[^/@]+\/)?[^@]+@/, ""))?.[1] ?? null;
}

/** Advisories that cover every version which a range takes, told of the lowest one. */
function affectedRange(index: AdvisoryIndex, root: Root): { version: string; found: PackageHits } | null {
  const lowest = lowestIn(root.ecosystem, root.range);
  if (lowest === null) return null;
  const found = hitsOf(index, root.ecosystem, root.name, lowest);
  const whole = found.hits.filter(({ advisory }) => advisory.ranges.some((events) => wholeRangeIn(root.ecosystem, root.range, events)));
  return whole.length === 0 ? null : { version: lowest, found: { ...found, hits: whole } };
}
