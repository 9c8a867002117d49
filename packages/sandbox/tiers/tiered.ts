import { PlastronError, type RunResult, type RunSpec, type Tier } from "@plastron/contracts";
import type { Control, Output, SandboxDriver, Session, SessionSpec } from "../driver.ts";
import type { LazyDriver } from "./lazy.ts";

/**
 * One driver that sends each run and session where its tier is: to the everyday driver whatever that is strong enough for, to
 * the strong one the rest. Nothing is ever run below the tier that it, or its policy, asks for.
 */
export class TieredDriver implements SandboxDriver {
  readonly #everyday: SandboxDriver;
  readonly #strong: LazyDriver;

  constructor(everyday: SandboxDriver, strong: LazyDriver) {
    this.#everyday = everyday;
    this.#strong = strong;
  }

  /** Of the everyday driver: what a run gets that asks for nothing. */
  get name(): string {
    return this.#everyday.name;
  }
  get tier(): Tier {
    return this.#everyday.tier;
  }

  get images(): SandboxDriver["images"] {
    return this.#everyday.images;
  }

  async run(spec: RunSpec, output: Output, control?: Control): Promise<RunResult> {
    return (await this.#for(spec)).run(spec, output, control);
  }

  async openSession(spec: SessionSpec): Promise<Session> {
    return (await this.#for(spec)).openSession(spec);
  }

  freeze(run_id: string, tenant: string): Promise<void> {
    return this.#hold("freeze", run_id, tenant);
  }

  thaw(run_id: string, tenant: string): Promise<void> {
    return this.#hold("thaw", run_id, tenant);
  }

  /** Where it runs is not known by its id: whoever has it answers. */
  async #hold(deed: "freeze" | "thaw", run_id: string, tenant: string): Promise<void> {
    const drivers = [this.#everyday, this.#strong.opened].filter((driver) => driver !== undefined);
    for (const driver of drivers.filter((each) => each[deed])) {
      try {
        return await driver[deed]?.(run_id, tenant);
      } catch (error) {
        if (!(error instanceof PlastronError) || error.code !== "not_found") throw error;
      }
    }
    const unable = drivers.find((driver) => !driver[deed]);
    if (unable) throw new PlastronError("conflict", `The ${unable.name} driver cannot hold a run still`, { hint: "Cancel the run instead." });
    throw new PlastronError("not_found", "No such run is under way");
  }

  retire(confinement: string): void {
    this.#everyday.retire?.(confinement);
    this.#strong.opened?.retire?.(confinement);
  }

  status(): ReturnType<SandboxDriver["status"]> {
    const everyday = this.#everyday.status();
    const strong = this.#strong.opened?.status();
    if (!strong) return everyday;
    return {
      ...everyday,
      running: everyday.running + strong.running,
      queued: everyday.queued + strong.queued,
      sessions: everyday.sessions + strong.sessions,
      pools: [...everyday.pools, ...strong.pools],
    };
  }

  async close(): Promise<void> {
    await Promise.all([this.#everyday.close(), this.#strong.close()]);
  }

  async #for({ min_tier, confinement }: Pick<RunSpec, "min_tier" | "confinement">): Promise<SandboxDriver> {
    const wanted = Math.max(min_tier, confinement.min_tier);
    if (wanted <= this.#everyday.tier) return this.#everyday;
    if (wanted <= this.#strong.tier) return this.#strong.get();
    throw new PlastronError("tier_unavailable", `tier ${wanted} was asked for; the strongest driver, ${this.#strong.name}, gives tier ${this.#strong.tier}`);
  }
}
