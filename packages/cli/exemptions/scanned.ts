import { statSync } from "node:fs";
import type { ScanResult } from "@plastron/contracts";
import { EXEMPTIONS_PATH, withExemptions } from "@plastron/scan";
import { exemptionsOf, openExemptions, today } from "./file.ts";

/**
 * The result with the exemptions that lie in the scanned directory. Only there: what a package, an archive or somebody's repository says of
 * itself exempts nothing. A file that is not valid exempts nothing either, and the result says where its fault is.
 */
export function exemptedByDirectory(result: ScanResult, what: string): ScanResult {
  if (!statSync(what, { throwIfNoEntry: false })?.isDirectory()) return result;
  try {
    const file = openExemptions(what);
    return file.text === null ? result : withExemptions(result, exemptionsOf(file), { today: today() });
  } catch (error) {
    const note = `${EXEMPTIONS_PATH} is not valid, so nothing is exempted: ${error instanceof Error ? error.message : error}`;
    return { ...result, coverage: { ...result.coverage, notes: [...result.coverage.notes, note] } };
  }
}
