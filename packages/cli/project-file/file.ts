import { lstatSync, mkdirSync, readFileSync, renameSync, rmSync, type Stats, statSync, writeFileSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { Failure, usage } from "../failure.ts";

/** A file that a project keeps of its own, or that the user names. */
export interface ProjectFile {
  readonly path: string;
  /** Null where there is none. */
  readonly text: string | null;
}

/** More than any of them may have: what is longer is not read into memory. */
const MOST_BYTES = 8 * 1024 * 1024;

/** A file of a directory, which may be anybody's: links and devices in its place are refused. */
export function openProjectFile(directory: string, name: string, most = MOST_BYTES): ProjectFile {
  const root = resolve(directory);
  if (!kindOf(root)?.isDirectory() && !kindOf(`${root}/`)?.isDirectory())
    throw usage(`${directory} is no directory`, "Name the directory in which the code lies.");
  const path = join(root, name);
  const folder = kindOf(dirname(path));
  if (folder && !folder.isDirectory()) throw refused(dirname(path), "is no directory of its own");
  return opened(path, kindOf(path), most);
}

/** A file that the user names, links and all; it may not be there yet. */
export function openNamedFile(path: string, most = MOST_BYTES): ProjectFile {
  return opened(resolve(path), statSync(path, { throwIfNoEntry: false }), most);
}

function opened(path: string, kind: Stats | undefined, most: number): ProjectFile {
  if (!kind) return { path, text: null };
  if (!kind.isFile()) throw refused(path, "is no plain file");
  if (kind.size > most) throw refused(path, `is larger than ${most} bytes`);
  return { path, text: readFileSync(path, "utf8") };
}

/** Whole or not at all; a link in its place is replaced, not followed. */
export function writeProjectFile({ path }: ProjectFile, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  const aside = join(dirname(path), `.${basename(path)}.${process.pid}.new`);
  try {
    writeFileSync(aside, text, { flag: "wx" });
    renameSync(aside, path);
  } finally {
    rmSync(aside, { force: true });
  }
}

const kindOf = (path: string) => lstatSync(path, { throwIfNoEntry: false });
const refused = (path: string, why: string) => new Failure("invalid_request", `${path} ${why}`, { hint: "Put a plain file there, or none." });
