import { basename } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Measured, round } from "../measure.ts";
import { commandLine, descendants, type Process, pssKib, readProcesses } from "../proc.ts";
import { type Endpoint, getJson, type Platform, type PlatformPids } from "./platform.ts";

/** Memory of everything that `up` started, by what it is, in MiB of proportional set size: shared pages count once in the sum. */
export interface IdleMemory {
  total_mib: number;
  groups: { name: string; processes: number; mib: number }[];
  /** Processes that this user may not look at; they are missing from the sum. */
  unreadable: number;
}

/** Once the default pools are full and `settleMs` have passed without a request. */
export async function measureIdleMemory(platform: Platform, settleMs: number): Promise<Measured<IdleMemory>> {
  if (platform.pids === null) return { unavailable: "the server was not started by this bench" };
  await untilPoolsAreFull(platform);
  await sleep(settleMs);
  return addUp(platform.pids);
}

function addUp(pids: PlatformPids): IdleMemory {
  const processes = readProcesses();
  const all = [processes.get(pids.supervisor), ...descendants(processes, pids.supervisor)].filter((process) => process !== undefined);
  const ofServer = new Set(descendants(processes, pids.server).map(({ pid }) => pid));
  const groups = new Map<string, { processes: number; kib: number }>();
  let unreadable = 0;
  for (const process of all) {
    const kib = pssKib(process.pid);
    if (kib === null) unreadable++;
    const group = groups.get(groupOf(process, pids, ofServer)) ?? { processes: 0, kib: 0 };
    groups.set(groupOf(process, pids, ofServer), { processes: group.processes + 1, kib: group.kib + (kib ?? 0) });
  }
  const rows = [...groups].map(([name, group]) => ({ name, processes: group.processes, mib: round(group.kib / 1024) }));
  const total = [...groups.values()].reduce((sum, { kib }) => sum + kib, 0) / 1024;
  return { total_mib: round(total), groups: rows.sort((a, b) => b.mib - a.mib), unreadable };
}

function groupOf({ pid }: Process, pids: PlatformPids, ofServer: ReadonlySet<number>): string {
  if (pid === pids.supervisor) return "plastron up";
  if (pid === pids.server) return "server";
  if (pid === pids.agent) return "agent";
  if (ofServer.has(pid)) return "PostgreSQL";
  const program = basename(commandLine(pid).split(" ")[0] ?? "");
  return program.startsWith("plastron-") ? "supervisors and init" : `warm ${program}`;
}

interface Pools {
  pools: { ready: number; target: number }[];
}

async function untilPoolsAreFull(endpoint: Endpoint): Promise<void> {
  for (const until = Date.now() + 10_000; Date.now() < until; await sleep(100)) {
    const { pools } = (await getJson(endpoint, "/v1/status")) as Pools;
    if (pools.every(({ ready, target }) => ready >= target)) return;
  }
}
