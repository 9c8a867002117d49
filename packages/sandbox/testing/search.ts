import { closeSync, lstatSync, openSync, readdirSync, readFileSync, readlinkSync, readSync } from "node:fs";
import { join } from "node:path";

/** Looks from the host into everything that a sandbox has: the memory of its processes, and its files. */
export interface Found {
  where: string;
  form: string;
}

/** Pids of every process of the pid namespace in which somebody was started with `marker` in the environment. */
export function processesOf(marker: string): number[] {
  const all = readdirSync("/proc").filter((pid) => /^\d+$/.test(pid));
  const inside = all.find((pid) => pid !== String(process.pid) && attempt(() => readFileSync(`/proc/${pid}/environ`, "latin1"))?.includes(marker));
  if (inside === undefined) return [];
  const namespace = readlinkSync(`/proc/${inside}/ns/pid`);
  return all.filter((pid) => attempt(() => readlinkSync(`/proc/${pid}/ns/pid`)) === namespace).map(Number);
}

/** Where one of `forms` (name → bytes) is in the memory of these processes, down to the last page that can be read. */
export function searchMemory(pids: readonly number[], forms: Record<string, Buffer>): Found[] {
  return pids.flatMap((pid) => {
    const maps = attempt(() => readFileSync(`/proc/${pid}/maps`, "latin1")) ?? "";
    const ranges = [...maps.matchAll(/^([0-9a-f]+)-([0-9a-f]+) r\S+ \S+ \S+ \S+ *(.*)$/gm)].filter(([, , , name]) => !/^\[v(var|syscall|dso)/.test(name ?? ""));
    const memory = openSync(`/proc/${pid}/mem`, "r");
    try {
      return ranges.flatMap(([, from, to, name]) =>
        searchRange(memory, Number(`0x${from}`), Number(`0x${to}`), forms).map((form) => ({ where: `${pid} ${name}`, form })),
      );
    } finally {
      closeSync(memory);
    }
  });
}

/** The same for files below the root of a process, but for those that come read-only from the host. Links would lead to the host's. */
export function searchFiles(pid: number, forms: Record<string, Buffer>): Found[] {
  const skipped = new Set(["/usr", "/proc", "/sys", "/lib", "/lib64", "/bin", "/sbin", "/opt"]);
  const root = `/proc/${pid}/root`;
  const look = (path: string): Found[] => {
    if (skipped.has(path)) return [];
    const full = root + path;
    const entry = attempt(() => lstatSync(full));
    if (entry?.isDirectory()) return (attempt(() => readdirSync(full)) ?? []).flatMap((name) => look(join(path, name)));
    const bytes = entry?.isFile() ? attempt(() => readFileSync(full)) : undefined;
    return bytes ? Object.keys(forms).flatMap((form) => (bytes.includes(forms[form] as Buffer) ? [{ where: path, form }] : [])) : [];
  };
  return look("/");
}

const STEP = 4 * 1024 * 1024;

function searchRange(memory: number, from: number, to: number, forms: Record<string, Buffer>): string[] {
  const names = new Set<string>();
  const overlap = Math.max(...Object.values(forms).map(({ length }) => length));
  for (let at = from; at < to; at += STEP) {
    const bytes = Buffer.alloc(Math.min(STEP + overlap, to - at));
    const length = attempt(() => readSync(memory, bytes, 0, bytes.length, at)) ?? 0;
    for (const [name, form] of Object.entries(forms)) if (bytes.subarray(0, length).includes(form)) names.add(name);
  }
  return [...names];
}

function attempt<T>(what: () => T): T | undefined {
  try {
    return what();
  } catch {
    return undefined;
  }
}
