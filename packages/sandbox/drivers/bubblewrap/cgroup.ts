import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Limits } from "@plastron/contracts";

/** Which cgroup files this host has: v1 directories by controller, or one v2 directory. Found, not configured. */
export type CgroupHost =
  | { kind: "v1" | "hybrid"; controllers: Record<(typeof V1_NEEDED)[number], string> }
  | { kind: "v2"; root: string }
  | { kind: "none"; why: string };

/** What the kernel counted for one run. */
export interface CgroupCounters {
  oomKills: number;
  pidsRefused: number;
  memoryPeakBytes: number | null;
  cpuMs: number | null;
}

/** The cgroups of one sandbox. */
export interface Cgroup {
  /** Files that a process joins by writing `0`. */
  readonly joins: string[];
  read(): CgroupCounters;
  /** Waits up to a second for the last process to be gone, then removes the directories. Throws where one stays. */
  remove(): Promise<void>;
}

const V1_NEEDED = ["memory", "pids", "cpu", "cpuacct"] as const;
const CPU_PERIOD_US = 100_000;

/** The one directory name below which a driver with that home makes its cgroups, and looks for what a dead one left. */
export function cgroupParentOf(home: string): string {
  return `plastron-bubblewrap-${createHash("sha256").update(home).digest("hex").slice(0, 12)}`;
}

/** Reads a `/proc/self/mounts` text. Pure; the paths are where the hierarchies are mounted. */
export function findCgroups(mounts: string): CgroupHost {
  const controllers: Partial<Record<string, string>> = {};
  let unified: string | undefined;
  for (const line of mounts.split("\n")) {
    const [, path, type, options] = line.split(" ");
    if (type === "cgroup2" && path) unified ??= path;
    if (type === "cgroup" && path) for (const name of (options ?? "").split(",")) controllers[name] ??= path;
  }
  const missing = V1_NEEDED.filter((name) => !controllers[name]);
  if (missing.length === 0) {
    const [memory, pids, cpu, cpuacct] = V1_NEEDED.map((name) => controllers[name] as string) as [string, string, string, string];
    return { kind: unified ? "hybrid" : "v1", controllers: { memory, pids, cpu, cpuacct } };
  }
  if (unified && missing.length === V1_NEEDED.length) return { kind: "v2", root: unified };
  return { kind: "none", why: unified ? `controllers without a mount: ${missing.join(", ")}` : "no cgroup file system is mounted" };
}

/**
 * Makes and limits the cgroups of one sandbox below `parent` (a single name). `overheadPids` are the processes that we
 * ourselves put in. Errors: what the file system answers, with the path; whatever was made by then is removed.
 */
export function makeCgroup(host: CgroupHost, parent: string, name: string, limits: Limits, overheadPids: number): Cgroup {
  if (host.kind === "none") throw new Error(host.why);
  const directories = host.kind === "v2" ? [join(host.root, parent, name)] : v1Directories(host, parent, name);
  const knobs = host.kind === "v2" ? v2Knobs(limits, overheadPids) : v1Knobs(limits, overheadPids);
  try {
    if (host.kind === "v2") delegate(host.root, parent);
    for (const directory of directories) mkdirSync(directory, { recursive: true });
    for (const [file, value] of knobs) setKnob(directories, file, value);
  } catch (error) {
    for (const directory of directories) removeQuietly(directory);
    throw error;
  }
  const read = (file: string) => readFirst(directories, file);
  return {
    joins: directories.map((directory) => join(directory, "cgroup.procs")),
    read: () => (host.kind === "v2" ? v2Counters(read) : v1Counters(read)),
    remove: () => removeAll(directories),
  };
}

/** Kills and removes every cgroup that a dead agent left below `parent`. Answers how many. */
export async function reclaimCgroups(host: CgroupHost, parent: string): Promise<number> {
  if (host.kind === "none") return 0;
  const roots = host.kind === "v2" ? [host.root] : [...new Set(Object.values(host.controllers))];
  const names = new Set<string>();
  for (const root of roots) {
    for (const name of childrenOf(join(root, parent))) {
      names.add(name);
      const directory = join(root, parent, name);
      for (const pid of pidsIn(directory)) killQuietly(pid);
      await removeAll([directory]);
    }
    removeQuietly(join(root, parent));
  }
  return names.size;
}

function v1Directories(host: Extract<CgroupHost, { controllers: unknown }>, parent: string, name: string): string[] {
  // cpu and cpuacct are one mount on most hosts: a process need not join it twice.
  return [...new Set(Object.values(host.controllers))].map((root) => join(root, parent, name));
}

function v1Knobs(limits: Limits, overhead: number): [string, string][] {
  return [
    ["memory.limit_in_bytes", String(limits.memory_bytes)],
    ["memory.memsw.limit_in_bytes", String(limits.memory_bytes)],
    ["pids.max", String(limits.pids + overhead)],
    ["cpu.cfs_period_us", String(CPU_PERIOD_US)],
    ["cpu.cfs_quota_us", String(Math.round(limits.cpus * CPU_PERIOD_US))],
  ];
}

function v2Knobs(limits: Limits, overhead: number): [string, string][] {
  return [
    ["memory.max", String(limits.memory_bytes)],
    ["memory.swap.max", "0"],
    ["pids.max", String(limits.pids + overhead)],
    ["cpu.max", `${Math.round(limits.cpus * CPU_PERIOD_US)} ${CPU_PERIOD_US}`],
  ];
}

/** Only swap may be absent: a kernel may have none. Any other limit that has no file would silently not hold. */
function setKnob(directories: string[], file: string, value: string): void {
  const found = directories.map((directory) => join(directory, file)).filter((path) => existsSync(path));
  if (found.length === 0 && !/sw/.test(file)) throw new Error(`no ${file} in ${directories.join(", ")}`);
  for (const path of found) writeFileSync(path, value);
}

/** v2 gives a child only the controllers that every ancestor passes down. */
function delegate(root: string, parent: string): void {
  mkdirSync(join(root, parent), { recursive: true });
  for (const directory of [root, join(root, parent)]) writeFileSync(join(directory, "cgroup.subtree_control"), "+memory +pids +cpu");
}

function v1Counters(read: (file: string) => string | null): CgroupCounters {
  const nanoseconds = read("cpuacct.usage");
  return {
    oomKills: field(read("memory.oom_control"), "oom_kill"),
    pidsRefused: field(read("pids.events"), "max"),
    memoryPeakBytes: wholeNumber(read("memory.max_usage_in_bytes")),
    cpuMs: nanoseconds === null ? null : Number(nanoseconds) / 1e6,
  };
}

function v2Counters(read: (file: string) => string | null): CgroupCounters {
  const cpu = read("cpu.stat");
  return {
    oomKills: field(read("memory.events"), "oom_kill"),
    pidsRefused: field(read("pids.events"), "max"),
    memoryPeakBytes: wholeNumber(read("memory.peak")),
    cpuMs: cpu === null ? null : field(cpu, "usage_usec") / 1000,
  };
}

function field(text: string | null, name: string): number {
  const found = text?.match(new RegExp(`^${name} (\\d+)$`, "m"));
  return found ? Number(found[1]) : 0;
}

function wholeNumber(text: string | null): number | null {
  return text === null ? null : Number(text);
}

function readFirst(directories: string[], file: string): string | null {
  for (const directory of directories) if (existsSync(join(directory, file))) return readFileSync(join(directory, file), "utf8").trim();
  return null;
}

async function removeAll(directories: string[]): Promise<void> {
  for (const directory of directories) {
    for (let tries = 0; ; tries++) {
      if (removeQuietly(directory)) break;
      if (tries === 100) throw new Error(`cannot remove ${directory}: processes ${pidsIn(directory).join(" ")}`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }
}

/** True when the directory is gone. A cgroup with a process in it answers EBUSY. */
function removeQuietly(directory: string): boolean {
  try {
    rmdirSync(directory);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ENOENT";
  }
}

function childrenOf(directory: string): string[] {
  if (!existsSync(directory)) return [];
  return readdirSync(directory, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name);
}

function pidsIn(directory: string): number[] {
  try {
    return readFileSync(join(directory, "cgroup.procs"), "utf8").split("\n").filter(Boolean).map(Number);
  } catch {
    return [];
  }
}

function killQuietly(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It ended by itself between the listing and now.
  }
}
