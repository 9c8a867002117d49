import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { findCgroups } from "../drivers/local/cgroups.ts";
import { type Finding, messageOf, missing, type Probe, working } from "./probe.ts";

const REMEDY =
  "Mount the unified hierarchy where it can be written (`mount -t cgroup2 none /sys/fs/cgroup/unified` beside version 1, Linux 5.2 or later). Without it a run that is to be held still is killed, and one that exceeds a rate rule is killed without its stacks.";
/** A spinning child must stand still for so long. */
const STILL_MS = 60;

export function freezerProbes(): Probe[] {
  return [{ id: "freezer", title: "A run can be held still and let go on", required: false, timeoutMs: 4000, try: holdsStill }];
}

/** A child that spins uses no time while it is frozen, and does again when it is let go on. */
async function holdsStill(): Promise<Finding> {
  const { unified } = findCgroups("");
  if (unified === "") return missing("no unified cgroup hierarchy is mounted", REMEDY);
  let group: string | undefined;
  let child: ChildProcess | undefined;
  try {
    group = mkdtempSync(`${unified}plastron-doctor-${process.pid}-freezer-`);
    child = spawn("/bin/sh", ["-c", "while :; do :; done"], { stdio: "ignore" });
    writeFileSync(`${group}/cgroup.procs`, String(child.pid));
    const began = performance.now();
    writeFileSync(`${group}/cgroup.freeze`, "1");
    while (!readFileSync(`${group}/cgroup.events`, "utf8").includes("frozen 1") && performance.now() - began < 1000) await later(1);
    const took = performance.now() - began;
    const held = await usedBy(child.pid as number);
    writeFileSync(`${group}/cgroup.freeze`, "0");
    const free = await usedBy(child.pid as number, 500);
    if (held > 0 || free === 0) return missing(`a child used ${held} ticks while it was frozen, and ${free} after`, REMEDY);
    return working(`a spinning child stood still after ${took.toFixed(1)} ms, and went on`);
  } catch (error) {
    return missing(messageOf(error), REMEDY);
  } finally {
    await ended(child);
    if (group !== undefined) rmdirSync(group);
  }
}

/** Clock ticks of processor time over a while. */
async function usedBy(pid: number, ms = STILL_MS): Promise<number> {
  const ticks = () => Number(readFileSync(`/proc/${pid}/stat`, "latin1").split(") ")[1]?.split(" ")[11] ?? 0);
  const before = ticks();
  await later(ms);
  return ticks() - before;
}

const later = (ms: number) => new Promise((done) => setTimeout(done, ms));

async function ended(child: ChildProcess | undefined): Promise<void> {
  if (child === undefined) return;
  const gone = new Promise((done) => child.once("exit", done));
  child.kill("SIGKILL");
  await gone;
}
