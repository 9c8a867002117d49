import { mkdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import type { Hooks } from "@plastron/contracts";
import { findCgroups, removeCgroup } from "../drivers/local/cgroups.ts";
import { HookProcess } from "../drivers/local/hook-process.ts";
import { runChild } from "./child.ts";
import { type Finding, messageOf, missing, type Probe, working } from "./probe.ts";

const BINARY = fileURLToPath(new URL("../native/build/plastron-hooks", import.meta.url));
const REMEDY =
  "Run as root (with CAP_BPF and CAP_NET_ADMIN, or CAP_SYS_ADMIN) on Linux 5.8 or later with CONFIG_CGROUP_BPF, where the unified cgroup hierarchy is mounted and writable (on hosts of version 1: `mount -t cgroup2 none /sys/fs/cgroup/unified`).";
/** `return 0`: no connection is allowed. */
const REFUSE_ALL: Hooks = { programs: [{ at: "connect4", code: Buffer.from([0xb7, 0, 0, 0, 0, 0, 0, 0, 0x95, 0, 0, 0, 0, 0, 0, 0]).toString("base64") }] };
/** The loader's: it must not be root, and need not be anybody's. */
const NOBODY = 65_534;
let made = 0;

export function hookProbes(): Probe[] {
  return [{ id: "hooks", title: "A cgroup's programs refuse addresses and sockets", required: false, timeoutMs: 6000, try: refusesConnection }];
}

/** Whether a program can be loaded and attached to a cgroup here, without running anything in it. */
export async function canAttachHooks(): Promise<boolean> {
  return inGroup(async () => true).catch(() => false);
}

/** A child connects to a port where nobody listens: refused by the kernel's network without the program, forbidden with it. */
async function refusesConnection(): Promise<Finding> {
  const connect = (join: string) => runChild("/bin/bash", ["-c", `${join}; exec 3<>/dev/tcp/127.0.0.1/1`], 3000);
  const without = await connect(":");
  if (!/refused/i.test(without.stderr)) return missing(`the control run failed: ${without.stderr}`);
  try {
    const inside = await inGroup((dir) => connect(`echo 0 > '${dir}/cgroup.procs' || exit 9`));
    if (!/not permitted/i.test(inside.stderr)) return missing(`a connection was not refused: ${inside.stderr}`, REMEDY);
    return working("connect to 127.0.0.1 was refused by the port without a program, and not permitted with one");
  } catch (error) {
    return missing(messageOf(error), REMEDY);
  }
}

async function inGroup<Found>(attempt: (dir: string) => Promise<Found>): Promise<Found> {
  const { unified } = findCgroups(`plastron-doctor-${process.pid}-hooks-${++made}`);
  if (process.geteuid?.() !== 0) throw new Error("it needs root");
  if (unified === "") throw new Error("no unified cgroup hierarchy is mounted");
  await mkdir(unified);
  try {
    const started = await HookProcess.start(BINARY, unified, NOBODY, REFUSE_ALL, () => {});
    try {
      return await attempt(unified);
    } finally {
      await started.close();
    }
  } finally {
    await removeCgroup(unified);
  }
}
