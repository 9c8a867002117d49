import type { MatchInput } from "@plastron/contracts";
import type { Hit, PackageHits } from "./advisories/match.ts";
import type { Listed, Listing, Need } from "./facts.ts";
import { fixText } from "./fix.ts";
import type { Descent } from "./graph.ts";
import type { Reach } from "./reach.ts";
import { purlOf, shown } from "./shown.ts";
import { allows } from "./versions/allows.ts";

/** One affected package of one list, with all that is known of it. */
export interface Affected {
  readonly path: string;
  readonly layers: readonly string[];
  readonly listing: Listing;
  readonly index: number;
  readonly descent: Descent;
  readonly found: PackageHits;
  readonly reach: (functions: readonly string[]) => Reach;
  /** Ranges under which others of the list need it. */
  readonly ranges: readonly string[];
  /** Only a range names it, and every version in it is affected. */
  readonly declared: boolean;
}

/** A finding for each weakness of an affected package. */
export function findingsOf(affected: Affected): MatchInput[] {
  return affected.found.hits.map((hit) => findingOf(affected, hit));
}

function findingOf(affected: Affected, hit: Hit): MatchInput {
  const { listing, found } = affected;
  const listed = listing.packages[affected.index] as Listed;
  const malicious = hit.advisory.malicious === true;
  const reach = affected.reach(hit.functions);
  const name = `${shown(listed.name, 80)} ${shown(listed.version, 40)}`;
  const path = affected.descent.path.map((at) => shown(listing.packages[at]?.name ?? "", 80));
  const lasting = hit.ids[0] ?? hit.advisory.id;
  const summary = shown(hit.advisory.summary, 300).replace(/[.\s]+$/, "");
  return {
    rule: malicious ? "dependencies/malicious-package" : "dependencies/advisory",
    analyser: "dependencies",
    verdict: malicious ? "malice" : "weakness",
    title: `${name}: ${malicious ? "a malicious package" : summary} (${lasting})`.slice(0, 200),
    message: [
      `${name}: ${summary}.`,
      cameBy(affected, path),
      reach.words,
      exploited(hit),
      hit.disputed ? "Sources disagree on whether this version is affected." : "",
    ]
      .filter((words) => words !== "")
      .join(" "),
    severity: hit.severity,
    confidence: affected.declared || hit.disputed ? "medium" : "high",
    cwe: malicious ? [...new Set([506, ...hit.cwe])] : [...hit.cwe],
    place: { path: affected.path, layers: [...affected.layers], line: listed.line, column: 1, end_line: listed.line, end_column: 1 },
    cvss: [...hit.cvss],
    aliases: [...hit.ids],
    package: {
      purl: purlOf(listed.ecosystem, listed.name, listed.version),
      ecosystem: listed.ecosystem,
      name: shown(listed.name, 200),
      version: shown(listed.version, 100),
      path,
      direct: affected.descent.direct,
      development: affected.descent.group === "development",
      fixed: [...hit.fixed],
      reachability: reach.level,
      kev: hit.kev,
      epss: hit.epss,
    },
    fix: { text: fixText(fixAsked(affected, listed, malicious ? null : (found.clear ?? hit.fixed[0] ?? null), malicious)) },
    references: [...hit.references],
    anchor: `${listed.ecosystem}:${shown(listed.name, 200)} ${lasting}`,
  };
}

function fixAsked(affected: Affected, listed: Listed, to: string | null, malicious: boolean) {
  const { listing, descent } = affected;
  const top = descent.direct ? undefined : descent.path[0];
  return {
    ...{ tool: listing.tool, name: listed.name, version: listed.version, to, malicious, direct: descent.direct, development: descent.group === "development" },
    through: top === undefined || top === affected.index ? null : (listing.packages[top]?.name ?? null),
    allowed: to !== null && affected.ranges.length > 0 && affected.ranges.every((range) => allows(listed.ecosystem, range, to)),
  };
}

function cameBy({ descent, listing, declared }: Affected, path: readonly string[]): string {
  const use = descent.group === "development" ? "only for development" : descent.group === "optional" ? "as an optional part" : "to run";
  if (listing.role === "installed") return "It is installed in the artifact itself.";
  if (listing.role === "sbom") return "A bill of materials in the artifact names it.";
  if (declared) return `No lock file says which version is installed, but every one that the manifest allows is affected; it is needed ${use}.`;
  if (descent.direct) return `It is asked for directly, ${use}.`;
  const middle = path.length > 6 ? [...path.slice(0, 3), "…", ...path.slice(-2)] : path;
  return path.length > 1 ? `It comes in through ${middle.join(" → ")}, ${use}.` : "The lock file does not tell who needs it.";
}

function exploited({ kev, epss }: Hit): string {
  const chance = epss === null ? "" : `EPSS gives it a chance of ${(epss * 100).toFixed(epss < 0.1 ? 1 : 0)} % to be exploited within 30 days.`;
  return [kev ? "CISA lists it as exploited in the wild." : "", chance].filter((words) => words !== "").join(" ");
}

/** Ranges under which the packages of a list ask for each other. */
export function rangesInto(listing: Listing): ReadonlyMap<number, string[]> {
  const into = new Map<number, string[]>();
  const note = ([target, range]: Need) => {
    const known = into.get(target);
    if (known === undefined) into.set(target, [range]);
    else if (known.length < 200 && !known.includes(range)) known.push(range);
  };
  for (const { needs = [] } of listing.packages) for (const need of needs) note(need);
  for (const { target, range } of listing.roots) if (target >= 0) note([target, range]);
  return into;
}
