import type { Finding, Match } from "@plastron/contracts";
import { redactSecrets } from "../secrets/redact.ts";
import { scored } from "./cvss.ts";
import { named } from "./fingerprint.ts";
import { withFix } from "./fix.ts";
import { join } from "./join.ts";
import { byPlace, compare } from "./places.ts";
import { prioritise } from "./priority.ts";

export { scoreVector, severityOfScore } from "./cvss.ts";

/** `notes`: what a reader must know of how they were judged, each once. */
export interface Judged {
  readonly findings: Finding[];
  readonly notes: string[];
}

/**
 * What all analysers said of an artifact → its findings, most urgent first: scored, joined where several said the same, each with a name
 * that lasts, a priority with its reasons and something to do. The same for the same matches in any order.
 */
export function findingsOf(matches: readonly Match[]): Judged {
  const notes = new Set<string>();
  const judged = matches.map((match) => {
    const { match: rated, notes: said } = scored(withFix(match));
    for (const note of said) notes.add(note);
    return rated;
  });
  const findings = named(join(judged)).map(({ match: { anchor: _, ...match }, also, fingerprint }) => {
    const priority = prioritise({ ...match, anchor: "" });
    return { ...withoutSecrets(match), fingerprint, priority, state: "open" as const, exemption: null, also };
  });
  return { findings: findings.toSorted(byUrgency), notes: [...notes].toSorted(compare) };
}

/**
 * A line that is shown for a weakness may hold a secret as well, which only the secrets' own analyser knows to cut out: so all that others show of the artifact goes through its
 * redaction. What findings are named and known again by stays as it was.
 */
function withoutSecrets<Shown extends Pick<Match, "analyser" | "message" | "place" | "flow">>(match: Shown): Shown {
  if (match.analyser === "secrets") return match;
  const place = { ...match.place, snippet: redactSecrets(match.place.snippet) };
  const flow = match.flow.map((step) => ({ ...step, snippet: redactSecrets(step.snippet), message: redactSecrets(step.message) }));
  return { ...match, message: match.analyser === "dependencies" ? match.message : redactSecrets(match.message), place, flow };
}

/** Most urgent first; ties by place and rule, so that two scans of one artifact read the same. */
export function byUrgency(a: Finding, b: Finding): number {
  return b.priority.score - a.priority.score || byPlace(a.place, b.place) || compare(a.rule, b.rule) || compare(a.fingerprint, b.fingerprint);
}
