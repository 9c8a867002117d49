import { dirname } from "node:path";
import { cpuGroupOf, descendants, groupCpuMs, machineBusyMs, type Processes, readProcesses } from "../proc.ts";

/** Whose clocks are read. `sandboxesOf` is the process whose descendants the sandboxes are. */
export interface Owners {
  sandboxesOf: number;
  agent?: number;
  server?: number;
}

/** CPU time by who spent it, in milliseconds since some fixed moment: only differences mean something. Null: not ours to look at. */
export interface CpuReading {
  atMs: number;
  machine: number;
  generator: number;
  server: number | null;
  agent: number | null;
  postgres: number | null;
  sandboxes: number | null;
}

/**
 * CPU time of one run in microseconds. `sandboxes` is what their cgroups counted: the interpreters and their pid 1. `rest` is all
 * else that the machine did: supervisors, the kernel's own making and removing of namespaces, and whatever does not belong to us.
 */
export type CpuPerRun = Record<"server" | "agent" | "postgres" | "sandboxes" | "generator", number | null> & { rest: number };

/** Reads the clocks of one platform's parts; without owners, only the machine's and our own. */
export class CpuMeter {
  readonly #owners: Owners | null;
  #group: string | null = null;
  constructor(owners: Owners | null) {
    this.#owners = owners;
  }

  read(): CpuReading {
    const { user, system } = process.cpuUsage();
    const common = { atMs: performance.now(), machine: machineBusyMs(), generator: (user + system) / 1000 };
    if (this.#owners === null) return { ...common, server: null, agent: null, postgres: null, sandboxes: null };
    const { sandboxesOf, server, agent } = this.#owners;
    const processes = readProcesses();
    const own = (pid: number | undefined) => (pid === undefined ? null : (processes.get(pid)?.ownMs ?? null));
    this.#group ??= sandboxGroup(processes, sandboxesOf);
    return {
      ...common,
      server: own(server),
      agent: own(agent),
      postgres: server === undefined ? null : withChildren(processes, server),
      sandboxes: this.#group === null ? null : groupCpuMs(this.#group),
    };
  }
}

/** The parent of the sandboxes' cgroups: a sandbox lives for milliseconds and is found in no list of processes, but its parent group remembers. */
function sandboxGroup(processes: Processes, root: number): string | null {
  const outside = cpuGroupOf(root);
  for (const { pid } of descendants(processes, root)) {
    const group = cpuGroupOf(pid);
    if (group !== null && group !== outside) return dirname(group);
  }
  return null;
}

/** PostgreSQL is all that the server starts; the postmaster waits for its dead. */
function withChildren(processes: Processes, server: number): number {
  return descendants(processes, server).reduce((sum, process) => sum + process.ownMs + process.endedChildrenMs, 0);
}

/** Microseconds a run, between two readings. */
export function cpuPerRun(before: CpuReading, after: CpuReading, runs: number): CpuPerRun {
  const spent = (who: Exclude<keyof CpuReading, "atMs">) => (after[who] === null || before[who] === null ? null : after[who] - before[who]);
  const each = (ms: number | null) => (ms === null ? null : Math.max(0, Math.round((ms / runs) * 1000)));
  const names = ["server", "agent", "postgres", "sandboxes", "generator"] as const;
  const known = names.reduce((sum, name) => sum + (spent(name) ?? 0), 0);
  const parts = Object.fromEntries(names.map((name) => [name, each(spent(name))])) as Omit<CpuPerRun, "rest">;
  return { ...parts, rest: each((spent("machine") ?? 0) - known) ?? 0 };
}

/** The share of the machine that was at work between two readings: 1 is every core all the time. */
export function busyShare(before: CpuReading, after: CpuReading, cores: number): number {
  return Math.min(1, (after.machine - before.machine) / ((after.atMs - before.atMs) * cores));
}
