import { type AnalyserName, type Approvals, type Coverage, type Gap, gapSchema, type Match, matchSchema, offersSchema } from "@plastron/contracts";
import type { LookGap } from "../analyser.ts";
import type { Artifact } from "../intake/artifact.ts";
import type { Versions } from "./pool.ts";

const MOST_GAPS = 2000;
/** More from one look is a flood, by which a file could hide what matters or fill the report. */
const MOST_MATCHES = 2000;

/** What one look said, checked. */
export interface CheckedLook {
  readonly matches: readonly Match[];
  readonly gaps: readonly Gap[];
}

/** Believes nothing of an answer that is not shaped as one. */
export function checkLook(
  analyser: AnalyserName,
  path: string,
  look: { readonly matches: readonly unknown[]; readonly gaps: readonly LookGap[] },
): CheckedLook {
  const gaps: Gap[] = look.gaps.map((raw) => {
    const gap = gapSchema.safeParse({ path, ...raw, analyser });
    return gap.success ? gap.data : invalid(analyser, path, "a gap that is none");
  });
  const matches: Match[] = [];
  for (const raw of look.matches.slice(0, MOST_MATCHES)) {
    const match = matchSchema.safeParse(raw);
    if (match.success && match.data.analyser === analyser) matches.push(match.data);
    else gaps.push(invalid(analyser, path, match.error?.issues[0]?.message ?? "of another analyser"));
  }
  if (look.matches.length > MOST_MATCHES)
    gaps.push({
      kind: "degraded",
      analyser,
      path,
      reason: "too_many_matches",
      detail: `${look.matches.length} matches, the first ${MOST_MATCHES} of them kept`,
      matters: true,
    });
  return { matches, gaps };
}

/** What is offered, or null where nothing is, or where it is not told as it should be. */
export function checkOffers(raw: unknown): Approvals["offers"] | null {
  return offersSchema
    .nullable()
    .catch(null)
    .parse(raw ?? null);
}

function invalid(analyser: AnalyserName, path: string, detail: string): Gap {
  return { kind: "failed", analyser, path, reason: "invalid_answer", detail, matters: true };
}

interface Counts {
  files: number;
  bytes: number;
  cached: number;
  ms: number;
}

/** Counts what was seen and what was not. */
export class Tally {
  readonly #counts = new Map<AnalyserName, Counts>();
  readonly #gaps: Gap[] = [];

  constructor(analysers: readonly AnalyserName[]) {
    for (const name of analysers) this.#counts.set(name, { files: 0, bytes: 0, cached: 0, ms: 0 });
  }

  looked(analyser: AnalyserName, seen: { files: number; bytes: number; cached: number; ms: number }): void {
    const counts = this.#counts.get(analyser);
    if (!counts) return;
    counts.files += seen.files;
    counts.bytes += seen.bytes;
    counts.cached += seen.cached;
    counts.ms += seen.ms;
  }

  gap(gap: Gap): void {
    this.#gaps.push(gap);
  }

  get complete(): boolean {
    return !this.#gaps.some(({ matters }) => matters);
  }

  coverage(artifact: Artifact, versions: Versions, notes: readonly string[]): Coverage {
    return {
      files: artifact.files.length,
      bytes: artifact.files.reduce((sum, { size }) => sum + size, 0),
      analysers: Object.fromEntries([...this.#counts].map(([name, counts]) => [name, { ...counts, ms: Math.round(counts.ms), version: versions[name] ?? "" }])),
      gaps: shownGaps(this.#gaps),
      gaps_total: this.#gaps.length,
      advisories: null,
      notes: [...notes],
    };
  }
}

/** Those that matter first, so that a flood of others cannot push them out. */
export function shownGaps(gaps: readonly Gap[]): Gap[] {
  const sorted = gaps.toSorted(
    (a, b) =>
      Number(b.matters) - Number(a.matters) || order(a.path, b.path) || order(a.analyser, b.analyser) || order(a.reason, b.reason) || order(a.detail, b.detail),
  );
  return sorted.slice(0, MOST_GAPS);
}

export function order(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
