import { statSync } from "node:fs";
import type { ScanResult } from "@plastron/contracts";
import { EXEMPTIONS_PATH, withExemptions } from "@plastron/scan";
import { usage } from "../failure.ts";
import { openNamedFile } from "../project-file/file.ts";
import { exemptionsOf, openExemptions, today } from "./file.ts";

/** Where exemptions come from: a file that the user names, false for none, else the scanned directory's own. */
export type ExemptionsFrom = string | false | undefined;

/**
 * The result with the exemptions that count, and how many findings they let stand. A file that the user names counts as it is, and must be valid. That of the scanned directory counts
 * but for malice, which whoever made the directory would exempt first; what a package, an archive or somebody's repository says of itself exempts nothing.
 */
export function exempted(result: ScanResult, what: string, from: ExemptionsFrom): ScanResult {
  if (from === false) return result;
  return from === undefined ? byDirectory(result, what) : byNamedFile(result, from);
}

function byNamedFile(result: ScanResult, name: string): ScanResult {
  const file = openNamedFile(name);
  if (file.text === null) throw usage(`there is no file ${name}`, "Name a file of exemptions; `plastron exempt add` writes one.");
  return told(withExemptions(result, exemptionsOf(file), { today: today() }), name);
}

function byDirectory(result: ScanResult, what: string): ScanResult {
  if (!statSync(what, { throwIfNoEntry: false })?.isDirectory()) return result;
  try {
    const file = openExemptions(what);
    return file.text === null ? result : told(withExemptions(result, exemptionsOf(file), { today: today(), from: "artifact" }), `${EXEMPTIONS_PATH} in it`);
  } catch (error) {
    return noted(result, `${EXEMPTIONS_PATH} is not valid, so nothing is exempted: ${error instanceof Error ? error.message : error}`);
  }
}

function told(result: ScanResult, where: string): ScanResult {
  const count = result.findings.filter(({ state }) => state === "exempted").length;
  return count === 0 ? result : noted(result, `${count === 1 ? "1 finding is" : `${count} findings are`} exempted by ${where}: --no-exemptions counts all`);
}

function noted(result: ScanResult, note: string): ScanResult {
  return { ...result, coverage: { ...result.coverage, notes: [...result.coverage.notes, note] } };
}
