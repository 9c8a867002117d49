import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { mkdir, readdir, readFile, rmdir, writeFile } from "node:fs/promises";
import type { Limits } from "@plastron/contracts";
import type { SpecRecord } from "./spec.ts";

/**
 * Where each controller that a sandbox needs is found: on the unified hierarchy (v2), or on its own mount (v1, hybrid).
 * `dirs` are the distinct parents under which a sandbox's cgroup is made.
 */
export interface CgroupLayout {
  version: "v1" | "v2" | "none";
  dirs: string[];
  memory: string;
  pids: string;
  cpu: string;
  cpuacct: string;
  /**
   * Our parent group on the unified hierarchy, where sandboxes are frozen, their pressure and flows are counted and programs are put
   * on cgroups (hooks.ts): on v2 the only one; empty where there is none.
   */
  unified: string;
  /** Where blocks that were read and written are counted; empty where they are not. */
  io: string;
  /** v1 only: whether the memory of sockets can be limited (on v2 it is part of the memory). */
  socketMemory: boolean;
}

/** v1 counts the memory of sockets apart from the rest, and only where this is set: else one sandbox could take all that the host has for TCP. */
const SOCKET_MEMORY = "memory.kmem.tcp.limit_in_bytes";
const SOCKET_MEMORY_BYTES = 64 * 1024 * 1024;

const NEEDED = ["memory", "pids", "cpu"] as const;

/** Reads /proc/self/mounts; `name` is our own parent group, made once by `prepareCgroups`. */
export function findCgroups(name: string, mounts: string = readFileSync("/proc/self/mounts", "utf8")): CgroupLayout {
  const v1 = new Map<string, string>();
  let unified: string | undefined;
  for (const line of mounts.split("\n")) {
    const [, path, type, options] = line.split(" ");
    if (path === undefined || options === undefined) continue;
    if (type === "cgroup2" && !options.split(",").includes("ro")) unified = path;
    if (type === "cgroup") for (const option of options.split(",")) v1.set(option, path);
  }
  if (unified !== undefined && existsSync(`${unified}/cgroup.controllers`)) {
    const has = readFileSync(`${unified}/cgroup.controllers`, "utf8").trim().split(" ");
    if (NEEDED.every((controller) => has.includes(controller))) {
      const dir = `${unified}/${name}`;
      return {
        version: "v2",
        dirs: [dir],
        memory: dir,
        pids: dir,
        cpu: dir,
        cpuacct: dir,
        unified: dir,
        io: has.includes("io") ? dir : "",
        socketMemory: false,
      };
    }
  }
  const beside = unified === undefined ? "" : `${unified}/${name}`;
  if (!NEEDED.every((controller) => v1.has(controller)))
    return { version: "none", dirs: [], memory: "", pids: "", cpu: "", cpuacct: "", unified: beside, io: "", socketMemory: false };
  const at = (controller: string) => `${v1.get(controller)}/${name}`;
  const cpuacct = v1.has("cpuacct") ? at("cpuacct") : "";
  const io = v1.has("blkio") ? at("blkio") : "";
  const dirs = [...new Set([at("memory"), at("pids"), at("cpu"), cpuacct, io, beside])].filter((dir) => dir !== "");
  const socketMemory = existsSync(`${v1.get("memory")}/${SOCKET_MEMORY}`);
  return { version: "v1", dirs, memory: at("memory"), pids: at("pids"), cpu: at("cpu"), cpuacct, unified: beside, io, socketMemory };
}

/** Our parent group: of the driver with this home. */
export const groupName = (home: string): string => `plastron-${createHash("sha256").update(home).digest("hex").slice(0, 12)}`;

/**
 * The directory of the unified hierarchy below which the driver at `home` will make all its sandboxes' cgroups, made now: for what
 * must look on before there is a driver. Null where there is none, or it cannot be made.
 */
export async function sandboxGroup(home: string): Promise<string | null> {
  const { unified, version } = findCgroups(groupName(home));
  if (unified === "" || version === "none") return null;
  return mkdir(unified, { recursive: true }).then(
    () => unified,
    () => null,
  );
}

/** Makes our parent groups (and hands controllers down, on v2). Throws where cgroups cannot be made. */
export async function prepareCgroups(layout: CgroupLayout): Promise<void> {
  for (const dir of layout.dirs) {
    if (layout.version === "v2") await writeFile(`${dir}/../cgroup.subtree_control`, "+memory +pids +cpu").catch(() => {});
    await mkdir(dir, { recursive: true });
    if (layout.version === "v2") await writeFile(`${dir}/cgroup.subtree_control`, "+memory +pids +cpu");
    if (layout.version === "v2" && layout.io === dir)
      for (const at of [`${dir}/..`, dir]) await writeFile(`${at}/cgroup.subtree_control`, "+io").catch(() => {});
  }
}

/** The cgroup values of limits, by knob name. */
export function knobValues(layout: CgroupLayout, limits: Pick<Limits, "memory_bytes" | "pids" | "cpus">): Record<"memory" | "pids" | "cpu", string> {
  const quota = Math.max(1000, Math.round(limits.cpus * 100_000));
  return { memory: String(limits.memory_bytes), pids: String(limits.pids), cpu: layout.version === "v2" ? `${quota} 100000` : String(quota) };
}

function knobPaths(layout: CgroupLayout, name: string) {
  const v2 = layout.version === "v2";
  return {
    memory: `${layout.memory}/${name}/${v2 ? "memory.max" : "memory.limit_in_bytes"}`,
    pids: `${layout.pids}/${name}/pids.max`,
    cpu: `${layout.cpu}/${name}/${v2 ? "cpu.max" : "cpu.cfs_quota_us"}`,
  };
}

function statPaths(layout: CgroupLayout, name: string): [string, string][] {
  const own: [string, string][] =
    layout.version === "v2"
      ? [
          ["memory_peak", `${layout.memory}/${name}/memory.peak`],
          ["oom", `${layout.memory}/${name}/memory.events`],
          ["io_v2", `${layout.io}/${name}/io.stat`],
        ]
      : [
          ["memory_peak", `${layout.memory}/${name}/memory.max_usage_in_bytes`],
          ["oom", `${layout.memory}/${name}/memory.oom_control`],
          ["memory_failures", `${layout.memory}/${name}/memory.failcnt`],
          ["cpu_ns", `${layout.cpuacct}/${name}/cpuacct.usage`],
          ["io_v1", `${layout.io}/${name}/blkio.throttle.io_service_bytes`],
        ];
  const unified: [string, string][] = ["cpu.stat", "cpu.pressure", "memory.pressure", "io.pressure"].map((file) => [file, `${layout.unified}/${name}/${file}`]);
  return [...own, ["pids", `${layout.pids}/${name}/pids.events`], ["throttle", `${layout.cpu}/${name}/cpu.stat`], ...(layout.unified === "" ? [] : unified)];
}

/** On version 1 nothing is limited by the unified hierarchy: what is frozen there is the program alone, not the watcher that answers it. */
const besideLimits = ({ version, unified }: CgroupLayout): string | null => (version === "v1" ? unified : null);

/** Records that make, limit, join, measure and remove the cgroup `name`. Empty where the host has none. */
export function cgroupRecords(layout: CgroupLayout, name: string, limits: Pick<Limits, "memory_bytes" | "pids" | "cpus">): SpecRecord[] {
  if (layout.version === "none") return [];
  const values = knobValues(layout, limits);
  const paths = knobPaths(layout, name);
  const records: SpecRecord[] = layout.dirs.map((dir) => ["cgroup", `${dir}/${name}`]);
  for (const knob of NEEDED) records.push(["cgset", paths[knob], values[knob]], ["knob", knob, paths[knob]]);
  if (layout.version === "v2") records.push(["cgset", `${layout.memory}/${name}/memory.swap.max`, "0"]);
  if (layout.socketMemory) records.push(["cgset", `${layout.memory}/${name}/${SOCKET_MEMORY}`, SOCKET_MEMORY_BYTES]);
  const aside = besideLimits(layout);
  for (const dir of layout.dirs) records.push([dir === aside ? "cgjoin-program" : "cgjoin", `${dir}/${name}/cgroup.procs`]);
  if (layout.unified !== "") records.push(["freezer", `${layout.unified}/${name}`]);
  for (const [stat, path] of statPaths(layout, name)) records.push(["stat", stat, path]);
  return records;
}

/** Numbers from the files that the supervisor read at the end of a run. `null` where the host has no such file. */
export interface CgroupStats {
  memory_peak_bytes: number | null;
  oom_kills: number;
  pids_refused: number;
  cpu_ms: number | null;
  throttled: number;
}

const keyed = (text: string | undefined, key: string): number => Number(text?.match(new RegExp(`^${key} (\\d+)`, "m"))?.[1] ?? 0);

/** What a run used and hit: the counters at its end less those at its beginning (which an interpreter's start, or a session's earlier runs, have moved). */
export function readStats(files: Map<string, string>, before: Map<string, string> = new Map()): CgroupStats {
  const since = (name: string, key: string) => keyed(files.get(name), key) - keyed(before.get(name), key);
  const peak = files.get("memory_peak");
  return {
    memory_peak_bytes: peak === undefined ? null : Number(peak),
    oom_kills: since("oom", "oom_kill"),
    pids_refused: since("pids", "max"),
    cpu_ms: files.has("cpu_ns")
      ? (Number(files.get("cpu_ns")) - Number(before.get("cpu_ns") ?? 0)) / 1e6
      : files.has("cpu.stat")
        ? since("cpu.stat", "usage_usec") / 1e3
        : null,
    throttled: since("throttle", "nr_throttled"),
  };
}

/** Kills and removes every sandbox cgroup under ours (`only` one, or all): what a dead agent or supervisor has left. */
export async function reclaimCgroups(layout: CgroupLayout, only?: string): Promise<number> {
  let removed = 0;
  for (const dir of new Set([...layout.dirs, layout.unified])) {
    const names =
      only !== undefined
        ? [only]
        : await readdir(dir, { withFileTypes: true }).then(
            (all) => all.filter((entry) => entry.isDirectory()).map((entry) => entry.name),
            () => [],
          );
    for (const name of names) if (await removeCgroup(`${dir}/${name}`)) removed++;
  }
  return removed;
}

/** Kills what is in a cgroup and in those below it, and removes them. */
export async function removeCgroup(path: string): Promise<boolean> {
  for (let tries = 0; tries < 300; tries++) {
    try {
      await rmdir(path);
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EBUSY") return false;
    }
    const below = await readdir(path, { withFileTypes: true }).catch(() => []);
    for (const entry of below) if (entry.isDirectory()) await removeCgroup(`${path}/${entry.name}`);
    const pids = await readFile(`${path}/cgroup.procs`, "utf8").catch(() => "");
    for (const pid of pids.split("\n").filter(Boolean)) {
      try {
        process.kill(Number(pid), "SIGKILL");
      } catch {}
    }
    await new Promise((done) => setTimeout(done, 10));
  }
  return false;
}
