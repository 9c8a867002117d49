import type { ScanResult, Severity } from "@plastron/contracts";
import { outermost, placeWords } from "../../findings/places.ts";

const SEVERITY: Record<Severity, string> = { critical: "blocker", high: "critical", medium: "major", low: "minor", info: "info" };

/** GitLab's Code Quality report: an array of open findings, told apart by fingerprint. An incomplete scan is in it, as it is no pass. */
export function renderGitlab(result: ScanResult): string {
  const open = result.findings.filter(({ state }) => state === "open");
  const entries = open.map(({ title, message, fix, rule, fingerprint, severity, place }) => ({
    description: `${title}${outermost(place) === place.path ? "" : ` in ${placeWords(place)}`}. ${message} What to do: ${fix.text}`,
    check_name: rule,
    fingerprint,
    severity: SEVERITY[severity],
    location: { path: outermost(place).toWellFormed(), lines: { begin: outermost(place) === place.path ? place.line : 1 } },
  }));
  const [first] = result.coverage.gaps.filter(({ matters }) => matters);
  const incomplete = {
    description: `The scan is incomplete${first ? `: ${first.path}: ${first.detail || first.reason}` : ""}. What was not looked at may hold anything.`,
    check_name: "plastron/incomplete",
    fingerprint: result.artifact.digest.slice(0, 32),
    severity: "blocker",
    location: { path: first?.path.toWellFormed() || ".", lines: { begin: 1 } },
  };
  return `${JSON.stringify(result.status === "incomplete" ? [incomplete, ...entries] : entries, null, 2)}\n`;
}
