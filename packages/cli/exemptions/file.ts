import { lstatSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { EXEMPTIONS_PATH, type Exemption, parseExemptions } from "@plastron/scan";
import { Failure, usage } from "../failure.ts";

/** More than any file of exemptions may have: what is longer is not read into memory. */
const MOST_BYTES = 1024 * 1024;

/** The file of exemptions of one directory, which may be anybody's: links and devices in its place are refused. */
export interface ExemptionsFile {
  readonly path: string;
  /** Null where there is none. */
  readonly text: string | null;
}

export function openExemptions(directory: string): ExemptionsFile {
  const root = resolve(directory);
  if (!kindOf(root)?.isDirectory() && !kindOf(`${root}/`)?.isDirectory())
    throw usage(`${directory} is no directory`, "Name the directory in which the code lies.");
  const path = join(root, EXEMPTIONS_PATH);
  const folder = kindOf(dirname(path));
  if (folder && !folder.isDirectory()) throw refused(dirname(path), "is no directory of its own");
  const kind = kindOf(path);
  if (!kind) return { path, text: null };
  if (!kind.isFile()) throw refused(path, "is no plain file");
  if (kind.size > MOST_BYTES) throw refused(path, `is larger than ${MOST_BYTES} bytes`);
  return { path, text: readFileSync(path, "utf8") };
}

/** Faults are told with the file's name. Empty where there is no file. */
export function exemptionsOf({ path, text }: ExemptionsFile): Exemption[] {
  if (text === null) return [];
  try {
    return parseExemptions(text);
  } catch (error) {
    const { code, message, hint, errors } = error as Failure;
    if (code !== "invalid_document") throw error;
    throw new Failure(code, message, { ...(hint ? { hint } : {}), ...(errors ? { errors } : {}), file: path, cause: error });
  }
}

/** Whole or not at all; a link in its place is replaced, not followed. */
export function writeExemptions({ path }: ExemptionsFile, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  const aside = `${path}.${process.pid}.new`;
  writeFileSync(aside, text, { flag: "wx" });
  renameSync(aside, path);
}

export const today = (): string => new Date().toISOString().slice(0, 10);

const kindOf = (path: string) => lstatSync(path, { throwIfNoEntry: false });
const refused = (path: string, why: string) => new Failure("invalid_request", `${path} ${why}`, { hint: "Put a plain file there, or none." });
