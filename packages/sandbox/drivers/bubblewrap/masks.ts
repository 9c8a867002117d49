import { execFile } from "node:child_process";
import { realpathSync, statSync } from "node:fs";
import { promisify } from "node:util";
import { type Confinement, PlastronError } from "@plastron/contracts";
import { globMatches } from "./glob.ts";
import { HIDDEN_PROC, isVisible } from "./layout.ts";

const run = promisify(execFile);

/** A path to cover with something of mode 0000 that belongs to a uid without a name inside. */
export interface Mask {
  path: string;
  directory: boolean;
}

/**
 * What of the root a confinement hides: its `hidden` paths and each program whose name it forbids. Symbolic links are followed, so the
 * file itself is covered under all its names. Errors: sandbox_failed for a pattern that mounts cannot express.
 */
export async function findMasks(confinement: Pick<Confinement, "hidden" | "forbidden_programs">): Promise<Mask[]> {
  const found = new Set<string>();
  for (const path of await expand([...HIDDEN_PROC, ...confinement.hidden])) found.add(path);
  for (const path of await programsNamed(confinement.forbidden_programs)) found.add(path);
  const masks = new Map<string, Mask>();
  for (const path of found) {
    const real = resolveInside(path);
    if (real) masks.set(real.path, real);
  }
  return withoutNested([...masks.values()]);
}

async function expand(patterns: string[]): Promise<string[]> {
  const paths: string[] = [];
  for (const pattern of patterns) {
    if (!pattern.includes("*")) paths.push(pattern);
    else if (pattern.startsWith("/proc/")) throw new PlastronError("sandbox_failed", `bubblewrap cannot hide ${pattern}: /proc changes while it runs`);
    else paths.push(...(await matching(pattern)));
  }
  return paths;
}

async function matching(pattern: string): Promise<string[]> {
  const last = pattern.slice(pattern.lastIndexOf("/") + 1);
  const names = await findNamed([last], []);
  return names.filter((path) => globMatches(pattern.slice(1), path.slice(1)));
}

async function programsNamed(names: string[]): Promise<string[]> {
  return names.length === 0 ? [] : findNamed(names, ["!", "-type", "d"]);
}

/** `find` over all of the root that programs see. */
async function findNamed(names: string[], kind: string[]): Promise<string[]> {
  const anyName = names.flatMap((name, i) => (i === 0 ? ["-name", name] : ["-o", "-name", name]));
  const { stdout } = await run("find", ["/usr", "/etc", ...kind, "(", ...anyName, ")", "-print0"], { maxBuffer: 64 * 1024 * 1024 });
  return stdout.split("\0").filter((path) => path !== "" && isVisible(path));
}

function resolveInside(path: string): Mask | undefined {
  // /proc/net and /proc/mounts point into the reader's own directory: covering ours would hide nothing from the program.
  if (path.startsWith("/proc/")) return procEntry(path);
  try {
    const real = realpathSync(path);
    return isVisible(real) ? { path: real, directory: statSync(real).isDirectory() } : undefined;
  } catch {
    return undefined; // It is not there: nothing to hide.
  }
}

function procEntry(path: string): Mask | undefined {
  const entry = statSync(path, { throwIfNoEntry: false });
  if (!entry) return undefined;
  if (/^\/proc\/(self|thread-self|net|mounts|\d+)(\/|$)/.test(path)) {
    throw new PlastronError("sandbox_failed", `bubblewrap cannot hide ${path}: it is another file for each process`);
  }
  return { path, directory: entry.isDirectory() };
}

function withoutNested(masks: Mask[]): Mask[] {
  return masks.filter((mask) => !masks.some((other) => other.directory && mask.path.startsWith(`${other.path}/`)));
}
