import type { IndexManifest } from "./advisories/index-format.ts";
import type { AdvisoryIndex } from "./advisories/open.ts";

/** The newest change that any source of the advisories tells of; where none does, when they were put together. ISO 8601. */
export function asOf(manifest: Pick<IndexManifest, "built_at" | "sources">): string {
  const newest = manifest.sources
    .flatMap(({ kind, newest: at }) => (kind === "osv" || kind === "ghsa" ? (at ?? []) : []))
    .sort()
    .at(-1);
  const at = Date.parse(newest ?? "");
  // A date in the future is a fault of the source, and must not make old advisories young.
  return new Date(Number.isNaN(at) ? Date.parse(manifest.built_at) : Math.min(at, Date.parse(manifest.built_at))).toISOString();
}

/** Whole days since. */
export function ageInDays(manifest: Pick<IndexManifest, "built_at" | "sources">, now: Date): number {
  return Math.max(0, Math.floor((now.getTime() - Date.parse(asOf(manifest))) / 86_400_000));
}

/** What a reader of the result must know of the advisories: for `coverage.notes`. */
export function advisoryNotes({ manifest, damage }: AdvisoryIndex, now: Date): string[] {
  if (damage) return [`The advisories were not used: ${damage.message}.`];
  const count = manifest.ecosystems.reduce((sum, { advisories }) => sum + advisories, 0);
  if (manifest.seed) {
    return [
      `The advisories are the seed that comes with Plastron: ${count} of them, chosen for tests and first use. That nothing was found says little; \`plastron advisories update\` brings all there are.`,
    ];
  }
  const days = ageInDays(manifest, now);
  return [`${count} advisories, the newest change of ${days === 0 ? "today" : days === 1 ? "yesterday" : `${days} days ago`}.`];
}
