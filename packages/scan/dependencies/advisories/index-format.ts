import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";

/**
 * The index on disk and over the wire. A manifest names its pages by their sha256, and is itself named by its own and signed: whoever
 * changes a byte of a page, or swaps two, changes a name that the signature covers. A page holds the packages of one ecosystem whose
 * hashed name falls into it, a line each, `JSON of the name TAB JSON of the advisories`, sorted: a look-up reads one page and parses one line.
 */
export interface IndexManifest {
  readonly format: "plastron-advisories/1";
  /** ISO 8601, UTC. */
  readonly built_at: string;
  /** Grows with every build of one installation or mirror: an older index is never taken for a newer one. */
  readonly sequence: number;
  /** Made for tests and first use: a small choice that proves nothing by being silent. */
  readonly seed: boolean;
  readonly sources: readonly IndexSource[];
  readonly ecosystems: readonly EcosystemPages[];
  /** What is known of exploitation, by CVE, in pages of the same form. */
  readonly exploitation: { readonly pages: readonly string[]; readonly kev: number; readonly epss: number };
  /** Documents that say nothing here, counted by reason. */
  readonly refused: Readonly<Record<string, number>>;
}

export interface IndexSource {
  readonly kind: "osv" | "ghsa" | "kev" | "epss" | "seed";
  /** As the person gave it, without credentials. */
  readonly name: string;
  readonly documents: number;
  /** The newest change that a document of it tells of. */
  readonly newest: string | null;
}

export interface EcosystemPages {
  readonly name: string;
  readonly packages: number;
  readonly advisories: number;
  readonly malicious: number;
  /** sha256 of each page in order; their number is a power of two. */
  readonly pages: readonly string[];
}

/** What CISA's catalogue and FIRST's model say of one CVE. */
export interface Exploitation {
  readonly kev?: true;
  readonly epss?: number;
}

/** Someone or something changed the index after it was built. */
export class IndexDamaged extends Error {
  readonly reason: "manifest" | "signature" | "page_changed" | "page_missing" | "rollback" | "format";

  constructor(reason: IndexDamaged["reason"], detail: string) {
    super(detail);
    this.name = "IndexDamaged";
    this.reason = reason;
  }
}

export function sha256(bytes: Uint8Array | string): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** Which of `pages` pages a name falls into. */
export function pageOf(name: string, pages: number): number {
  if (pages <= 1) return 0;
  return createHash("sha256").update(name).digest().readUInt32BE(0) % pages;
}

/** A page aims at this many bytes: small enough to read for one name, large enough that a disk likes it. */
const PAGE_BYTES = 64 * 1024;

/** Pages of these entries, by content; equal entries give equal pages whatever order they came in. */
export function makePages(entries: ReadonlyMap<string, string>): Uint8Array[] {
  let size = 0;
  for (const [name, json] of entries) size += name.length + json.length + 4;
  let count = 1;
  while (count < 4096 && count * PAGE_BYTES < size) count *= 2;
  const pages: string[][] = Array.from({ length: count }, () => []);
  for (const [name, json] of entries) pages[pageOf(name, count)]?.push(`${JSON.stringify(name)}\t${json}\n`);
  const encoder = new TextEncoder();
  return pages.map((lines) => encoder.encode(lines.sort().join("")));
}

/** The JSON that a page holds under a name; null where the page does not know it. */
export function findInPage(page: Buffer, name: string): string | null {
  const key = Buffer.from(`${JSON.stringify(name)}\t`);
  for (let at = page.indexOf(key); at >= 0; at = page.indexOf(key, at + 1)) {
    if (at !== 0 && page[at - 1] !== 10) continue;
    const end = page.indexOf(10, at);
    return page.toString("utf8", at + key.length, end < 0 ? page.length : end);
  }
  return null;
}
