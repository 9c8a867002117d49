import { createHash } from "node:crypto";
import type { Finding, ScanResult } from "@plastron/contracts";
import { applyExemptions, DEFAULT_GATE, type Exemption, type GatePolicy, parseExemptions, parseGatePolicy, policyFor } from "@plastron/scan";
import type { ProjectRow } from "./store.ts";

const DAY_MS = 86_400_000;

/** What a project is judged by. @throws PlastronError invalid_document */
export function policyOf({ gate, environment }: Pick<ProjectRow, "gate" | "environment">): GatePolicy {
  return policyFor(gate === null ? DEFAULT_GATE : parseGatePolicy(gate), environment);
}

/** @throws PlastronError invalid_document */
export function exemptionsOf({ exemptions }: Pick<ProjectRow, "exemptions">): Exemption[] {
  return exemptions === null ? [] : parseExemptions(exemptions);
}

/** What of an artifact that passed was not exempted, then or ever: what passed by somebody's leave is nothing that another may lean on. */
export function standingAlone(project: ProjectRow, findings: readonly Finding[]): readonly Finding[] {
  if (project.exemptions === null) return findings;
  const always = exemptionsOf(project).map((exemption) => ({ ...exemption, created: "0001-01-01", expires: "9999-12-31" }));
  return applyExemptions(findings, always, { today: "2000-01-01" }).findings.filter(({ state }) => state === "open");
}

export const dayOf = (time: Date): string => time.toISOString().slice(0, 10);

/** Other exemptions are another policy: what passed under the old ones is judged anew. */
export function policySha256({ gate, environment, exemptions }: ProjectRow): string {
  return createHash("sha256")
    .update(JSON.stringify([gate, environment, ...(exemptions === null ? [] : [exemptions])]))
    .digest("hex");
}

/** The end of the first exemption that this result leans on, of the advisories' allowed age, or of the pentest's. */
export function validUntil({ findings, coverage }: ScanResult, policy: GatePolicy, pentest: Date | null): Date | null {
  const ends = findings.flatMap(({ exemption }) => (exemption ? [Date.parse(exemption.expires) + DAY_MS] : []));
  if (pentest) ends.push(pentest.getTime());
  const { advisories } = coverage;
  if (advisories && !advisories.seed) ends.push(Date.parse(advisories.as_of) + policy.advisories.max_age_days * DAY_MS);
  return ends.length === 0 ? null : new Date(Math.min(...ends));
}
