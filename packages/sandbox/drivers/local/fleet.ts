import { availableParallelism } from "node:os";
import { type AgentStatus, type Confinement, DEFAULT_LIMITS, type RunSpec, type Runtime } from "@plastron/contracts";
import { coverImage, type ImageMount } from "../../images/index.ts";
import { RUNTIMES } from "../../runtimes/index.ts";
import type { Box } from "./box.ts";
import { FLEET_DEFAULTS, type FleetSettings } from "./fleet-settings.ts";
import { resolveHidden } from "./hidden.ts";
import { type Asked, kindKey, ownProcessOnly } from "./kind.ts";
import { type BoxSource, Pool, Rate, StartGate } from "./pool.ts";
import { poolRow } from "./pool-row.ts";
import { type BoxKind, ProcessSource, type Workshop } from "./sources.ts";
import { ZygoteSource } from "./zygote.ts";

/** So many pools of images hold one sandbox ready while they are in use at all: importing numpy takes longer than most runs do. */
const MAX_IMAGE_POOLS = 8;

/** Runs that were on their way when their policy was replaced come in this long after each other, or not at all. */
const RETIRED_IDLE_MS = 1_000;

interface Shared {
  kind: BoxKind;
  pool: Pool;
  min: number;
}

interface Tenant {
  tenant: string;
  shared: Shared;
  rate: Rate;
  zygote: { source: ZygoteSource; pool: Pool } | "starting" | undefined;
  /** After a zygote could not be made (an import started threads): do not try again before. */
  notBefore: number;
}

/** A living zygote serves all of its tenant's runs: even waiting for its next child costs less than a start of one's own. */
function zygotePool({ zygote }: Tenant): Pool | undefined {
  return typeof zygote === "object" && zygote.source.alive ? zygote.pool : undefined;
}

/** All warm sandboxes: one pool per kind for everybody, and for a busy tenant a zygote with a pool of its own. */
export class Fleet {
  readonly #shop: Workshop;
  readonly #starts = new StartGate(Math.max(2, availableParallelism()));
  readonly #forks = new StartGate(4);
  readonly #shared = new Map<string, Shared>();
  readonly #tenants = new Map<string, Tenant>();
  readonly #hidden = new Map<string, Promise<string[]>>();
  /** Confinements that a policy no longer compiles to → when that was said. Forgotten in time: a policy can be put back. */
  readonly #retired = new Map<string, number>();
  #hiddenAt = performance.now();
  readonly #timer: NodeJS.Timeout;

  readonly #settings: FleetSettings;

  constructor(shop: Workshop, settings: FleetSettings = FLEET_DEFAULTS) {
    this.#shop = shop;
    this.#settings = settings;
    this.#timer = setInterval(() => this.#tend(), 500);
    this.#timer.unref();
  }

  async warm(runtime: Runtime, confinement: Confinement, imports: string[], count: number): Promise<void> {
    const shared = await this.#sharedFor({ runtime, confinement, imports, limits: DEFAULT_LIMITS }, count);
    shared.pool.refill();
  }

  /** A box for this run: from the tenant's zygote while it lives, else from the shared pool, ready or the next to be ready. */
  async take(spec: RunSpec): Promise<{ box: Box; source: BoxSource["kind"]; cold: boolean; kind: BoxKind }> {
    if (spec.sensing === "model") return this.#takeEarly(spec);
    const shared = await this.#sharedFor(spec, 0);
    const tenant = this.#tenantOf(spec, shared);
    tenant?.rate.add();
    const own = tenant && zygotePool(tenant);
    if (tenant && own) {
      try {
        return { ...(await own.take()), source: "zygote", kind: shared.kind };
      } catch (error) {
        /* Else it was replaced for its age while we waited: that one has not failed, nor has its successor. */
        if (zygotePool(tenant) === own) this.#giveUpZygote(tenant, error as Error);
      }
    }
    try {
      return { ...(await shared.pool.take()), source: "process", kind: shared.kind };
    } catch (error) {
      if (this.#shared.get(kindKey(spec)) === shared) throw error;
      return this.take(spec); // the pool was given up while we waited (#lookAgain)
    }
  }

  /** A behaviour profile has the interpreter's start in it, which that of a warm sandbox is over. */
  async #takeEarly(spec: RunSpec): Promise<{ box: Box; source: "process"; cold: true; kind: BoxKind }> {
    const { runtime, confinement, imports, limits } = spec;
    const image = await this.#mountOf(spec);
    const kind: BoxKind = { runtime, confinement, imports, limits, image, hidden: await this.#hiddenOf(confinement, image) };
    return { box: await new ProcessSource(this.#shop, kind, "run", spec).start(), source: "process", cold: true, kind };
  }

  /** A sandbox outside every pool, with exactly these limits. */
  async alone(spec: Asked & Pick<BoxKind, "shown">, mode: "run" | "session", shop: Workshop = this.#shop): Promise<Box> {
    const { runtime, confinement, imports, limits, shown } = spec;
    const image = await this.#mountOf(spec);
    const hidden = await this.#hiddenOf(confinement, image);
    return new ProcessSource(shop, { runtime, confinement, imports, limits, image, hidden, ...(shown ? { shown } : {}) }, mode).start();
  }

  pools(): AgentStatus["pools"] {
    const shared = [...this.#shared.values()].map(({ kind, pool }) => poolRow(kind, pool, null));
    const own = [...this.#tenants.values()].flatMap((tenant) =>
      typeof tenant.zygote === "object" ? [poolRow(tenant.shared.kind, tenant.zygote.pool, tenant.tenant)] : [],
    );
    return [...shared, ...own];
  }

  /** Gives up the pools and zygotes of a confinement whose policy was replaced; what late runs make of it goes soon after them. */
  retire(confinement: string): void {
    this.#retired.set(confinement, performance.now());
    for (const [key, shared] of this.#shared) if (shared.kind.confinement.id === confinement && shared.min === 0) this.#giveUp(key, shared);
  }

  /** Lets the warm sandboxes of an image go. False where a program still uses it. */
  async giveUpImage(id: string): Promise<boolean> {
    const pools = [...this.#shared].filter(([, { kind }]) => kind.image?.id === id);
    for (const [key, shared] of pools) this.#giveUp(key, shared);
    await Promise.all(pools.map(([, { pool }]) => pool.close()));
    return !this.#shop.shelf.isHeld(id);
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    const zygotes = [...this.#tenants.values()].map(async ({ zygote }) => {
      if (typeof zygote === "object") await Promise.all([zygote.pool.close(), zygote.source.close()]);
    });
    await Promise.all([...zygotes, ...[...this.#shared.values()].map(({ pool }) => pool.close())]);
  }

  async #sharedFor(spec: Asked, min: number): Promise<Shared> {
    const { runtime, confinement, imports, limits } = spec;
    const key = kindKey(spec);
    const known = this.#shared.get(key);
    if (known) return known;
    const image = await this.#mountOf(spec);
    const hidden = await this.#hiddenOf(confinement, image);
    const raced = this.#shared.get(key);
    if (raced) return raced;
    /* Made with the default limits; a run's own are written to the cgroup when it begins. */
    const kind: BoxKind = {
      runtime,
      confinement,
      hidden,
      imports,
      image,
      limits: { ...DEFAULT_LIMITS, workspace_bytes: limits.workspace_bytes, open_files: limits.open_files },
    };
    const held = image && this.#imagePools() < MAX_IMAGE_POOLS ? Math.max(min, 1) : min;
    const pool = new Pool(
      new ProcessSource(this.#shop, kind),
      { min: held, max: this.#settings.processPoolMax, maxAgeMs: this.#settings.boxMaxAgeMs },
      this.#starts,
    );
    const shared = { kind, pool, min };
    this.#shared.set(key, shared);
    this.#makeRoom();
    return shared;
  }

  async #mountOf({ image, runtime }: Asked): Promise<ImageMount | undefined> {
    return image ? this.#shop.shelf.mount(image, runtime) : undefined;
  }

  async #hiddenOf(confinement: Confinement, image: ImageMount | undefined): Promise<string[]> {
    const hidden = await this.#hiddenInRoot(confinement);
    return image ? [...hidden, ...(await coverImage(confinement, image))] : hidden;
  }

  #hiddenInRoot(confinement: Confinement): Promise<string[]> {
    const { hidden, forbidden_programs: programs, unexecutable, executables } = confinement;
    const key = JSON.stringify([hidden, programs, unexecutable, executables]); // one for a policy with many networks
    const known = this.#hidden.get(key);
    if (known) return known;
    const found = resolveHidden(confinement, this.#shop.sources.usr);
    this.#hidden.set(key, found);
    found.catch(() => this.#hidden.delete(key)); // a walk that failed is made again for the next run
    return found;
  }

  #tenantOf(spec: RunSpec, shared: Shared): Tenant | undefined {
    /* Network namespaces are made late in a zygote's children, where no relay could be put into them. */
    if (spec.image !== null || !RUNTIMES[spec.runtime].zygote || spec.confinement.network !== null || ownProcessOnly(spec.confinement)) return undefined;
    const key = `${spec.tenant}|${kindKey(spec)}`;
    let tenant = this.#tenants.get(key);
    if (!tenant) {
      tenant = { tenant: spec.tenant, shared, rate: new Rate(performance.now()), zygote: undefined, notBefore: 0 };
      this.#tenants.set(key, tenant);
    }
    return tenant;
  }

  #tend(): void {
    const now = performance.now();
    if (now - this.#hiddenAt > this.#settings.hiddenMaxAgeMs) {
      this.#hiddenAt = now;
      this.#hidden.clear();
      for (const [key, shared] of this.#shared) {
        this.#lookAgain(key, shared).catch((error: Error) => this.#shop.log("what a confinement hides could not be looked up again", { error: error.message }));
      }
    }
    for (const [key, shared] of this.#shared) {
      shared.pool.tend(now);
      const idle = now - shared.pool.lastTake;
      const used = [...this.#tenants.values()].some((tenant) => tenant.shared === shared);
      if (shared.min === 0 && !used && idle > this.#settings.idleMs) this.#giveUp(key, shared);
      else if (shared.min === 0 && idle > RETIRED_IDLE_MS && this.#retired.has(shared.kind.confinement.id)) this.#giveUp(key, shared);
    }
    for (const [confinement, since] of this.#retired) if (now - since > this.#settings.idleMs) this.#retired.delete(confinement);
    for (const [key, tenant] of this.#tenants) this.#tendTenant(key, tenant, now);
  }

  /** A pool whose sandboxes would leave a new program unhidden is given up, with the zygotes beside it. */
  async #lookAgain(key: string, shared: Shared): Promise<void> {
    const hidden = await this.#hiddenOf(shared.kind.confinement, shared.kind.image);
    if (hidden.join("\n") === shared.kind.hidden.join("\n") || this.#shared.get(key) !== shared) return;
    this.#giveUp(key, shared);
    if (shared.min > 0) await this.#sharedFor({ ...shared.kind, image: shared.kind.image?.id ?? null }, shared.min);
  }

  /** Each run may ask for another network: pools that nobody came back to go before their time. */
  #makeRoom(): void {
    if (this.#shared.size <= this.#settings.maxPools) return;
    const [oldest, ...others] = [...this.#shared].filter(([, { min }]) => min === 0).sort(([, a], [, b]) => a.pool.lastTake - b.pool.lastTake);
    if (oldest && others.length > 0) this.#giveUp(...oldest);
  }

  /** A run that waits for this pool asks again, and gets a new one; what runs goes on. */
  #giveUp(key: string, shared: Shared): void {
    this.#shared.delete(key);
    for (const [name, tenant] of this.#tenants) {
      if (tenant.shared !== shared) continue;
      this.#tenants.delete(name);
      void this.#dropZygote(tenant);
    }
    void shared.pool.close();
  }

  #tendTenant(key: string, tenant: Tenant, now: number): void {
    const rate = tenant.rate.update(now);
    const { zygote } = tenant;
    if (
      zygote === undefined &&
      (rate * tenant.shared.pool.startMs) / 1000 >= this.#settings.zygoteCores &&
      now >= tenant.notBefore &&
      this.#zygotes() < this.#settings.maxZygotes
    )
      void this.#openZygote(tenant);
    if (typeof zygote === "object") {
      const worn = now - zygote.source.bornAt > this.#settings.zygoteMaxAgeMs || zygote.source.made > this.#settings.zygoteMaxChildren;
      const idle = now - zygote.pool.lastTake > this.#settings.idleMs / 2;
      if (!zygote.source.alive || worn || idle) void this.#dropZygote(tenant);
      else zygote.pool.tend(now);
    }
    const quiet = rate === 0 && tenant.zygote === undefined;
    if (quiet && now - tenant.shared.pool.lastTake > this.#settings.idleMs) this.#tenants.delete(key);
  }

  #imagePools(): number {
    return [...this.#shared.values()].filter(({ kind }) => kind.image).length;
  }

  #zygotes(): number {
    return [...this.#tenants.values()].filter((tenant) => tenant.zygote !== undefined).length;
  }

  async #openZygote(tenant: Tenant): Promise<void> {
    tenant.zygote = "starting";
    try {
      const source = await ZygoteSource.open(this.#shop, tenant.shared.kind);
      if ((tenant as Tenant).zygote !== "starting") return await source.retire(); // its pool was given up meanwhile
      tenant.zygote = { source, pool: new Pool(source, { min: 2, max: this.#settings.zygotePoolMax, maxAgeMs: this.#settings.boxMaxAgeMs }, this.#forks) };
    } catch (error) {
      this.#giveUpZygote(tenant, error as Error);
    }
  }

  /** A zygote that fails once is not asked again; the tenant stays on the shared pool for a while. */
  #giveUpZygote(tenant: Tenant, error: Error): void {
    tenant.notBefore = performance.now() + this.#settings.idleMs;
    void this.#dropZygote(tenant);
    this.#shop.log("a zygote failed; its tenant stays on the shared pool", { tenant: tenant.tenant, error: error.message });
  }

  /** No new children; those that run end by themselves before the zygote's namespaces go. */
  async #dropZygote(tenant: Tenant): Promise<void> {
    const { zygote } = tenant;
    tenant.zygote = undefined;
    if (typeof zygote !== "object") return;
    await zygote.pool.close();
    await zygote.source.retire();
  }
}
