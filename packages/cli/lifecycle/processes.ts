import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

/** A process by number and birth: numbers are used again, the pair of boot and start time is not. */
export interface ProcessId {
  pid: number;
  born: string;
}

/** Null where there is no such process, or only its zombie. */
export function identify(pid: number): ProcessId | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The name (field 2) may hold spaces and brackets: count from the last one. State is field 3, start time field 22.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    if (fields[0] === "Z" || fields[0] === "X") return null;
    return { pid, born: `${bootId()}:${fields[19]}` };
  } catch {
    return null;
  }
}

export function isAlive(id: ProcessId): boolean {
  return identify(id.pid)?.born === id.born;
}

/** Sends a signal if it is still the same process; with `group`, to its whole process group (it must lead one). */
export function signal(id: ProcessId, name: NodeJS.Signals, target: "process" | "group" = "process"): boolean {
  if (!isAlive(id)) return false;
  try {
    return process.kill(target === "group" ? -id.pid : id.pid, name);
  } catch {
    return false;
  }
}

/** Resolves to those still alive after at most `ms`. */
export async function waitGone(ids: ProcessId[], ms: number): Promise<ProcessId[]> {
  const end = Date.now() + ms;
  for (;;) {
    const left = ids.filter(isAlive);
    if (left.length === 0 || Date.now() >= end) return left;
    await sleep(20);
  }
}

function bootId(): string {
  return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
}
