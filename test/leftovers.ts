/**
 * What a test, a crashed run or a killed server must not leave on the host. Things are compared with a snapshot of the start,
 * so a Plastron that was already running here is nobody's leftover.
 */
import { lstatSync, readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Names of things: a kind, a colon, and what a person needs to find it. */
export type Snapshot = ReadonlySet<string>;

export function snapshot(): Snapshot {
  return new Set([...processes(), ...cgroups(), ...mounts(), ...sockets(), ...temporaryFiles()]);
}

export const leftovers = (before: Snapshot, after: Snapshot): string[] => [...after].filter((thing) => !before.has(thing)).sort();

/** A killed sandbox takes a moment to be gone: looks again until nothing is left or `patienceMs` is over. */
export async function settled(look: () => string[], patienceMs = 5000): Promise<string[]> {
  const end = performance.now() + patienceMs;
  let left = look();
  while (left.length > 0 && performance.now() < end) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    left = look();
  }
  return left;
}

/** Our programs, by command line; and whatever runs under a uid that exists only as a number, as every sandbox does. */
const OURS = /(^|\/)plastron-\w|\/\.plastron\/|packages\/(agent|server|cli|sandbox)\/\S*\.(ts|js|py)\b/;
const FIRST_NUMBER_ONLY_UID = 65_536;

function* processes(): Iterable<string> {
  const spared = new Set(ancestors(process.pid));
  for (const pid of list("/proc")) {
    if (!/^\d+$/.test(pid) || spared.has(pid)) continue;
    const command = text(`/proc/${pid}/cmdline`).replaceAll("\0", " ").trim();
    const uid = Number(/^Uid:\t(\d+)/m.exec(text(`/proc/${pid}/status`))?.[1] ?? 0);
    if (OURS.test(command) || uid >= FIRST_NUMBER_ONLY_UID) yield `process: ${pid} (uid ${uid}) ${command}`;
  }
}

function* ancestors(pid: number): Iterable<string> {
  for (let at = String(pid); at && at !== "0"; at = /^PPid:\t(\d+)/m.exec(text(`/proc/${at}/status`))?.[1] ?? "") yield at;
}

/** Any group named plastron…, under any hierarchy of cgroup v1 or v2, at most four levels down. */
function* cgroups(directory = "/sys/fs/cgroup", depth = 4): Iterable<string> {
  for (const name of subdirectories(directory)) {
    const path = join(directory, name);
    if (name.startsWith("plastron")) yield `cgroup: ${path}`;
    if (depth > 1) yield* cgroups(path, depth - 1);
  }
}

function* mounts(): Iterable<string> {
  for (const line of text("/proc/self/mountinfo").split("\n")) {
    const point = line.split(" ")[4];
    if (point?.includes("plastron")) yield `mount: ${point}`;
  }
}

/** Listening or connected unix sockets with a name of ours; the abstract ones too. */
function* sockets(): Iterable<string> {
  for (const line of text("/proc/net/unix").split("\n")) {
    const path = line.split(" ").slice(7).join(" ").trim();
    if (path.includes("plastron")) yield `socket: ${path}`;
  }
}

function* temporaryFiles(): Iterable<string> {
  for (const directory of new Set([tmpdir(), "/tmp", "/run", "/dev/shm"])) {
    for (const name of list(directory)) if (/^\.?plastron/.test(name)) yield `file: ${join(directory, name)}`;
  }
}

const subdirectories = (directory: string): string[] =>
  list(directory).filter((name) => lstatSync(join(directory, name), { throwIfNoEntry: false })?.isDirectory());

function list(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

function text(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
