import { type Approvals, approvalsSchema } from "@plastron/contracts";
import { fileKey, type ScanFile } from "../../analyser.ts";
import { openDocument } from "../document/open.ts";
import type { Pack } from "../pack.ts";
import { Places } from "../place.ts";
import { type Offer, offersOf } from "./catalog.ts";

/** Where a project keeps what it has approved. */
export const APPROVALS_FILE = ".plastron/approvals.json";

/** Approvals that lie in the artifact itself; null where this is another file, or a broken one. */
export function approvalsIn(path: string, text: string): Approvals | null {
  if (path !== APPROVALS_FILE || text.length > 5_000_000) return null;
  try {
    return approvalsSchema.parse(JSON.parse(text));
  } catch {
    return null;
  }
}

/** What an approval says of: the offer under the name that approvals give it. A second one of a name in its file has a number. */
export interface Named {
  readonly id: string;
  readonly key: string;
  readonly offer: Offer;
}

/** All offers of all files under their names, in the order of those. */
export function namedOffers(byFile: Iterable<readonly [key: string, offers: readonly Offer[]]>): Named[] {
  const all = new Map<string, Named>();
  for (const [key, offers] of byFile) {
    for (const offer of offers) {
      const name = `${key}#${offer.name}`;
      let id = name;
      for (let number = 2; all.has(id); number++) id = `${name}#${number}`;
      all.set(id, { id, key, offer });
    }
  }
  return [...all.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
}

export function hashesOf(offers: readonly Named[]): Approvals["offers"] {
  return Object.fromEntries(offers.map(({ id, offer }) => [id, offer.hash]));
}

/** How an offer stands to what was approved: null where it is just that. */
export function standing(offers: readonly Named[], { offers: approved }: Approvals): { readonly named: Named; readonly was: "changed" | "never approved" }[] {
  const present = new Set(offers.map(({ id }) => id));
  const gone = Object.entries(approved).filter(([id]) => !present.has(id));
  const told = new Set(gone.map(([, hash]) => hash));
  const lost = new Set(gone.flatMap(([id]) => [id.slice(0, id.indexOf("#")), id.slice(id.indexOf("#"))]));
  return offers.flatMap((named) => {
    const { id, key, offer } = named;
    if (Object.hasOwn(approved, id)) return approved[id] === offer.hash ? [] : [{ named, was: "changed" as const }];
    // Its file was moved: what is told is what was approved.
    if (told.has(offer.hash)) return [];
    // Something of its file, or of its name, is there no more: this stands in its place.
    return [{ named, was: lost.has(key) || lost.has(`#${offer.name}`) ? ("changed" as const) : ("never approved" as const) }];
  });
}

/** All tools and skills of a tree with their hashes as they are now: what a person approves, and what later scans compare with. */
export function describeTree(files: Iterable<ScanFile>, pack: Pack): Approvals {
  const offers: [string, readonly Offer[]][] = [];
  for (const file of files) {
    if (file.text === null || file.path === APPROVALS_FILE) continue;
    const places = new Places(file, file.text);
    const { blocks } = openDocument(file, file.text);
    offers.push([fileKey(file), offersOf(file, blocks, file.text, pack, (start, end) => places.of(start, end)).offers]);
  }
  return { version: 1, offers: hashesOf(namedOffers(offers)) };
}
