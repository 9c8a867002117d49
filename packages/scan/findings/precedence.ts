import { type Match, SEVERITIES, type Severity } from "@plastron/contracts";
import { byPlace, compare, inHistory } from "./places.ts";

const VERDICTS: readonly Match["verdict"][] = ["malice", "secret", "weakness", "authority"];
const STATES = ["live", "unverified", "dead"];
const CONFIDENCES: readonly Match["confidence"][] = ["high", "medium", "low"];

/**
 * Who speaks where several say the same. First what it is (harm on purpose before a mistake), then how well it is shown (a secret that
 * opened its door, a crash that happened, a flow from end to end, a named provider), then how grave and how sure; at last the names,
 * so that the order is the same on every machine and in every run.
 */
export function byPrecedence(a: Match, b: Match): number {
  return (
    VERDICTS.indexOf(a.verdict) - VERDICTS.indexOf(b.verdict) ||
    evidence(a) - evidence(b) ||
    SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity) ||
    CONFIDENCES.indexOf(a.confidence) - CONFIDENCES.indexOf(b.confidence) ||
    Number(inHistory(a.place)) - Number(inHistory(b.place)) ||
    (a.flow.length || Number.MAX_SAFE_INTEGER) - (b.flow.length || Number.MAX_SAFE_INTEGER) ||
    compare(a.rule, b.rule) ||
    byPlace(a.place, b.place) ||
    compare(a.anchor, b.anchor) ||
    compare(JSON.stringify(a), JSON.stringify(b))
  );
}

export function gravest(severities: readonly Severity[]): Severity {
  return SEVERITIES.find((severity) => severities.includes(severity)) ?? "info";
}

function evidence(match: Match): number {
  if (match.secret) return STATES.indexOf(match.secret.state) * 2 + (/generic|entropy/.test(match.secret.detector) ? 1 : 0);
  if (match.analyser === "fuzz") return 0;
  if (match.flow.length > 1) return 1;
  return 2;
}
