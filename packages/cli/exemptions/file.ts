import { EXEMPTIONS_PATH, type Exemption, parseExemptions } from "@plastron/scan";
import { Failure } from "../failure.ts";
import { openProjectFile, type ProjectFile } from "../project-file/file.ts";

/** More than any file of exemptions may have. */
const MOST_BYTES = 1024 * 1024;

/** The file of exemptions of one directory. */
export function openExemptions(directory: string): ProjectFile {
  return openProjectFile(directory, EXEMPTIONS_PATH, MOST_BYTES);
}

/** Faults are told with the file's name. Empty where there is no file. */
export function exemptionsOf({ path, text }: ProjectFile): Exemption[] {
  if (text === null) return [];
  try {
    return parseExemptions(text);
  } catch (error) {
    const { code, message, hint, errors } = error as Failure;
    if (code !== "invalid_document") throw error;
    throw new Failure(code, message, { ...(hint ? { hint } : {}), ...(errors ? { errors } : {}), file: path, cause: error });
  }
}

export const today = (): string => new Date().toISOString().slice(0, 10);
