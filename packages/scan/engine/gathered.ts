import type { AnalyserName, Approvals, Gap, Match } from "@plastron/contracts";
import type { ArtifactFile } from "../intake/artifact.ts";
import type { KeptLook, KeptTree } from "./cache/index.ts";
import type { FactsOfScan } from "./facts.ts";
import { type CheckedLook, order, type Tally } from "./tally.ts";

interface Offered {
  readonly offers: Approvals["offers"] | null;
}

/** Everything that a scan's looks gave so far. */
export class Gathered {
  readonly #tally: Tally;
  readonly #facts: FactsOfScan;
  readonly #matches: Match[] = [];
  readonly #gaps: Gap[] = [];
  readonly #counts: Partial<Record<AnalyserName, { files: number; bytes: number }>> = {};
  #lasting = 0;
  #passing = 0;
  #sbom: unknown = null;
  #offers: Approvals["offers"] | null = null;
  #leaned: { readonly facts: Buffer; readonly gaps: readonly Gap[] } | null = null;

  constructor(tally: Tally, facts: FactsOfScan) {
    this.#tally = tally;
    this.#facts = facts;
  }

  get count(): number {
    return this.#matches.length;
  }

  get sbom(): unknown {
    return this.#sbom;
  }

  /** What a look at the whole leaned on, and what it could not say. Null where it was not kept. */
  get leaned(): { readonly facts: Buffer; readonly gaps: readonly Gap[] } | null {
    return this.#leaned;
  }

  get offers(): Approvals["offers"] | null {
    return this.#offers;
  }

  /** One analyser's look at one file. */
  take(file: ArtifactFile, analyser: AnalyserName, look: KeptLook, facts: Buffer | null, from: "known" | "new"): void {
    if (!look.wanted) return;
    this.#add(look);
    this.#tally.looked(analyser, { files: 1, bytes: file.size, cached: from === "known" ? 1 : 0, ms: from === "known" ? 0 : look.ms });
    const counts = this.#counts[analyser] ?? { files: 0, bytes: 0 };
    this.#counts[analyser] = { files: counts.files + 1, bytes: counts.bytes + file.size };
    if (facts !== null) this.#facts.put(analyser, file.key, facts);
  }

  /** One analyser's look at the whole. */
  joined(analyser: AnalyserName, look: CheckedLook & { readonly ms: number; readonly sbom: unknown; readonly leaned: Buffer | null } & Offered): void {
    this.#sbom ??= look.sbom;
    this.#offers ??= look.offers;
    if (look.leaned) this.#leaned = { facts: look.leaned, gaps: look.gaps };
    this.#add(look);
    this.#tally.looked(analyser, { files: 0, bytes: 0, cached: 0, ms: look.ms });
  }

  /**
   * A look that did not come to its end. `lasting`: the same is to be expected of the same file, for a while (a time-out, a crash). `passing`: the next scan
   * may see more (the file was just being changed).
   */
  failed(gap: Gap, kind: "lasting" | "passing"): void {
    if (kind === "lasting") this.#lasting++;
    else this.#passing++;
    this.#gaps.push(gap);
    this.#tally.gap(gap);
  }

  /** All of an earlier scan of the same artifact. */
  recall(kept: KeptTree): void {
    this.#add(kept);
    this.#sbom = kept.sbom;
    this.#offers = kept.offers;
    for (const [name, counts] of Object.entries(kept.counts)) this.#tally.looked(name as AnalyserName, { ...counts, cached: counts.files, ms: 0 });
  }

  /** What to keep of this one, and whether it holds failures; null where the next scan may see more. */
  toKeep(): { tree: KeptTree; failures: boolean } | null {
    if (this.#passing > 0) return null;
    return { tree: { matches: this.sorted(), gaps: this.#gaps, counts: this.#counts, sbom: this.#sbom, offers: this.#offers }, failures: this.#lasting > 0 };
  }

  /** Workers answer in any order; a report has one. */
  sorted(): Match[] {
    return this.#matches.toSorted(byPlace);
  }

  #add({ matches, gaps }: CheckedLook): void {
    for (const match of matches) this.#matches.push(match);
    for (const gap of gaps) {
      this.#gaps.push(gap);
      this.#tally.gap(gap);
    }
  }
}

function byPlace(a: Match, b: Match): number {
  return (
    order(a.place.layers.join("!/"), b.place.layers.join("!/")) ||
    order(a.place.path, b.place.path) ||
    a.place.line - b.place.line ||
    a.place.column - b.place.column ||
    order(a.rule, b.rule) ||
    order(JSON.stringify(a), JSON.stringify(b))
  );
}
