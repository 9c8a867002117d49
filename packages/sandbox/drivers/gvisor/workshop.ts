import { createHash } from "node:crypto";
import { accessSync, constants } from "node:fs";
import { mkdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { type Confinement, DEFAULT_LIMITS, NO_RULES, PlastronError } from "@plastron/contracts";
import type { DriverOptions } from "../../driver.ts";
import { findCgroups, prepareCgroups, reclaimCgroups } from "../local/cgroups.ts";
import { Forge } from "../local/forge.ts";
import { SupervisorSocket } from "../local/supervisors.ts";
import type { GuestFleet } from "./fleet.ts";
import { findRunsc, type Platform } from "./runsc.ts";
import type { GuestWorkshop } from "./source.ts";
import { UidRanges } from "./uids.ts";

const NATIVE = fileURLToPath(new URL("../../native/build/", import.meta.url));
const RUNTIMES = fileURLToPath(new URL("../../runtimes", import.meta.url));
const DEFAULT_UID_BASE = 1_900_000_000;

/** Name of the cgroup below which the guests of the agent at `home` live: every process of theirs, and none of ours. */
export const guestsGroup = (home: string): string => `plastron-gvisor-${createHash("sha256").update(home).digest("hex").slice(0, 12)}`;

/** What all guests of one agent share. Errors: sandbox_failed with what this host lacks. */
export async function openWorkshop(options: DriverOptions, platform: Platform): Promise<GuestWorkshop> {
  const runsc = findRunsc();
  requireParts();
  const home = `${options.home}/gvisor`;
  const cgroups = findCgroups(guestsGroup(options.home));
  if (cgroups.version === "none") throw new PlastronError("sandbox_failed", "the gvisor driver needs cgroups for memory, pids and cpu");
  const log = options.log ?? (() => {});
  await prepareCgroups(cgroups);
  const reclaimed = await reclaimCgroups(cgroups);
  if (reclaimed > 0) log("reclaimed cgroups of an earlier agent's guests", { count: reclaimed });
  await mkdir(`${home}/root`, { recursive: true, mode: 0o700 });
  const supervisors = await SupervisorSocket.listen(`${home}/supervisors.sock`);
  return {
    forge: new Forge(`${NATIVE}plastron-launcher`, supervisors, log),
    sources: {
      usr: "/usr",
      node: process.execPath,
      runtimes: RUNTIMES,
      zygoteLibrary: `${NATIVE}libplastron-zygote.so`,
      mountPoint: `${home}/root`,
      runsc,
      enter: `${NATIVE}plastron-enter`,
      preload: null,
    },
    cgroups,
    ranges: new UidRanges(options.uidBase ?? DEFAULT_UID_BASE),
    platform,
    guestProc: new Set(),
    living: new Set(),
    supervisors,
    log,
  };
}

function requireParts(): void {
  if (process.getuid?.() !== 0) throw new PlastronError("sandbox_failed", "the gvisor driver cannot be used: it needs root");
  for (const name of ["plastron-launcher", "plastron-enter", "libplastron-guest.so"]) {
    try {
      accessSync(NATIVE + name, constants.R_OK);
    } catch {
      throw new PlastronError("sandbox_failed", "the gvisor driver cannot be used: the native parts are not built");
    }
  }
}

const PROBE: Confinement = { ...NO_RULES, id: "0".repeat(64), policy: "probe" };

/**
 * A guest is booted, and a program run in it, before anybody is told that there can be one. Some platforms never answer, so
 * the clock decides. Found out on the way: what its /proc has, and whether this gVisor knows a flag that `ls` gives.
 */
export async function provePossible(shop: GuestWorkshop, fleet: GuestFleet, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new PlastronError("sandbox_failed", `no guest was ready within ${ms} ms`)), ms);
  });
  const proof = tryOut(fleet);
  try {
    const { status, proc } = await Promise.race([proof, late]);
    if (status !== "0") shop.sources.preload = `${NATIVE}libplastron-guest.so`;
    for (const name of proc) shop.guestProc.add(name);
  } finally {
    clearTimeout(timer);
    proof.catch(() => {});
  }
}

async function tryOut(fleet: GuestFleet): Promise<{ status: string | undefined; proc: string[] }> {
  const kind = { runtime: "bash" as const, confinement: PROBE, imports: [], limits: DEFAULT_LIMITS };
  const box = await fleet.alone(kind, "run");
  try {
    let listed = "";
    const program = { ...kind, code: "cd /proc; echo *; exec ls -d / > /dev/null", args: [], env: {}, stdin: "", files: [], collect: [] };
    const stdout = (chunk: Uint8Array) => {
      listed += Buffer.from(chunk).toString();
    };
    const end = await box.run(program, {}, { stdout, stderr() {} });
    const proc = listed.trim().split(" ");
    if (!proc.includes("self")) throw new PlastronError("sandbox_failed", `a program in a guest did not do what it was asked to: ${listed.slice(0, 100)}`);
    return { status: end.facts.get("status"), proc };
  } finally {
    box.destroy();
    await box.gone;
  }
}
