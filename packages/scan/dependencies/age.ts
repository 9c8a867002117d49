import type { LookGap } from "../analyser.ts";
import type { IndexManifest } from "./advisories/index-format.ts";
import type { AdvisoryIndex } from "./advisories/open.ts";

export interface AgeLimit {
  readonly now: Date;
  readonly max_days: number;
}

/** Whole days since the advisories were put together. */
export function ageInDays(manifest: Pick<IndexManifest, "built_at">, now: Date): number {
  return Math.max(0, Math.floor((now.getTime() - Date.parse(manifest.built_at)) / 86_400_000));
}

/** Older than the policy allows: what was published since is not known, so the scan is incomplete. */
export function ageGaps(manifest: IndexManifest, limit: AgeLimit | null): LookGap[] {
  if (limit === null || manifest.seed) return [];
  const days = ageInDays(manifest, limit.now);
  if (days <= limit.max_days) return [];
  const detail = `the advisories are ${days} days old, and ${limit.max_days} are allowed; run \`plastron advisories update\``;
  return [{ kind: "degraded", reason: "advisories_old", detail, matters: true, path: "" }];
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
  return [`${count} advisories, put together ${days === 0 ? "today" : days === 1 ? "yesterday" : `${days} days ago`}.`];
}
