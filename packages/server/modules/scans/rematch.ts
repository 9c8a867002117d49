import { type Finding, newId, PlastronError, type ScanResult } from "@plastron/contracts";
import { type AdvisoriesInUse, advisoriesInUse, type Matchable, Rematcher, reconcile } from "@plastron/scan";
import type { RematchStore, Stale } from "./rematch-store.ts";
import type { Decided } from "./store.ts";

/** What an artifact's projects say of it by this result; written by the caller. `opened` was never known before, whatever others have. */
export type JudgeAgain = (tenant: string, artifact: string, by: { id: string; result: ScanResult }, opened: readonly Finding[]) => Promise<Decided>;

/** How long a result is one server's: what a killed one was at, another takes after that. */
const LEASE_SECONDS = 300;
/** What could not be done now is tried again. */
const LATER_SECONDS = 60;

interface Parts {
  store: RematchStore;
  results: { result(tenant: string, id: string): Promise<ScanResult | undefined> };
  judge: JudgeAgain;
  /** Whether a tenant may have one more scan waiting. */
  room(tenant: string): Promise<boolean>;
  wake(): void;
  /** Where compiled advisories are; null: the seed. */
  directory: string | null;
  onError(error: Error): void;
}

/** Why advisories change nothing. */
interface Refusal {
  readonly reason: string;
  readonly detail: string;
}

/** How it stands with this server's advisories. */
export interface AdvisoryState {
  state: "in_use" | "damaged" | "older" | "unknown";
  detail: string | null;
  as_of: string | null;
  seed: boolean;
  /** Stored results that these were not held against yet. */
  waiting: number;
}

/**
 * Holds what is stored against advisories that are new here, one result at a time: each is written with its events and its admissions in one transaction,
 * so that a server which is killed leaves none half done, and another goes on. Advisories that are damaged, or older than what another server has had, change nothing.
 */
export class Rematching {
  readonly #parts: Parts;
  #state: AdvisoryState = { state: "unknown", detail: null, as_of: null, seed: false, waiting: 0 };
  #told = "";
  #running: Promise<void> | null = null;
  #rematcher: Rematcher | null = null;
  #closed = false;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  get state(): AdvisoryState {
    return this.#state;
  }

  /** Looks whether the advisories are others than they were, and if so holds everything against them. One at a time. */
  look(): Promise<void> {
    this.#running ??= this.#look().finally(() => {
      this.#running = null;
    });
    return this.#running;
  }

  /** Leaves the result that it is at to another server. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#rematcher?.close();
    await this.#running?.catch(() => {});
  }

  async #look(): Promise<void> {
    const own = advisoriesInUse(this.#parts.directory);
    const refused = own.damage ?? (await this.#taken(own));
    if (refused) {
      this.#state = { ...this.#state, state: refused.reason === "older" ? "older" : "damaged", detail: refused.detail };
      await this.#tell(own, refused);
    } else this.#state = { state: "in_use", detail: null, as_of: own.asOf, seed: own.seed, waiting: 0 };
    if (!own.damage) this.#state.waiting = await this.#parts.store.waiting(own.version);
  }

  /** Null where all is held against them now; else why not. */
  async #taken(own: AdvisoriesInUse): Promise<Refusal | null> {
    if ((await this.#parts.store.take(own)) === "older") {
      return { reason: "older", detail: "another server on this database has had newer advisories: what is stored stays as those say" };
    }
    return (await this.#parts.store.waiting(own.version)) === 0 ? null : this.#all(own);
  }

  /** The operator is told once of each. */
  async #tell(own: AdvisoriesInUse, why: Refusal): Promise<void> {
    if (this.#told === `${own.id} ${why.reason}`) return;
    this.#told = `${own.id} ${why.reason}`;
    await this.#parts.store.refused(own, why);
    this.#parts.onError(new Error(`advisories are not taken: ${why.detail}`));
  }

  async #all(own: AdvisoriesInUse): Promise<Refusal | null> {
    const rematcher = new Rematcher({ advisories: this.#parts.directory });
    this.#rematcher = rematcher;
    try {
      // A swap between two looks: the next look sees it.
      if (rematcher.version !== own.version) return null;
      for (let page = await this.#parts.store.page(own.version); page.length > 0 && !this.#closed; page = await this.#parts.store.page(own.version)) {
        for (const id of page) {
          const stale = this.#closed ? undefined : await this.#parts.store.claim(id, own.version, LEASE_SECONDS);
          if (stale) await this.#one(stale, own, rematcher);
        }
      }
      return null;
    } catch (error) {
      if (error instanceof Error && error.name === "IndexDamaged") return { reason: "damaged", detail: error.message };
      throw error;
    } finally {
      this.#rematcher = null;
      await rematcher.close();
    }
  }

  /** Throws IndexDamaged where no other result needs to be tried now. */
  async #one(stale: Stale, own: AdvisoriesInUse, rematcher: Rematcher): Promise<void> {
    const { store, results } = this.#parts;
    try {
      const [before, kept] = [await results.result(stale.tenant, stale.id), await store.matchable(stale)];
      if (before && kept) await this.#match(stale, before, kept, rematcher);
      else await this.#rescan(stale, own, "nothing was kept of it that could be matched");
    } catch (error) {
      if (this.#closed) return store.release(stale);
      if (error instanceof PlastronError && error.code === "internal") return this.#rescan(stale, own, error.message);
      const damaged = error instanceof Error && error.name === "IndexDamaged";
      await store.release(stale, damaged ? 0 : LATER_SECONDS);
      if (damaged) throw error;
      this.#parts.onError(error as Error);
    }
  }

  async #match(stale: Stale, before: ScanResult, kept: Matchable, rematcher: Rematcher): Promise<void> {
    const { result, matchable } = await rematcher.match(before, kept);
    const { fresh: opened, gone: closed, pairs } = reconcile(before.findings, result.findings);
    const worse = pairs.flatMap((pair) => (pair.worse ? [pair.head] : []));
    const decided = await this.#parts.judge(stale.tenant, stale.artifact, { id: stale.id, result }, [...opened, ...worse]);
    await this.#parts.store.put(stale, before, { result, matchable, opened, closed }, decided);
  }

  /** As soon as its tenant has room for one more. */
  async #rescan(stale: Stale, own: AdvisoriesInUse, why: string): Promise<void> {
    if (!(await this.#parts.room(stale.tenant))) return this.#parts.store.release(stale, LATER_SECONDS);
    await this.#parts.store.rescan(stale, own.version, newId("scan"), why);
    this.#parts.wake();
  }
}
