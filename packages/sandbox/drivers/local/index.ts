import { accessSync, constants } from "node:fs";
import { mkdir, readdir, rmdir } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { type Confinement, DEFAULT_LIMITS, NO_RULES, PlastronError, type RunResult, type RunSpec, type Tier } from "@plastron/contracts";
import type { Control, DriverOptions, Output, SandboxDriver, Session, SessionSpec } from "../../driver.ts";
import { ImageStore, Shelf } from "../../images/index.ts";
import { Admission } from "./admission.ts";
import { NeverStarted, type RunEnd } from "./box.ts";
import { LocalImages } from "./builds.ts";
import { findCgroups, groupName, knobValues, prepareCgroups, reclaimCgroups } from "./cgroups.ts";
import { Egress } from "./egress.ts";
import { Fleet } from "./fleet.ts";
import { FLEET_DEFAULTS, type FleetSettings } from "./fleet-settings.ts";
import { Forge } from "./forge.ts";
import { Hands } from "./hands.ts";
import { HookGroups } from "./hooks.ts";
import { describeEnd, phasesOf } from "./result.ts";
import { LocalSession } from "./session.ts";
import type { BoxKind, Workshop } from "./sources.ts";
import { SupervisorSocket } from "./supervisors.ts";
import { UidPool } from "./uids.ts";

const NATIVE = fileURLToPath(new URL("../../native/build/", import.meta.url));
const RUNTIMES = fileURLToPath(new URL("../../runtimes", import.meta.url));
const TIER: Tier = 2;
/** Between systemd's dynamic users and the end of the range that containers use. */
const DEFAULT_UID_BASE = 1_900_000_000;
const SWEEP_MS = 30_000;

/** Whether the native parts are built; without them this driver cannot be used. */
export function localDriverMissing(): string | null {
  try {
    for (const name of ["plastron-launcher", "plastron-hooks", "libplastron-zygote.so"]) accessSync(NATIVE + name, constants.R_OK);
    return process.getuid?.() === 0 ? null : "it needs root";
  } catch {
    return "the native parts are not built";
  }
}

/**
 * The driver of DESIGN §6: own namespaces, uid and cgroup per sandbox, warm pools. Life of a run: admission (a bound on how
 * many run) → a box from the fleet → its supervisor runs the program → the result; destroying and refilling happen behind it.
 */
export async function openLocalDriver(options: DriverOptions, settings: Partial<FleetSettings> = {}): Promise<SandboxDriver> {
  const missing = localDriverMissing();
  if (missing !== null) throw new PlastronError("sandbox_failed", `the local driver cannot be used: ${missing}`);
  const shop = await openWorkshop(options);
  const fleet = new Fleet(shop, { ...FLEET_DEFAULTS, ...settings });
  await provePossible(shop, fleet);
  for (const { runtime, confinement, count, imports } of options.warm ?? []) await fleet.warm(runtime, confinement, imports ?? [], count);
  return new LocalDriver(options, shop, fleet);
}

/** A sandbox is made before anybody is told that there can be one: a host that refuses a step is found out now, by its name. */
async function provePossible(shop: Workshop, fleet: Fleet): Promise<void> {
  try {
    const box = await fleet.alone({ runtime: "bash", confinement: PROBE, imports: [], limits: DEFAULT_LIMITS }, "run");
    box.destroy();
    await box.gone;
  } catch (error) {
    await fleet.close();
    shop.forge.close();
    await shop.supervisors.close();
    await shop.hooks.close();
    await shop.egress.close();
    throw error;
  }
}

/** No rules at all: what is tried is the host, not a policy. */
const PROBE: Confinement = { ...NO_RULES, id: "0".repeat(64), policy: "probe" };

async function openWorkshop(options: DriverOptions): Promise<Workshop> {
  const log = options.log ?? (() => {});
  const cgroups = findCgroups(groupName(options.home));
  await prepareCgroups(cgroups);
  const reclaimed = await reclaimCgroups(cgroups);
  if (reclaimed > 0) log("reclaimed cgroups of an earlier agent", { count: reclaimed });
  const mountPoint = `${options.home}/root`;
  await mkdir(mountPoint, { recursive: true, mode: 0o700 });
  const supervisors = await SupervisorSocket.listen(`${options.home}/supervisors.sock`);
  const uids = new UidPool(options.uidBase ?? DEFAULT_UID_BASE);
  return {
    forge: new Forge(`${NATIVE}plastron-launcher`, supervisors, log),
    sources: { usr: "/usr", node: process.execPath, runtimes: RUNTIMES, zygoteLibrary: `${NATIVE}libplastron-zygote.so`, mountPoint },
    cgroups,
    hooks: new HookGroups({ cgroups, binary: `${NATIVE}plastron-hooks`, uids, log }),
    egress: new Egress({ options: options.egress, directory: `${options.home}/egress`, uids, uid: (options.uidBase ?? DEFAULT_UID_BASE) - 1, log }),
    uids,
    living: new Set(),
    shelf: new Shelf(await ImageStore.open(`${options.home}/images`, log)),
    supervisors,
    eyes: { sensor: options.sensor, missing: options.sensorMissing ?? "this driver was given no sensor", log },
    log,
  };
}

/** Each holds an interpreter and may use its whole memory limit. */
const MAX_SESSIONS = 64;
/** As many as a pool can hold, so that not even a pool of dead sandboxes fails a run. */
const MAX_TRIES = 20;

interface FreshRun {
  source: "process" | "zygote";
  cold: boolean;
  end: RunEnd;
  acquired: number;
}

class LocalDriver implements SandboxDriver {
  readonly name = "local";
  readonly tier = TIER;
  readonly #shop: Workshop;
  readonly #fleet: Fleet;
  readonly #admission: Admission;
  readonly #sessions = new Set<LocalSession>();
  readonly images: LocalImages;
  readonly #hands = new Hands();
  readonly #sweep: NodeJS.Timeout;

  constructor(options: DriverOptions, shop: Workshop, fleet: Fleet) {
    this.#shop = shop;
    this.#fleet = fleet;
    this.images = new LocalImages({ options, shop, fleet, store: shop.shelf.store });
    this.#admission = new Admission(options.maxRunning ?? Math.max(8, availableParallelism() * 4), options.maxQueued ?? 256);
    this.#sweep = setInterval(() => void this.#sweepCgroups(), SWEEP_MS);
    this.#sweep.unref();
  }

  async run(spec: RunSpec, output: Output, control?: Control): Promise<RunResult> {
    requireTier(Math.max(spec.min_tier, spec.confinement.min_tier));
    const begun = performance.now();
    const leave = await this.#admission.enter(control?.signal);
    const admitted = performance.now();
    try {
      const { source, cold, end, acquired } = await this.#runInFreshBox(spec, output, control, MAX_TRIES);
      return {
        ...describeEnd(end, spec.limits),
        stdout: "",
        stderr: "",
        sandbox: { driver: this.name, tier: this.tier, start: cold ? "cold" : "warm", source, confinement: spec.confinement.id },
        phases_us: phasesOf({ begun, admitted, acquired, finished: performance.now() }, end),
      };
    } finally {
      leave();
    }
  }

  /** A sandbox can have died unseen before it was given its program; that has not begun then, and gets the next one. */
  async #runInFreshBox(spec: RunSpec, output: Output, control: Control | undefined, tries: number): Promise<FreshRun> {
    try {
      const { box, source, cold, kind } = await this.#fleet.take(spec);
      const acquired = performance.now();
      box.assign(spec.tenant, spec.secrets);
      const end = await this.#hands.on(box, spec, () => box.run(spec, this.#knobs(kind, spec), output, control));
      return { source, cold, acquired, end };
    } catch (error) {
      if (!(error instanceof NeverStarted) || tries <= 1 || control?.stdin || control?.signal?.aborted) throw error;
      return this.#runInFreshBox(spec, output, control, tries - 1);
    }
  }

  async openSession(spec: SessionSpec): Promise<Session> {
    requireTier(Math.max(spec.min_tier, spec.confinement.min_tier));
    if (this.#sessions.size >= MAX_SESSIONS) {
      throw new PlastronError("overloaded", `${this.#sessions.size} sessions are open, which is as many as this agent keeps`, { retryAfterSeconds: 30 });
    }
    const box = await this.#fleet.alone(spec, "session");
    box.assign(spec.tenant, spec.secrets);
    const session = new LocalSession(spec, box, this.name, this.tier, this.#hands);
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
    return {
      driver: this.name,
      tier: this.tier,
      running: this.#admission.running,
      queued: this.#admission.queued,
      sessions: this.#sessions.size,
      pools: this.#fleet.pools(),
    };
  }

  async close(): Promise<void> {
    clearInterval(this.#sweep);
    this.#admission.close();
    await Promise.all([...this.#sessions].map((session) => session.close("the agent is closing")));
    await this.#fleet.close();
    this.#shop.forge.close();
    await this.#shop.supervisors.close();
    await this.#shop.hooks.close();
    await this.#shop.egress.close();
    await reclaimCgroups(this.#shop.cgroups);
    await this.#removeParents();
  }

  /** Only what differs from what the sandbox was made with costs a write. */
  #knobs(kind: BoxKind, spec: RunSpec): Record<string, string> {
    if (this.#shop.cgroups.version === "none") return {};
    const made = knobValues(this.#shop.cgroups, kind.limits);
    const wanted = knobValues(this.#shop.cgroups, spec.limits);
    return Object.fromEntries(Object.entries(wanted).filter(([knob, value]) => made[knob as keyof typeof made] !== value));
  }

  async #sweepCgroups(): Promise<void> {
    for (const layout of [this.#shop.cgroups, ...this.#shop.hooks.layouts()]) {
      const names = new Set<string>();
      for (const dir of layout.dirs) for (const entry of await readdir(dir).catch(() => [])) if (entry.startsWith("box-")) names.add(entry);
      for (const name of names) if (!this.#shop.living.has(name)) await reclaimCgroups(layout, name);
    }
  }

  async #removeParents(): Promise<void> {
    for (const dir of this.#shop.cgroups.dirs) await rmdir(dir).catch(() => {});
  }
}

function requireTier(wanted: number): void {
  if (wanted > TIER) throw new PlastronError("tier_unavailable", `tier ${wanted} was asked for; the local driver gives tier ${TIER}`);
}
