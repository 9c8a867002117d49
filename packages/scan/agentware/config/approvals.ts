import { z } from "zod";
import { fileKey, type ScanFile } from "../../analyser.ts";
import { openDocument } from "../document/open.ts";
import type { Pack } from "../pack.ts";
import { Places } from "../place.ts";
import { offersOf } from "./catalog.ts";

/**
 * What was approved: the hash of each thing offered, by `path#name`. Kept beside the artifact as `plastron-approvals.json`, or, as
 * whoever changes the artifact can change what lies in it, given from outside.
 */
export const approvalsSchema = z.strictObject({ version: z.literal(1), offers: z.record(z.string(), z.string().regex(/^[0-9a-f]{64}$/)) });
export type Approvals = z.infer<typeof approvalsSchema>;

export const APPROVALS_FILE = "plastron-approvals.json";

/** Approvals that lie in the artifact itself; null where this is another file, or a broken one. */
export function approvalsIn(path: string, text: string): Approvals | null {
  if (path !== APPROVALS_FILE || text.length > 5_000_000) return null;
  try {
    return approvalsSchema.parse(JSON.parse(text));
  } catch {
    return null;
  }
}

/** All tools and skills of a tree with their hashes as they are now: what a person approves, and what later scans compare with. */
export function describeTree(files: Iterable<ScanFile>, pack: Pack): Approvals {
  const offers: [string, string][] = [];
  for (const file of files) {
    if (file.text === null || file.path === APPROVALS_FILE) continue;
    const places = new Places(file, file.text);
    const { blocks } = openDocument(file, file.text);
    for (const offer of offersOf(file, blocks, file.text, pack, (start, end) => places.of(start, end)))
      offers.push([`${fileKey(file)}#${offer.name}`, offer.hash]);
  }
  return { version: 1, offers: Object.fromEntries(offers.sort(([a], [b]) => (a < b ? -1 : 1))) };
}
