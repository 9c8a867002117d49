import { closeSync, openSync, readFileSync, readSync } from "node:fs";

/** One line of /proc/PID/maps. `path` is the sandbox's word: for showing, never for opening. */
export interface Mapping {
  range: string;
  start: number;
  end: number;
  offset: number;
  executable: boolean;
  writable: boolean;
  /** device:inode; null of anonymous memory */
  file: string | null;
  path: string;
}

/** A program can make 65,530 mappings, a line each: so much of the table is read. Programs that do not mean to have 10 to 50 KiB. */
const MAX_MAPS_BYTES = 512 * 1024;

/** In the order of addresses. Throws what `open` throws. `complete` false: the table is longer than what one stack may cost. */
export function readMappings(proc: string): { mappings: Mapping[]; complete: boolean } {
  const { text, complete } = readSome(`${proc}/maps`, MAX_MAPS_BYTES);
  const lines = text.split("\n");
  lines.pop();
  return { mappings: lines.flatMap((line) => parseMapping(line) ?? []), complete };
}

function parseMapping(line: string): Mapping | null {
  const match = /^([0-9a-f]+)-([0-9a-f]+) .(.)(.). ([0-9a-f]+) (\S+) (\d+) *(.*)$/s.exec(line);
  if (!match) return null;
  const [, start = "", end = "", write, execute, offset = "", device, inode, path = ""] = match;
  return {
    // As /proc/PID/map_files names it: without leading zeros.
    range: `${start.replace(/^0+/, "")}-${end.replace(/^0+/, "")}`,
    start: Number.parseInt(start, 16),
    end: Number.parseInt(end, 16),
    offset: Number.parseInt(offset, 16),
    writable: write === "w",
    executable: execute === "x",
    file: inode === "0" ? null : `${device}:${inode}`,
    path,
  };
}

/** The mapping that holds an address. */
export function mappingAt(mappings: readonly Mapping[], address: number): Mapping | undefined {
  let low = 0;
  let high = mappings.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((mappings[middle] as Mapping).end <= address) low = middle + 1;
    else high = middle;
  }
  const found = mappings[low];
  return found !== undefined && address >= found.start ? found : undefined;
}

/** Where a task stands. Null of what is not to be had: a task that runs has no place. */
export interface Standing {
  pc: number | null;
  sp: number | null;
}

/** Stack pointer and program counter of a task that does not run: it is in a system call, stopped, or frozen. */
export function readStanding(proc: string, tid: number): Standing {
  const words = readFileSync(`${proc}/task/${tid}/syscall`, "latin1").trim().split(" ");
  const [sp, pc] = words.slice(-2).map((word) => (/^0x[0-9a-f]{1,13}$/.test(word) ? Number.parseInt(word, 16) : null));
  return words.length < 3 ? { pc: null, sp: null } : { pc: pc ?? null, sp: sp ?? null };
}

/** The thread's id as it sees it itself, in the innermost of its pid namespaces. Interpreters note that one. */
export function innerThreadId(proc: string, tid: number): number {
  const status = readFileSync(`${proc}/task/${tid}/status`, "latin1");
  return Number(/^NSpid:.*?(\d+)$/m.exec(status)?.[1] ?? tid);
}

/** When the process started, in clock ticks since the machine did. With its number it names a process for good. */
export function startTicks(proc: string): number {
  const stat = readFileSync(`${proc}/stat`, "latin1");
  return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19]);
}

/** Zombie or dead: it has no memory any more. */
export function hasEnded(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    return /^[ZXx]/.test(stat.slice(stat.lastIndexOf(")") + 2));
  } catch {
    return true;
  }
}

function readSome(path: string, limit: number): { text: string; complete: boolean } {
  const fd = openSync(path, "r");
  try {
    const chunks: Buffer[] = [];
    for (let total = 0; total < limit; ) {
      const chunk = Buffer.allocUnsafe(64 * 1024);
      const count = readSync(fd, chunk, 0, chunk.length, null);
      if (count === 0) return { text: Buffer.concat(chunks).toString(), complete: true };
      chunks.push(chunk.subarray(0, count));
      total += count;
    }
    return { text: Buffer.concat(chunks).toString(), complete: false };
  } finally {
    closeSync(fd);
  }
}
