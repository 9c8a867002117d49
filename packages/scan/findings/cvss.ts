import type { Match, Severity } from "@plastron/contracts";
import calculators from "ae-cvss-calculator";

export type Cvss = Match["cvss"][number];

/** The metrics that a base vector must have (https://www.first.org/cvss/v4-0/specification-document, …/v3-1/specification-document). */
const BASE = {
  "4.0": ["AV", "AC", "AT", "PR", "UI", "VC", "VI", "VA", "SC", "SI", "SA"],
  "3.1": ["AV", "AC", "PR", "UI", "S", "C", "I", "A"],
} as const;
/** All metrics that there are take less than this; whatever is longer is no vector. */
const MAX_VECTOR = 400;

/**
 * A CVSS 4.0 or 3.1 vector → its score, between 0 and 10 with one decimal; threat and environmental metrics count where they are given.
 * Null for anything that is not such a vector: unknown, repeated or missing metrics included, which the library would pass over.
 */
export function scoreVector(vector: string): Cvss | null {
  if (vector.length > MAX_VECTOR) return null;
  const [head, ...metrics] = vector.split("/");
  const version = head === "CVSS:4.0" ? "4.0" : head === "CVSS:3.1" ? "3.1" : null;
  if (version === null) return null;
  const names = metrics.map((metric) => /^([A-Z]{1,3}):[A-Za-z]{1,8}$/.exec(metric)?.[1]);
  if (names.includes(undefined) || new Set(names).size !== names.length) return null;
  if (BASE[version].some((name) => !names.includes(name))) return null;
  try {
    const calculator = version === "4.0" ? new calculators.Cvss4P0(vector) : new calculators.Cvss3P1(vector);
    const score = calculator.isBaseFullyDefined() ? calculator.calculateScores().overall : undefined;
    return score === undefined || Number.isNaN(score) ? null : { version, vector, score };
  } catch {
    return null;
  }
}

/** The qualitative scale, the same in 4.0 (section 6) and 3.1 (section 5). */
export function severityOfScore(score: number): Severity {
  if (score >= 9) return "critical";
  if (score >= 7) return "high";
  if (score >= 4) return "medium";
  return score > 0 ? "low" : "info";
}

/** The one that decides where several are given: the newest version, then the gravest score. */
export function decisive(cvss: readonly Cvss[]): Cvss | null {
  return cvss.toSorted((a, b) => b.version.localeCompare(a.version) || b.score - a.score || a.vector.localeCompare(b.vector))[0] ?? null;
}

/**
 * A match with its vectors scored by us and its severity said by the decisive one. Malice keeps the severity of its rule: a
 * vector measures a mistake. Vectors that are none are dropped, each with a note.
 */
export function scored(match: Match): { match: Match; notes: string[] } {
  const notes: string[] = [];
  const cvss = match.cvss.flatMap((given) => {
    const own = scoreVector(given.vector);
    if (own === null) notes.push(`${match.rule} gives a CVSS vector that is none: ${JSON.stringify(given.vector.slice(0, 100))}`);
    return own === null ? [] : [own];
  });
  const best = decisive(cvss);
  const severity = best === null || match.verdict === "malice" ? match.severity : severityOfScore(best.score);
  return { match: { ...match, cvss, severity }, notes };
}
