import { existsSync, readFileSync, statSync } from "node:fs";
import { join, resolve } from "node:path";

/** What git tracks stays part of a checkout even where a pattern would leave it out. */
export interface Tracked {
  has(path: string): boolean;
  /** Whether something below this directory is tracked. */
  hasBelow(directory: string): boolean;
}

const LARGEST = 256 * 2 ** 20;

/**
 * The names in a checkout's index, read without git: a program that reads a repository's configuration can be told by it to start others
 * (https://git-scm.com/docs/index-format). Null where there is none or it has a form that is not known; then nothing may be left out.
 */
export function trackedIn(root: string): Tracked | null {
  try {
    const path = join(gitDirectory(root), "index");
    if (!existsSync(path)) return trackedOf([]); // nothing was ever added
    if (statSync(path).size > LARGEST) return null;
    return trackedOf(namesOf(readFileSync(path)));
  } catch {
    return null;
  }
}

/** `.git` is a directory, or, in a work tree of another repository and in a submodule, a file that names one. */
export function gitDirectory(root: string): string {
  const path = join(root, ".git");
  if (statSync(path).isDirectory()) return path;
  const named = /^gitdir: (.+)$/m.exec(readFileSync(path, "utf8").slice(0, 4096))?.[1];
  if (named === undefined) throw new Error("no git directory");
  return resolve(root, named.trim());
}

function trackedOf(names: readonly string[]): Tracked {
  const files = new Set(names);
  const directories = new Set<string>();
  for (const name of names) {
    for (let slash = name.lastIndexOf("/"); slash > 0; slash = name.lastIndexOf("/", slash - 1)) {
      const directory = name.slice(0, slash);
      if (directories.has(directory)) break;
      directories.add(directory);
    }
  }
  return { has: (path) => files.has(path), hasBelow: (directory) => directories.has(directory) };
}

/** Versions 2 to 4, sha1 or sha256. Throws where anything is not as it should be. */
function namesOf(index: Buffer): string[] {
  if (index.toString("latin1", 0, 4) !== "DIRC") throw new Error("no index");
  const version = index.readUInt32BE(4);
  if (version < 2 || version > 4) throw new Error("a version that is not known");
  const count = index.readUInt32BE(8);
  for (const hash of [20, 32]) {
    const names = entriesOf(index, version, count, hash);
    if (names) return names;
  }
  throw new Error("damaged");
}

function entriesOf(index: Buffer, version: number, count: number, hash: number): string[] | null {
  const names: string[] = [];
  let at = 12;
  let before: Buffer = Buffer.alloc(0);
  for (let entry = 0; entry < count; entry++) {
    if (at + 42 + hash > index.length) return null;
    const extended = (index.readUInt16BE(at + 40 + hash) & 0x4000) !== 0;
    let name = at + 42 + hash + (extended ? 2 : 0);
    let kept: Buffer = Buffer.alloc(0);
    if (version === 4) {
      const { value, next } = offsetAt(index, name);
      if (value > before.length) return null;
      kept = before.subarray(0, before.length - value);
      name = next;
    }
    const end = index.indexOf(0, name);
    if (end < 0) return null;
    before = Buffer.concat([kept, index.subarray(name, end)]);
    names.push(before.toString("utf8"));
    at = version === 4 ? end + 1 : at + ((end - at + 8) & ~7);
  }
  return knownExtensions(index, at, hash) ? names : null;
}

/** git's variable-length offsets. */
function offsetAt(index: Buffer, start: number): { value: number; next: number } {
  let at = start;
  let byte = index[at++] ?? 0;
  let value = byte & 127;
  while (byte & 128 && at < index.length && value < 2 ** 24) {
    byte = index[at++] ?? 0;
    value = (value + 1) * 128 + (byte & 127);
  }
  return { value, next: at };
}

/** One whose name begins in lower case must be understood to know the names (a split or a sparse index). */
function knownExtensions(index: Buffer, start: number, hash: number): boolean {
  let at = start;
  while (at + 8 <= index.length - hash) {
    if ((index[at] as number) >= 0x61) return false;
    at += 8 + index.readUInt32BE(at + 4);
  }
  return at === index.length - hash;
}
