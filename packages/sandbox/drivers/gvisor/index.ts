import { readdir, rmdir } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { PlastronError, type RunResult, type RunSpec, type Tier } from "@plastron/contracts";
import type { Control, DriverOptions, Output, SandboxDriver, Session, SessionSpec } from "../../driver.ts";
import { refuseImage } from "../../images/index.ts";
import { Admission } from "../local/admission.ts";
import { type Box, NeverStarted, type RunEnd } from "../local/box.ts";
import { knobValues, reclaimCgroups } from "../local/cgroups.ts";
import { Hands } from "../local/hands.ts";
import { phasesOf } from "../local/result.ts";
import { LocalSession, type SessionBox } from "../local/session.ts";
import type { BoxKind } from "../local/sources.ts";
import { describeGuestEnd, guestEnd } from "./end.ts";
import { GUEST_FLEET_DEFAULTS, GuestFleet, type GuestFleetSettings } from "./fleet.ts";
import { requireHonoured } from "./honoured.ts";
import type { Platform } from "./runsc.ts";
import { type GuestWorkshop, hostLimits } from "./source.ts";
import { traceOf } from "./trace/index.ts";
import { openWorkshop, provePossible } from "./workshop.ts";

export { guestsGroup } from "./workshop.ts";

const TIER: Tier = 3;
const SWEEP_MS = 30_000;
const MAX_SESSIONS = 32;
const MAX_TRIES = 10;

export interface GvisorOptions extends Partial<GuestFleetSettings> {
  /** Default: ptrace, which every runsc and every machine has. */
  platform?: Platform;
  /** How long the first guest may take to start before the driver is given up, in milliseconds. */
  probeMs?: number;
}

/**
 * The driver of tier 3: each program has a kernel of its own, gVisor's, in a sandbox that the local driver's supervisor makes
 * and ends like any other (own uids, cgroup, namespaces). Pools, statuses and limits are the local driver's; docs/guides/gvisor.md says
 * what differs. Errors: sandbox_failed with what is missing, or with what the first guest said.
 */
export async function openGvisorDriver(options: DriverOptions, settings: GvisorOptions = {}): Promise<SandboxDriver> {
  const shop = await openWorkshop(options, settings.platform ?? "ptrace");
  const fleet = new GuestFleet(shop, { ...GUEST_FLEET_DEFAULTS, ...settings });
  const driver = new GvisorDriver(options, shop, fleet);
  try {
    await provePossible(shop, fleet, settings.probeMs ?? 15_000);
    for (const { runtime, confinement, count, imports } of options.warm ?? []) await fleet.warm(runtime, confinement, imports ?? [], count);
    return driver;
  } catch (error) {
    await driver.close();
    throw error;
  }
}

/** A guest as runs and sessions use it: what its kernel counted and told stands in for what the host's cgroup and sensor would have. */
function guestBox(box: Box): SessionBox {
  return {
    get state() {
      return box.state;
    },
    gone: box.gone,
    destroy: () => box.destroy(),
    run: async (program, knobs, output, control) => {
      const trace = traceOf(box);
      const started = () => {
        trace.begin(program.sensing);
        output.started?.();
      };
      const end = guestEnd(await box.run(program, knobs, { ...output, started }, control));
      return { ...end, telemetry: trace.end() };
    },
    freeze: () => box.freeze(),
    thaw: () => box.thaw(),
    kill: (reason) => box.kill(reason),
  };
}

class GvisorDriver implements SandboxDriver {
  readonly name = "gvisor";
  readonly tier = TIER;
  readonly #shop: GuestWorkshop;
  readonly #fleet: GuestFleet;
  readonly #admission: Admission;
  readonly #sessions = new Set<Session>();
  readonly #hands = new Hands();
  readonly #sweep: NodeJS.Timeout;

  constructor(options: DriverOptions, shop: GuestWorkshop, fleet: GuestFleet) {
    this.#shop = shop;
    this.#fleet = fleet;
    this.#admission = new Admission(options.maxRunning ?? Math.max(8, availableParallelism() * 4), options.maxQueued ?? 256);
    this.#sweep = setInterval(() => void this.#sweepCgroups(), SWEEP_MS);
    this.#sweep.unref();
  }

  async run(spec: RunSpec, output: Output, control?: Control): Promise<RunResult> {
    refuseImage(this.name, spec.image);
    this.#require(spec);
    const begun = performance.now();
    const leave = await this.#admission.enter(control?.signal);
    const admitted = performance.now();
    try {
      const { end, cold, acquired } = await this.#runInFreshGuest(spec, output, control, MAX_TRIES);
      return {
        ...describeGuestEnd(end, spec.limits),
        stdout: "",
        stderr: "",
        sandbox: { driver: this.name, tier: this.tier, start: cold ? "cold" : "warm", source: "process", confinement: spec.confinement.id },
        phases_us: phasesOf({ begun, admitted, acquired, finished: performance.now() }, end),
      };
    } finally {
      leave();
    }
  }

  /** A warm guest can have died unseen since it became ready; its program then has not begun, and gets the next one. */
  async #runInFreshGuest(
    spec: RunSpec,
    output: Output,
    control: Control | undefined,
    tries: number,
  ): Promise<{ end: RunEnd; cold: boolean; acquired: number }> {
    try {
      const { box, cold, kind } = await this.#fleet.take(spec);
      const acquired = performance.now();
      const guest = guestBox(box);
      return { cold, acquired, end: await this.#hands.on(guest, spec, () => guest.run(spec, this.#knobs(kind, spec), output, control)) };
    } catch (error) {
      if (!(error instanceof NeverStarted) || tries <= 1 || control?.stdin || control?.signal?.aborted) throw error;
      return this.#runInFreshGuest(spec, output, control, tries - 1);
    }
  }

  async openSession(spec: SessionSpec): Promise<Session> {
    refuseImage(this.name, spec.image);
    this.#require(spec);
    if (this.#sessions.size >= MAX_SESSIONS) {
      throw new PlastronError("overloaded", `${this.#sessions.size} sessions are open in gVisor, which is as many as this agent keeps`, {
        retryAfterSeconds: 30,
      });
    }
    const box = await this.#fleet.alone(spec, "session");
    const session = new LocalSession(spec, guestBox(box), this.name, this.tier, this.#hands);
    this.#sessions.add(session);
    void box.gone.then(() => this.#sessions.delete(session));
    return session;
  }

  freeze(run_id: string, tenant: string): Promise<void> {
    return this.#hands.freeze(run_id, tenant);
  }

  thaw(run_id: string, tenant: string): Promise<void> {
    return this.#hands.thaw(run_id, tenant);
  }

  retire(confinement: string): void {
    this.#fleet.retire(confinement);
  }

  status() {
    const { running, queued } = this.#admission;
    return { driver: this.name, tier: this.tier, running, queued, sessions: this.#sessions.size, pools: this.#fleet.pools() };
  }

  async close(): Promise<void> {
    clearInterval(this.#sweep);
    this.#admission.close();
    await Promise.all([...this.#sessions].map((session) => session.close("the agent is closing")));
    await this.#fleet.close();
    this.#shop.forge.close();
    await this.#shop.supervisors.close();
    await reclaimCgroups(this.#shop.cgroups);
    for (const dir of this.#shop.cgroups.dirs) await rmdir(dir).catch(() => {});
  }

  #require({ min_tier, confinement }: Pick<RunSpec, "min_tier" | "confinement">): void {
    const wanted = Math.max(min_tier, confinement.min_tier);
    if (wanted > TIER) throw new PlastronError("tier_unavailable", `tier ${wanted} was asked for; the gvisor driver gives tier ${TIER}`);
    requireHonoured(confinement, this.#shop.guestProc);
  }

  /** Only what differs from what the guest was made with costs a write. */
  #knobs(kind: BoxKind, spec: RunSpec): Record<string, string> {
    const made = knobValues(this.#shop.cgroups, hostLimits(kind.limits));
    const wanted = knobValues(this.#shop.cgroups, hostLimits(spec.limits));
    return Object.fromEntries(Object.entries(wanted).filter(([knob, value]) => made[knob as keyof typeof made] !== value));
  }

  async #sweepCgroups(): Promise<void> {
    const names = new Set<string>();
    for (const dir of this.#shop.cgroups.dirs) for (const entry of await readdir(dir).catch(() => [])) if (entry.startsWith("box-")) names.add(entry);
    for (const name of names) if (!this.#shop.living.has(name)) await reclaimCgroups(this.#shop.cgroups, name);
  }
}
