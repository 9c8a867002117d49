import { type AnalyserName, type Finding, type GateDecision, type ScanResult, SEVERITIES, type Severity } from "@plastron/contracts";
import { inHistory } from "../findings/places.ts";
import { fits } from "./glob.ts";
import { type Pentest, pentestReason } from "./pentest.ts";
import type { GatePolicy } from "./policy.ts";

export interface GateInput {
  /** As it stands at the base, for the environment that is meant (`policyFor`): a change must not judge itself. */
  readonly policy: GatePolicy;
  readonly head: ScanResult;
  /** Fingerprints of the head's findings that stood at the base already (`reconcile`). Empty where there is no base: then all is new. */
  readonly known: ReadonlySet<string>;
  /** What was said of pentests, from anywhere: only what is signed by one of the policy's keys counts. */
  readonly pentests: readonly Pentest[];
  readonly now: Date;
}

type Reason = GateDecision["reasons"][number];

/**
 * Whether the head may pass. New findings at or above the thresholds, live secrets and malice count; a language model's word is no part
 * of this. What cannot be said, as a scan is incomplete or advisories are too old, holds: that is never a pass. Every reason names the
 * findings it is about and what to do.
 */
export function decide(input: GateInput): GateDecision {
  const { head, known } = input;
  const open = head.findings.filter(({ state }) => state === "open");
  const fresh = open.filter(({ fingerprint }) => !known.has(fingerprint));
  const always = open.filter((finding) => finding.verdict === "malice" || finding.secret?.state === "live");
  const counting = fresh.filter((finding) => !always.includes(finding) && counts(finding, input.policy));
  const reasons = [
    ...graveReasons(always),
    ...newReasons(counting, input.policy),
    ...totalReasons(open, input.policy),
    ...[pentestReason(input)].filter((reason) => reason !== null),
    ...incompleteReasons(input),
  ];
  return {
    decision: reasons.some(({ effect }) => effect === "deny") ? "deny" : reasons.length > 0 ? "hold" : "pass",
    reasons,
    counted: [...new Set(reasons.flatMap(({ fingerprints }) => fingerprints))],
    exempted: head.findings.length - open.length,
    known: open.length - fresh.length,
  };
}

/** Whether a new finding is one that the policy's threshold is about. Authority is no fault: a gate never counts it. */
function counts(finding: Finding, policy: GatePolicy): boolean {
  if (finding.verdict === "authority") return false;
  const override = policy.overrides.find(({ rule, path }) => fits(rule, finding.rule) && fits(path, finding.place.path));
  if (override) return atLeast(finding.severity, override.severity);
  return atLeast(finding.severity, policy.new.severity) && SURE.indexOf(finding.confidence) <= SURE.indexOf(policy.new.confidence);
}

const SURE = ["high", "medium", "low"] as const;
const atLeast = (severity: Severity, threshold: Severity | "none"): boolean =>
  threshold !== "none" && SEVERITIES.indexOf(severity) <= SEVERITIES.indexOf(threshold);

function graveReasons(findings: readonly Finding[]): Reason[] {
  const malice = findings.filter(({ verdict }) => verdict === "malice");
  const live = findings.filter(({ verdict }) => verdict !== "malice");
  return [
    ...reason("malice", malice, "deny", (many) => `${many} made to do harm`, "Remove it. Malice counts whether it is new or not."),
    ...reason(
      "live_secrets",
      live,
      "deny",
      (many) => `${many} a credential that works right now`,
      "Revoke it first, then remove it: it counts whether it is new or not.",
    ),
  ];
}

function newReasons(findings: readonly Finding[], policy: GatePolicy): Reason[] {
  const general = "`plastron gate` shows each with its fix; what must stay needs an exemption that somebody else than its author approves.";
  const past = "What only a commit on the way has goes with that commit: revoke it, then squash or rebase the change.";
  return SEVERITIES.flatMap((severity) => {
    const some = findings.filter((finding) => finding.severity === severity);
    return reason(
      `new.${severity}`,
      some,
      "deny",
      (many) => `${many} new and of severity ${severity} (the policy lets pass what is below ${policy.new.severity})`,
      some.some(({ place }) => inHistory(place)) ? `${past} ${general}` : general,
    );
  });
}

function totalReasons(open: readonly Finding[], policy: GatePolicy): Reason[] {
  return SEVERITIES.flatMap((severity) => {
    const most = policy.total[severity];
    const some = open.filter((finding) => finding.severity === severity && finding.verdict !== "authority");
    if (most === undefined || some.length <= most) return [];
    return reason(
      `total.${severity}`,
      some,
      "deny",
      (many) => `${many} of severity ${severity}, and the policy allows ${most} in all`,
      "End as many as are too many, also old ones.",
    );
  });
}

function incompleteReasons({ head, policy, now }: GateInput): Reason[] {
  const { coverage } = head;
  const hold = (rule: string, message: string, hint: string): Reason => ({ rule, effect: "hold", message, hint, fingerprints: [] });
  const missing = policy.required.filter((analyser) => !coverage.analysers[analyser as AnalyserName]);
  const asked = new Set<string>(["intake", ...policy.required]);
  const gaps = coverage.gaps.filter(({ matters, analyser }) => matters && asked.has(analyser));
  const untold = coverage.gaps_total > coverage.gaps.length; // one of those that are not listed may be of a required analyser
  const reasons: Reason[] = missing.map((analyser) => hold("required", `the analyser ${analyser} did not run`, "Scan without leaving it out."));
  if (head.status === "incomplete" && (gaps.length > 0 || untold)) {
    const [first] = gaps;
    const what = first ? `: ${first.path || first.analyser}: ${first.detail}${gaps.length > 1 ? ` (and ${gaps.length - 1} more)` : ""}` : "";
    reasons.push(hold("complete", `the scan is incomplete${what}`, "Mend what could not be looked at, or take it out of the change; then scan again."));
  }
  const { advisories } = coverage;
  if (!policy.required.includes("dependencies") || !coverage.analysers.dependencies) return reasons;
  const update = "`plastron advisories update` brings new ones.";
  if (advisories === null) reasons.push(hold("advisories", "dependencies were held against no advisories", update));
  else if (advisories.seed && policy.advisories.seed === "hold") reasons.push(hold("advisories.seed", "only the seed of advisories is there", update));
  else if (!advisories.seed && now.getTime() - Date.parse(advisories.as_of) > policy.advisories.max_age_days * DAY) {
    reasons.push(
      hold("advisories.max_age_days", `the advisories are of ${advisories.as_of.slice(0, 10)}, older than ${policy.advisories.max_age_days} days`, update),
    );
  }
  return reasons;
}

const DAY = 86_400_000;
const MOST_NAMED = 3;

function reason(rule: string, findings: readonly Finding[], effect: Reason["effect"], message: (many: string) => string, hint: string): Reason[] {
  if (findings.length === 0) return [];
  const many = findings.length === 1 ? "one finding is" : `${findings.length} findings are`;
  return [{ rule, effect, message: `${message(many)}${advisoriesIn(findings)}`, hint, fingerprints: findings.map(({ fingerprint }) => fingerprint) }];
}

/** Which advisories, and in what: the rest of a finding is in its report, but a name is what people know an advisory by. */
function advisoriesIn(findings: readonly Finding[]): string {
  const named = findings.flatMap(({ package: affected, aliases }) => (affected && aliases[0] ? [`${aliases[0]} in ${affected.name} ${affected.version}`] : []));
  if (named.length === 0) return "";
  return `: ${named.slice(0, MOST_NAMED).join(", ")}${named.length > MOST_NAMED ? `, and ${named.length - MOST_NAMED} more` : ""}`;
}
