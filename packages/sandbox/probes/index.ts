import { statfsSync } from "node:fs";
import { release } from "node:os";
import type { Control, DoctorReport, HostFacts, Tier } from "@plastron/contracts";
import { gvisorFacts } from "../drivers/gvisor/facts.ts";
import { canMakeCgroups, cgroupHost, cgroupProbes } from "./cgroups.ts";
import { runChild } from "./child.ts";
import { type DriverRow, driverProbes, TIERS } from "./drivers.ts";
import { canLetOut, egressProbes } from "./egress.ts";
import { freezerProbes } from "./freezer.ts";
import { canAttachHooks, hookProbes } from "./hooks.ts";
import { interpreterProbes } from "./interpreters.ts";
import { canNotify, kernelProbes, landlockAbi } from "./kernel.ts";
import { lsmProbes, usableLsm } from "./lsm.ts";
import { type Probe, tryProbe } from "./probe.ts";
import { strongerProbes } from "./stronger.ts";

const OVERLAYFS_MAGIC = 0x794c7630;

/**
 * Tries every control of this host for real, all at the same time, each with a time-out: under ten seconds, nothing left behind.
 * The tier is what the best driver that could run a program gives; 1 where none could.
 */
export async function doctor(): Promise<DoctorReport> {
  const drivers = driverProbes();
  const probes: Probe[] = [
    ...kernelProbes(),
    ...cgroupProbes(),
    ...freezerProbes(),
    ...drivers.probes,
    ...egressProbes(),
    ...hookProbes(),
    ...interpreterProbes(),
    ...strongerProbes(),
    ...lsmProbes(),
  ];
  const controls = await Promise.all(probes.map(tryProbe));
  return {
    tier: tierOf(drivers.rows()),
    drivers: withReasons(drivers.rows(), controls),
    host: { kernel: release(), arch: machine(), root: process.geteuid?.() === 0, cgroup: cgroupHost().kind },
    controls,
  };
}

/**
 * What the policy compiler needs to know of the driver that runs `minTier`, in well under 300 ms: Landlock, namespaces and
 * cgroups are tried, no sandbox is made.
 */
export async function hostFacts(minTier: Tier = 1): Promise<HostFacts> {
  if (minTier >= 3) return gvisorFacts();
  const [abi, namespaces, cgroup, egress, hooks, notify] = await Promise.all([
    landlockAbi(),
    allNamespaces(),
    canMakeCgroups(),
    canLetOut(),
    canAttachHooks(),
    canNotify(),
  ]);
  return {
    driver: "local",
    arch: machine(),
    tier: namespaces ? 2 : 1,
    landlock_abi: abi ?? 0,
    user_namespaces: namespaces,
    root_on_overlay: statfsSync("/usr").type === OVERLAYFS_MAGIC,
    cgroup,
    notify,
    hooks,
    sensor: false, // the agent has it, and says so (agent/main.ts)
    egress,
    lsm: usableLsm(),
    permissive: false,
    cluster: null,
  };
}

async function allNamespaces(): Promise<boolean> {
  const kinds = ["--user", "--map-root-user", "--mount", "--pid", "--fork", "--net", "--ipc", "--uts"];
  return (await runChild("unshare", [...kinds, "true"], 2000)).code === 0;
}

function machine(): HostFacts["arch"] {
  return process.arch === "arm64" ? "aarch64" : "x86_64";
}

function tierOf(rows: DriverRow[]): Tier {
  const tiers = rows.filter((row) => row.usable).map((row) => row.tier);
  return tiers.sort().at(-1) ?? 1;
}

/** A driver whose probe did not come back in time has no row of its own yet. */
function withReasons(rows: DriverRow[], controls: Control[]): DriverRow[] {
  const silent = controls.filter((control) => control.id.startsWith("driver-") && !rows.some((row) => `driver-${row.name}` === control.id));
  return [
    ...rows,
    ...silent.map(
      (control): DriverRow => ({ name: control.id.slice(7), tier: TIERS[control.id.slice(7) as keyof typeof TIERS] ?? 2, usable: false, why: control.detail }),
    ),
  ];
}
