import { lstatSync, mkdirSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join, resolve } from "node:path";

/** Where scans keep what they know, unless they are told: XDG_CACHE_HOME/plastron/scan, else ~/.cache/plastron/scan. */
export function defaultCacheDirectory(env: NodeJS.ProcessEnv = process.env): string {
  const base = env.XDG_CACHE_HOME?.startsWith("/") ? env.XDG_CACHE_HOME : join(homedir(), ".cache");
  return join(base, "plastron", "scan");
}

/**
 * Makes the directory where it is missing, and says why it must not be used: whoever can write there decides what a scan "remembers". The directory and its
 * files are to be ours alone; nobody else may be able to put others in their place.
 */
export function troubleWith(directory: string, files: readonly string[]): string | null {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const own = process.geteuid?.() ?? 0;
  const stat = lstatSync(directory);
  if (!stat.isDirectory()) return `${directory} is no directory`;
  if (stat.uid !== own) return `${directory} belongs to another user`;
  if ((stat.mode & 0o022) !== 0) return `others may write to ${directory}`;
  return ancestorTrouble(resolve(directory), own) ?? fileTrouble(directory, files, own);
}

function ancestorTrouble(directory: string, own: number): string | null {
  for (let at = dirname(directory); ; at = dirname(at)) {
    const { uid, mode } = lstatSync(at);
    if (uid !== 0 && uid !== own) return `${at}, above it, belongs to another user`;
    // In a sticky directory (/tmp) nobody can rename what is somebody else's.
    if ((mode & 0o022) !== 0 && (mode & 0o1000) === 0 && !lstatSync(at).isSymbolicLink()) return `others may write to ${at}, above it`;
    if (at === dirname(at)) return null;
  }
}

function fileTrouble(directory: string, files: readonly string[], own: number): string | null {
  for (const name of files) {
    const path = join(directory, name);
    const stat = lstatSync(path, { throwIfNoEntry: false });
    if (!stat) continue;
    if (!stat.isFile() || stat.nlink !== 1) return `${path} is no plain file of its own`;
    if (stat.uid !== own) return `${path} belongs to another user`;
    if ((stat.mode & 0o077) !== 0) return `others may read or write ${path}`;
  }
  return null;
}
