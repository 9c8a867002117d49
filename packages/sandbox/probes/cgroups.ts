import { readFileSync } from "node:fs";
import { DEFAULT_LIMITS, MIB } from "@plastron/contracts";
import { type Cgroup, type CgroupHost, findCgroups, makeCgroup, reclaimCgroups } from "../drivers/bubblewrap/cgroup.ts";
import { runChild } from "./child.ts";
import { degraded, type Finding, messageOf, missing, type Probe, working } from "./probe.ts";

const PARENT = `plastron-doctor-${process.pid}`;
const REMEDY = "Run as root on a host (or in a container with --privileged and --cgroupns=host) where /sys/fs/cgroup can be written.";

/** Memory and process limits, each by a child that really runs into it and a counter that really moves. */
export function cgroupProbes(): Probe[] {
  const host = cgroupHost();
  return [
    { id: "cgroup-memory", title: "A cgroup limits memory and counts the kill", required: false, timeoutMs: 6000, try: () => memory(host) },
    { id: "cgroup-pids", title: "A cgroup limits processes and counts refusals", required: false, timeoutMs: 6000, try: () => pids(host) },
  ];
}

export function cgroupHost(): CgroupHost {
  return findCgroups(readFileSync("/proc/self/mounts", "utf8"));
}

/** Whether a cgroup with limits can be made here, without running anything in it. */
export async function canMakeCgroups(): Promise<boolean> {
  try {
    await makeCgroup(cgroupHost(), PARENT, "facts", DEFAULT_LIMITS, 0).remove();
    return true;
  } catch {
    return false;
  } finally {
    await reclaimCgroups(cgroupHost(), PARENT).catch(() => {});
  }
}

async function memory(host: CgroupHost): Promise<Finding> {
  return inside(host, "memory", { ...DEFAULT_LIMITS, memory_bytes: 24 * MIB }, async (cgroup) => {
    // tail keeps all of an endless line; nothing but the limit ends it.
    const ended = await joined(cgroup, "exec tail /dev/zero");
    const { oomKills, memoryPeakBytes } = cgroup.read();
    if (ended.signal !== "SIGKILL" || ended.timedOut)
      return missing(`a child over the limit ended with ${ended.signal ?? ended.code}: ${ended.stderr}`, REMEDY);
    if (oomKills === 0) return degraded("the child was killed, but no counter says why", "Kernel 4.19 or later counts it.");
    return working(`${host.kind}: killed at ${memoryPeakBytes} bytes, oom_kill ${oomKills}`);
  });
}

async function pids(host: CgroupHost): Promise<Finding> {
  return inside(host, "pids", { ...DEFAULT_LIMITS, pids: 6 }, async (cgroup) => {
    await joined(cgroup, "for i in 1 2 3 4 5 6 7 8 9 10; do sleep 0.2 & done; wait");
    const { pidsRefused } = cgroup.read();
    return pidsRefused > 0 ? working(`${host.kind}: ${pidsRefused} refused`) : missing("ten processes ran under a limit of six", REMEDY);
  });
}

async function inside(host: CgroupHost, name: string, limits: typeof DEFAULT_LIMITS, attempt: (cgroup: Cgroup) => Promise<Finding>): Promise<Finding> {
  let cgroup: Cgroup;
  try {
    cgroup = makeCgroup(host, `${PARENT}-${name}`, name, limits, 0);
  } catch (error) {
    return missing(messageOf(error), REMEDY);
  }
  try {
    return await attempt(cgroup);
  } finally {
    await reclaimCgroups(host, `${PARENT}-${name}`);
  }
}

function joined(cgroup: Cgroup, then: string) {
  const join = cgroup.joins.map((file) => `echo 0 > '${file}'`).join(" && ");
  return runChild("/bin/bash", ["-c", `${join} || exit 9; ${then}`], 4000);
}
