import { readdirSync, readFileSync } from "node:fs";

/** One process as /proc tells it. Times are CPU time, user and system, in milliseconds with a grain of 10 (proc(5): USER_HZ is 100). */
export interface Process {
  pid: number;
  parent: number;
  name: string;
  ownMs: number;
  /** Of children that have ended and that it has waited for, with their own. */
  endedChildrenMs: number;
}

export type Processes = ReadonlyMap<number, Process>;

const TICK_MS = 10;

export function readProcesses(): Processes {
  const found = new Map<number, Process>();
  for (const name of readdirSync("/proc")) {
    const process = /^\d+$/.test(name) ? parseStat(text(`/proc/${name}/stat`)) : null;
    if (process) found.set(process.pid, process);
  }
  return found;
}

/** A line of /proc/PID/stat. The name, in brackets, may itself hold spaces and brackets: the rest is counted from the last one. */
export function parseStat(line: string): Process | null {
  const open = line.indexOf("(");
  const close = line.lastIndexOf(")");
  if (open < 0 || close < open) return null;
  const fields = line.slice(close + 2).split(" ");
  const ticks = (first: number) => Number(fields[first]) + Number(fields[first + 1]);
  return {
    pid: Number(line.slice(0, open)),
    parent: Number(fields[1]),
    name: line.slice(open + 1, close),
    ownMs: ticks(11) * TICK_MS,
    endedChildrenMs: ticks(13) * TICK_MS,
  };
}

/** All processes below one, at any depth, without itself. */
export function descendants(processes: Processes, root: number): Process[] {
  const children = new Map<number, Process[]>();
  for (const process of processes.values()) children.set(process.parent, [...(children.get(process.parent) ?? []), process]);
  const below: Process[] = [];
  const open = [root];
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    for (const child of children.get(at) ?? []) {
      below.push(child);
      open.push(child.pid);
    }
  }
  return below;
}

/** CPU time that the whole machine has spent on work since boot, all cores, in milliseconds: not idle, not waiting, not stolen by other guests. */
export function machineBusyMs(): number {
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0] = (/^cpu +(.*)$/m.exec(text("/proc/stat"))?.[1] ?? "").split(" ").map(Number);
  return (user + nice + system + irq + softirq) * TICK_MS;
}

/** Proportional set size in KiB: pages that n processes share count as 1/n in each. Null where it may not be read, or the process has ended. */
export function pssKib(pid: number): number | null {
  const found = /^Pss: +(\d+) kB$/m.exec(text(`/proc/${pid}/smaps_rollup`));
  return found ? Number(found[1]) : null;
}

/**
 * The directory under /sys/fs/cgroup that accounts for the CPU time of a process: v1 has a hierarchy for that, on v2
 * every group does it. A parent group's figure includes its children's, also of those that are gone. Null where there is none.
 */
export function cpuGroupOf(pid: number): string | null {
  const mounts = text("/proc/self/mounts");
  const groups = text(`/proc/${pid}/cgroup`);
  const v1 = /^\S+ (\S+) cgroup (?:\S*,)?cpuacct\b/m.exec(mounts)?.[1];
  const path = v1 === undefined ? /^0::(.*)$/m.exec(groups)?.[1] : /^\d+:(?:[^:]*,)?cpuacct(?:,[^:]*)?:(.*)$/m.exec(groups)?.[1];
  const mount = v1 ?? /^\S+ (\S+) cgroup2 /m.exec(mounts)?.[1];
  return path === undefined || mount === undefined ? null : mount + path;
}

/** CPU time of a group and all below it, in milliseconds; null where the group is gone. */
export function groupCpuMs(directory: string): number | null {
  const nanoseconds = text(`${directory}/cpuacct.usage`);
  if (nanoseconds !== "") return Number(nanoseconds) / 1e6;
  const microseconds = /^usage_usec (\d+)$/m.exec(text(`${directory}/cpu.stat`))?.[1];
  return microseconds === undefined ? null : Number(microseconds) / 1000;
}

export function commandLine(pid: number): string {
  return text(`/proc/${pid}/cmdline`).replaceAll("\0", " ").trim();
}

/** Empty where the process has ended between the listing and the reading. */
function text(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
