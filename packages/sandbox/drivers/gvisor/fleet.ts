import { availableParallelism } from "node:os";
import type { AgentStatus, Confinement, RunSpec, Runtime } from "@plastron/contracts";
import { DEFAULT_LIMITS } from "@plastron/contracts";
import type { Box } from "../local/box.ts";
import { resolveHidden } from "../local/hidden.ts";
import { Pool, StartGate } from "../local/pool.ts";
import { poolRow } from "../local/pool-row.ts";
import type { BoxKind } from "../local/sources.ts";
import { GuestSource, type GuestWorkshop, kindLimits } from "./source.ts";

/** When pools of guests grow and go. Tests use others than the defaults. */
export interface GuestFleetSettings {
  /** Guests held ready of every kind that is asked for: a start takes some 300 ms, so the second run must not wait for one. */
  held: number;
  poolMax: number;
  /** A pool that nobody asked for this long is given up. */
  idleMs: number;
  boxMaxAgeMs: number;
  /** What a confinement hides is looked up again this often: programs are installed while we run. */
  hiddenMaxAgeMs: number;
}

export const GUEST_FLEET_DEFAULTS: GuestFleetSettings = { held: 1, poolMax: 8, idleMs: 60_000, boxMaxAgeMs: 10 * 60_000, hiddenMaxAgeMs: 10 * 60_000 };

/** Runs that were on their way when their policy was replaced come in this long after each other, or not at all. */
const RETIRED_IDLE_MS = 1_000;

type Asked = Pick<RunSpec, "runtime" | "confinement" | "imports" | "limits">;
interface Held {
  kind: BoxKind;
  pool: Pool;
  /** Asked for by the operator: never given up for being idle. */
  kept: boolean;
}

/** What two runs must have in common to use the same warm guest. Memory, cpu, time and output are set when the run begins. */
function kindKey({ runtime, confinement, imports, limits }: Asked): string {
  const { workspace_bytes, open_files, pids } = limits;
  return [runtime, confinement.id, JSON.stringify(confinement.weak), imports.join(","), workspace_bytes, open_files, pids].join("|");
}

/** All warm guests, one pool for each kind. A guest has seen nobody's data, so tenants share pools. */
export class GuestFleet {
  readonly #shop: GuestWorkshop;
  readonly #settings: GuestFleetSettings;
  readonly #starts = new StartGate(availableParallelism());
  readonly #pools = new Map<string, Held>();
  readonly #hidden = new Map<string, Promise<string[]>>();
  readonly #retired = new Map<string, number>();
  #hiddenAt = performance.now();
  readonly #timer: NodeJS.Timeout;

  constructor(shop: GuestWorkshop, settings: GuestFleetSettings) {
    this.#shop = shop;
    this.#settings = settings;
    this.#timer = setInterval(() => this.#tend(), 500);
    this.#timer.unref();
  }

  async warm(runtime: Runtime, confinement: Confinement, imports: string[], count: number): Promise<void> {
    const held = await this.#heldFor({ runtime, confinement, imports, limits: DEFAULT_LIMITS }, count);
    held.kept = true;
  }

  /** A guest for this run, ready or the next to be ready. */
  async take(spec: Asked): Promise<{ box: Box; cold: boolean; kind: BoxKind }> {
    const held = await this.#heldFor(spec, this.#settings.held);
    try {
      return { ...(await held.pool.take()), kind: held.kind };
    } catch (error) {
      if (this.#pools.get(kindKey(spec)) === held) throw error;
      return this.take(spec); // the pool was given up while we waited
    }
  }

  /** A guest outside every pool, with exactly these limits. */
  async alone(spec: Asked, mode: "run" | "session"): Promise<Box> {
    return new GuestSource(this.#shop, { ...pick(spec), hidden: await this.#hiddenOf(spec.confinement) }, mode).start();
  }

  pools(): AgentStatus["pools"] {
    return [...this.#pools.values()].map(({ kind, pool }) => poolRow(kind, pool, null));
  }

  retire(confinement: string): void {
    this.#retired.set(confinement, performance.now());
    for (const [key, held] of this.#pools) if (held.kind.confinement.id === confinement && !held.kept) this.#giveUp(key, held);
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await Promise.all([...this.#pools.values()].map(({ pool }) => pool.close()));
  }

  async #heldFor(spec: Asked, count: number): Promise<Held> {
    const key = kindKey(spec);
    const known = this.#pools.get(key);
    if (known) return known;
    const hidden = await this.#hiddenOf(spec.confinement);
    const raced = this.#pools.get(key);
    if (raced) return raced;
    const kind: BoxKind = { ...pick(spec), limits: kindLimits(spec.limits), hidden };
    const { poolMax, boxMaxAgeMs } = this.#settings;
    const held = { kind, pool: new Pool(new GuestSource(this.#shop, kind), { min: count, max: poolMax, maxAgeMs: boxMaxAgeMs }, this.#starts), kept: false };
    this.#pools.set(key, held);
    return held;
  }

  #hiddenOf(confinement: Confinement): Promise<string[]> {
    const known = this.#hidden.get(confinement.id);
    if (known) return known;
    const found = resolveHidden(confinement, this.#shop.sources.usr);
    this.#hidden.set(confinement.id, found);
    found.catch(() => this.#hidden.delete(confinement.id));
    return found;
  }

  #tend(): void {
    const now = performance.now();
    if (now - this.#hiddenAt > this.#settings.hiddenMaxAgeMs) {
      this.#hiddenAt = now;
      this.#hidden.clear();
      for (const [key, held] of this.#pools)
        this.#lookAgain(key, held).catch((error: Error) => this.#shop.log("what a confinement hides could not be looked up again", { error: error.message }));
    }
    for (const [key, held] of this.#pools) {
      held.pool.tend(now);
      const idle = now - held.pool.lastTake;
      if (!held.kept && idle > (this.#retired.has(held.kind.confinement.id) ? RETIRED_IDLE_MS : this.#settings.idleMs)) this.#giveUp(key, held);
    }
    for (const [confinement, since] of this.#retired) if (now - since > this.#settings.idleMs) this.#retired.delete(confinement);
  }

  /** A pool whose guests would leave a new program unhidden is given up; the next run makes another. */
  async #lookAgain(key: string, held: Held): Promise<void> {
    const hidden = await this.#hiddenOf(held.kind.confinement);
    if (hidden.join("\n") === held.kind.hidden.join("\n") || this.#pools.get(key) !== held) return;
    this.#giveUp(key, held);
    if (held.kept) await this.warm(held.kind.runtime, held.kind.confinement, held.kind.imports, held.pool.target);
  }

  #giveUp(key: string, held: Held): void {
    this.#pools.delete(key);
    void held.pool.close();
  }
}

const pick = ({ runtime, confinement, imports, limits }: Asked): Asked => ({ runtime, confinement, imports, limits });
