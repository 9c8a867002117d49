import { execFile } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { type Confinement, DEFAULT_LIMITS, PlastronError, type RunResult, type RunSpec } from "@plastron/contracts";
import type { Control, DriverOptions, Output, SandboxDriver } from "../../driver.ts";
import { refuseImage } from "../../images/index.ts";
import { type CgroupHost, cgroupParentOf, findCgroups, makeCgroup, reclaimCgroups } from "./cgroup.ts";
import { findMasks } from "./masks.ts";
import { places } from "./places.ts";
import { type Host, runOnce, takenBack } from "./run.ts";

const TIER = 2;
/** Above every range that distributions, systemd and container engines hand out (https://systemd.io/UIDS-GIDS). */
const DEFAULT_UID_BASE = 1_990_000_000;
const DEFAULT_RUNNING = 16;
const DEFAULT_QUEUED = 64;

/**
 * The driver for hosts where the native launcher cannot be built: each run is one cold bubblewrap, always under an
 * unprivileged host uid. It keeps no pools. Errors: sandbox_failed where bubblewrap is missing, too old or cannot make a
 * sandbox here.
 */
export async function openBubblewrapDriver(options: DriverOptions): Promise<SandboxDriver> {
  await requireBubblewrap();
  const host = await prepareHost(options);
  const room = places(options.maxRunning ?? DEFAULT_RUNNING, options.maxQueued ?? DEFAULT_QUEUED);
  const shutdown = new AbortController();
  const running = new Set<Promise<unknown>>();

  async function run(spec: RunSpec, output: Output, control: Control = {}): Promise<RunResult> {
    refuseImage("bubblewrap", spec.image);
    refuse(spec.confinement, Math.max(spec.min_tier, spec.confinement.min_tier));
    if (shutdown.signal.aborted) throw new PlastronError("overloaded", "The driver is closed", { retryAfterSeconds: 2 });
    const signal = control.signal ? AbortSignal.any([control.signal, shutdown.signal]) : shutdown.signal;
    const place = await room.take(signal).catch((error) => {
      if (!signal.aborted) throw error;
      return null;
    });
    if (!place) return takenBack(spec, String(signal.reason));
    const work = runOnce(host, place.number, spec, output, { ...control, signal }).finally(() => place.free());
    running.add(work);
    return work.finally(() => running.delete(work));
  }

  return {
    name: "bubblewrap",
    tier: TIER,
    run,
    openSession: async () => {
      throw new PlastronError("sandbox_failed", "The bubblewrap driver keeps no sessions: each of its runs starts cold", {
        hint: "The local driver does: run as root, and `plastron doctor` says what else it needs.",
      });
    },
    status: () => ({ driver: "bubblewrap", tier: TIER, running: room.taken, queued: room.waiting, sessions: 0, pools: [] }),
    async close() {
      shutdown.abort("shutdown");
      await Promise.allSettled(running);
      await reclaimCgroups(host.cgroups, host.cgroupParent);
    },
  };
}

async function requireBubblewrap(): Promise<void> {
  const help = await promisify(execFile)("bwrap", ["--help"]).catch((cause) => {
    throw new PlastronError("sandbox_failed", "bubblewrap is not installed", { hint: "apt-get install bubblewrap", cause });
  });
  // 0.8.0 brought --disable-userns, without which a program gets all capabilities back in a namespace of its own.
  if (!help.stdout.includes("--disable-userns")) throw new PlastronError("sandbox_failed", "bubblewrap is older than 0.8.0");
}

async function prepareHost(options: DriverOptions): Promise<Host> {
  const home = join(options.home, "bubblewrap");
  mkdirSync(home, { recursive: true, mode: 0o700 });
  for (const left of readdirSync(home)) rmSync(join(home, left), { recursive: true, force: true });
  const cgroupParent = cgroupParentOf(home);
  const root = process.geteuid?.() === 0;
  const uidBase = options.uidBase ?? DEFAULT_UID_BASE;
  if (root && uidBase < 1) throw new PlastronError("sandbox_failed", "The first uid of the pool must not be 0");
  const cgroups = root ? usableCgroups(cgroupParent, options) : ({ kind: "none", why: "only root can make cgroups" } as const);
  await reclaimCgroups(cgroups, cgroupParent);
  const masksFor = remembered((confinement: Confinement) => findMasks(confinement));
  // The first look over the root reads a cold disk for seconds; nobody should wait for it in a run.
  for (const pool of options.warm ?? []) masksFor(pool.confinement).catch(() => {});
  return {
    home,
    cgroups,
    cgroupParent,
    uidOf: (place) => (root ? uidBase + place : 0),
    masksFor,
  };
}

/** One answer for each confinement id; a failure is not kept. */
function remembered<T>(find: (confinement: Confinement) => Promise<T>): (confinement: Confinement) => Promise<T> {
  const known = new Map<string, Promise<T>>();
  return (confinement) => {
    let answer = known.get(confinement.id);
    if (!answer) {
      answer = find(confinement);
      known.set(confinement.id, answer);
      answer.catch(() => known.delete(confinement.id));
    }
    return answer;
  };
}

/** Cgroups are taken only where making one has worked, not where they look usable. */
function usableCgroups(parent: string, options: DriverOptions): CgroupHost {
  const found = findCgroups(readFileSync("/proc/self/mounts", "utf8"));
  try {
    void makeCgroup(found, parent, "trial", DEFAULT_LIMITS, 0).remove();
    return found;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    options.log?.("no cgroups: memory and processes are limited per process only, and a hit limit has no name", { why });
    return { kind: "none", why };
  }
}

/** Fails closed: what cannot be enforced, or weakened as asked, is refused by name. */
function refuse(confinement: Confinement, tier: number): void {
  if (tier > TIER) throw new PlastronError("tier_unavailable", `Tier ${tier} was asked for; the bubblewrap driver gives tier ${TIER}`);
  if (confinement.hooks)
    throw new PlastronError(
      "sandbox_failed",
      `The policy ${confinement.policy} needs programs on a cgroup (hooks), which the bubblewrap driver does not attach`,
    );
  if (confinement.network)
    throw new PlastronError("sandbox_failed", `The policy ${confinement.policy} gives a way out (network), and the bubblewrap driver has none to give`);
  if (confinement.weak) throw new PlastronError("sandbox_failed", "The bubblewrap driver has no weak confinement");
}
