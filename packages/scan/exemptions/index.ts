/**
 * Findings that may stand for a while: exemptions are read from a file beside the code, hold until a day, and somebody else than their author
 * answers for each. They are shown wherever findings are, and exported as OpenVEX and as SARIF's suppressions.
 */
import type { ScanResult } from "@plastron/contracts";
import { applyExemptions, type ExemptionContext } from "./apply.ts";
import type { Exemption } from "./schema.ts";

export { applyExemptions, type Exempted, type ExemptionContext } from "./apply.ts";
export { type Approval, type Approved, approvedBy } from "./approval.ts";
export { addDays, daysBetween, EXEMPTIONS_PATH, MOST_DAYS, parseExemptions } from "./parse.ts";
export { personOf, samePerson } from "./person.ts";
export type { Exemption, Scope } from "./schema.ts";

/** A result in which these exemptions count, and its notes tell of those that do not. */
export function withExemptions(result: ScanResult, exemptions: readonly Exemption[], context: ExemptionContext): ScanResult {
  const { findings, notes } = applyExemptions(result.findings, exemptions, context);
  return { ...result, findings, coverage: { ...result.coverage, notes: [...result.coverage.notes, ...notes] } };
}
