import { type Finding, type Gap, matchSchema, PlastronError, type ScanResult } from "@plastron/contracts";
import { type AdvisoryIndex, advisoryNotes, asOf, CODE, IndexDamaged, versionUnder } from "../../dependencies/index.ts";
import { byUrgency, findingsOf } from "../../findings/index.ts";
import { openAdvisories } from "../../intake/advisories/open.ts";
import { listen } from "../listen.ts";
import { type ScanOptions, type Settled, settle } from "../options.ts";
import { WorkerPool } from "../pool.ts";
import type { WorkerProcess } from "../process.ts";
import { type CheckedLook, checkLook, shownGaps } from "../tally.ts";
import { type Matchable, unpacked } from "./matchable.ts";

/** Which advisories there are. */
export interface AdvisoriesInUse {
  /** What `coverage.analysers.dependencies.version` is under them. */
  readonly version: string;
  readonly id: string;
  readonly builtAt: string;
  readonly asOf: string;
  readonly seed: boolean;
  /** Of the code that holds packages against them. */
  readonly code: number;
  /** Why they cannot be believed; null where they can. */
  readonly damage: { readonly reason: string; readonly detail: string } | null;
}

/** Reads the manifest and its signature, no more. */
export function advisoriesInUse(directory: string | null): AdvisoriesInUse {
  const index = openAdvisories(settle({ advisories: directory }).advisories);
  const { manifest, damage } = index;
  return {
    ...{
      version: versionUnder(index),
      id: index.id,
      builtAt: new Date(manifest.built_at).toISOString(),
      asOf: asOf(manifest),
      seed: manifest.seed,
      code: CODE,
    },
    damage: damage ? { reason: damage.reason, detail: damage.message } : null,
  };
}

export interface RematchOptions extends Pick<ScanOptions, "advisories" | "projectTimeoutMs" | "heapMb" | "memoryMb"> {
  readonly now?: () => Date;
}

const NOTHING: CheckedLook = { matches: [], gaps: [] };

/**
 * Holds results that were kept against the advisories that are in use now, and nothing else of them is looked at again: what comes out is what a whole new
 * scan of the artifact would say, for the same analyser does it, in a process of its own, over the same facts.
 */
export class Rematcher {
  readonly version: string;
  readonly #index: AdvisoryIndex;
  readonly #settings: Settled;
  readonly #pool: WorkerPool;
  readonly #now: () => Date;

  constructor({ now = () => new Date(), ...options }: RematchOptions) {
    this.#settings = settle({ ...options, analysers: ["dependencies"] });
    const { registry, rules, advisories, analysers } = this.#settings;
    this.#index = openAdvisories(advisories);
    this.version = versionUnder(this.#index);
    this.#pool = new WorkerPool({ registry, config: { analysers, rules, advisories } }, this.#settings, 1);
    this.#now = now;
  }

  /**
   * Throws IndexDamaged where the advisories cannot be believed, or are replaced just now: nothing is known then. Throws PlastronError `internal` where what
   * was kept cannot be looked at: the artifact has to be scanned again.
   */
  async match(result: ScanResult, matchable: Matchable): Promise<{ result: ScanResult; matchable: Matchable }> {
    if (this.#index.damage) throw this.#index.damage;
    const facts = await unpacked(matchable).catch((error: Error) => {
      throw lost(`what was kept of the scan cannot be read: ${error.message.slice(0, 200)}`);
    });
    const look = facts.length === 0 ? NOTHING : await this.#look(facts);
    const damage = look.gaps.find(({ kind, reason }) => kind === "failed" && reason.startsWith("advisories_"));
    if (damage) throw new IndexDamaged("page_changed", damage.detail);
    const said = { gaps: look.gaps, notes: advisoryNotes(this.#index, this.#now()) };
    return { result: retold(result, matchable.said, said, look, this.version, this.#index), matchable: { facts: matchable.facts, said } };
  }

  close(): Promise<void> {
    return this.#pool.close();
  }

  async #look(facts: Awaited<ReturnType<typeof unpacked>>): Promise<CheckedLook> {
    const worker = await this.#pool.acquire();
    if ((await this.#pool.versions(1)).dependencies !== this.version) throw new IndexDamaged("manifest", "the advisories are being replaced");
    try {
      for (const { analyser, key, json } of facts) await worker.send({ type: "facts", analyser, key }, json);
      const look = await this.#hear(worker);
      await worker.send({ type: "forget" });
      this.#pool.release(worker);
      return look;
    } catch (error) {
      await worker.kill();
      throw error;
    }
  }

  async #hear(worker: WorkerProcess): Promise<CheckedLook> {
    let look: CheckedLook | null = null;
    await worker.send({ type: "project", analyser: "dependencies" });
    const outcome = await listen(worker, this.#settings.projectTimeoutMs, (_, arrived) => {
      look = checkLook("dependencies", "", arrived);
    });
    if (outcome.type !== "done") throw lost(outcome.gap.detail);
    if (look === null) throw lost("nothing was said");
    return look;
  }
}

/** The result with all that advisories say of it said anew. */
function retold(result: ScanResult, before: Matchable["said"], said: Matchable["said"], look: CheckedLook, version: string, index: AdvisoryIndex): ScanResult {
  const { coverage } = result;
  const gaps = [...without(coverage.gaps, before.gaps), ...look.gaps];
  const { dependencies } = coverage.analysers;
  return {
    ...result,
    status: gaps.some(({ matters }) => matters) ? "incomplete" : "complete",
    findings: [...result.findings.filter((finding) => !isOfAdvisory(finding)), ...foundIn(look)].toSorted(byUrgency),
    coverage: {
      ...coverage,
      ...{ gaps: shownGaps(gaps), gaps_total: coverage.gaps_total - before.gaps.length + look.gaps.length },
      ...{ advisories: { as_of: asOf(index.manifest), seed: index.manifest.seed }, notes: replaced(coverage.notes, before.notes, said.notes) },
      ...(dependencies ? { analysers: { ...coverage.analysers, dependencies: { ...dependencies, version } } } : {}),
    },
  };
}

/** Findings of packages are joined with and named among each other alone: the rest of a scan has no say in them, nor they in it. */
export function isOfAdvisory({ analyser, package: affected }: Pick<Finding, "analyser" | "package">): boolean {
  return analyser === "dependencies" && affected !== null;
}

function foundIn({ matches }: CheckedLook): Finding[] {
  return findingsOf(matches.filter(isOfAdvisory).map((match) => matchSchema.parse(match))).findings;
}

/** Each of `gone` once. */
function without(gaps: readonly Gap[], gone: readonly Gap[]): Gap[] {
  const left = new Map<string, number>();
  const named = ({ kind, analyser, path, reason, detail, matters }: Gap) => JSON.stringify([kind, analyser, path, reason, detail, matters]);
  for (const gap of gone) left.set(named(gap), (left.get(named(gap)) ?? 0) + 1);
  return gaps.filter((gap) => {
    const many = left.get(named(gap)) ?? 0;
    left.set(named(gap), many - 1);
    return many <= 0;
  });
}

function replaced(notes: readonly string[], old: readonly string[], fresh: readonly string[]): string[] {
  const at = notes.findIndex((note) => old.includes(note));
  if (at < 0) return [...notes, ...fresh];
  return [...notes.slice(0, at), ...fresh, ...notes.slice(at).filter((note) => !old.includes(note))];
}

function lost(detail: string): PlastronError {
  return new PlastronError("internal", `the scan's dependencies could not be held against the advisories: ${detail}`, { hint: "Scan the artifact again." });
}
