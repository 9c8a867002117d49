import { hitsOf } from "../advisories/match.ts";
import type { AdvisoryIndex } from "../advisories/open.ts";
import { shown } from "../shown.ts";
import { ecosystemOf } from "../versions/ecosystems.ts";
import { readSbom } from "./read.ts";

/** A bill of materials that was kept with a scan. */
export interface StoredSbom {
  /** What it is of: an artifact's digest. */
  readonly id: string;
  readonly sbom: unknown;
}

/** One weakness of one package of one artifact. */
export interface Rematched {
  readonly id: string;
  readonly ecosystem: string;
  readonly name: string;
  readonly version: string;
  /** The name that lasts: its CVE where it has one. */
  readonly advisory: string;
  readonly aliases: readonly string[];
  readonly summary: string;
  readonly severity: string;
  readonly malicious: boolean;
  readonly fixed: readonly string[];
}

export interface Rematch {
  /** Known now, and not before. */
  readonly opened: readonly Rematched[];
  /** Known before, and no longer: withdrawn, or found to concern other versions. */
  readonly closed: readonly Rematched[];
  /** Those whose document could not be read: nothing can be said of them. */
  readonly unreadable: readonly { readonly id: string; readonly reason: string }[];
}

/**
 * What changed for artifacts that were scanned before, when advisories change: nothing is scanned again. A weakness that only got another name (a CVE
 * for a GHSA) is the same. Throws IndexDamaged.
 */
export function rematch(stored: Iterable<StoredSbom>, before: AdvisoryIndex, after: AdvisoryIndex): Rematch {
  const opened: Rematched[] = [];
  const closed: Rematched[] = [];
  const unreadable: { id: string; reason: string }[] = [];
  for (const { id, sbom } of stored) {
    try {
      for (const { ecosystem, name, version } of packagesOf(sbom)) {
        const was = weaknesses(before, { id, ecosystem, name, version });
        const is = weaknesses(after, { id, ecosystem, name, version });
        opened.push(...is.filter((each) => !was.some((other) => same(each, other))));
        closed.push(...was.filter((each) => !is.some((other) => same(each, other))));
      }
    } catch (error) {
      if ((error as Error).name === "IndexDamaged") throw error;
      unreadable.push({ id, reason: shown((error as Error).message, 300) });
    }
  }
  return { opened, closed, unreadable };
}

interface Named {
  readonly id: string;
  readonly ecosystem: string;
  readonly name: string;
  readonly version: string;
}

function packagesOf(sbom: unknown): Omit<Named, "id">[] {
  const packages = readSbom(JSON.stringify(sbom)).listings.flatMap((listing) => listing.packages);
  return [...new Map(packages.filter(({ version }) => version !== "").map((each) => [`${each.ecosystem}\0${each.name}\0${each.version}`, each])).values()];
}

function weaknesses(index: AdvisoryIndex, named: Named): Rematched[] {
  if (ecosystemOf(named.ecosystem) === undefined) return [];
  return hitsOf(index, named.ecosystem, named.name, named.version).hits.map(({ advisory, ids, severity, fixed }) => ({
    ...{
      ...named,
      advisory: ids[0] ?? advisory.id,
      aliases: ids,
      summary: shown(advisory.summary, 300),
      severity,
      malicious: advisory.malicious === true,
      fixed,
    },
  }));
}

function same(a: Rematched, b: Rematched): boolean {
  return a.aliases.some((alias) => b.aliases.includes(alias));
}
