import type { Finding, Match, Severity } from "@plastron/contracts";
import { decisive } from "./cvss.ts";
import { type Exposure, exposureOf } from "./exposure.ts";

type Priority = Finding["priority"];
/** What changes how urgent something is, and the words for it. */
interface Reason {
  readonly factor: number;
  readonly words: string;
}

/** The middle of each band of the CVSS scale, for what has no vector. */
const POINTS: Record<Severity, number> = { critical: 95, high: 80, medium: 55, low: 25, info: 8 };
const LEVELS: readonly (readonly [Priority["level"], number])[] = [
  ["now", 80],
  ["soon", 55],
  ["plan", 22],
  ["note", 0],
];

/**
 * How urgent, from 0 to 100, and why in words. The score of the weakness (CVSS, else its severity) times: is it exploited (KEV, EPSS),
 * is it reached, who can get at it, how sure are we. Three things stand above arithmetic: a secret that works and harm on purpose are
 * for now, and what is known to be exploited and not shown to be out of reach is never for later.
 */
export function prioritise(match: Match): Priority {
  const exposure = exposureOf(match);
  const reasons = [certainty(match), ...exploitation(match), ...reach(match), exposed(match, exposure)].filter((reason) => reason !== null);
  const product = reasons.reduce((score, { factor }) => score * factor, points(match));
  const score = Math.round(Math.min(100, bounded(match, exposure, product)) * 10) / 10;
  const level = LEVELS.find(([, least]) => score >= least)?.[0] ?? "note";
  return { level, score, words: [weight(match), ...reasons.map(({ words }) => words)].filter(Boolean).join("; ").concat(".") };
}

function points(match: Match): number {
  const best = decisive(match.cvss);
  return best && match.verdict !== "malice" ? best.score * 10 : POINTS[match.severity];
}

function bounded(match: Match, exposure: Exposure, score: number): number {
  if (match.secret?.state === "live") return 100;
  if (match.verdict === "malice") return match.confidence === "low" ? Math.max(score, 55) : Math.max(score, 85);
  if (match.verdict === "authority") return Math.min(score, 40);
  const away = match.package?.reachability === "installed" || exposure === "development" || exposure === "test" || exposure === "example";
  return match.package?.kev ? Math.max(score, away ? 60 : 90) : score;
}

function weight(match: Match): string {
  const best = decisive(match.cvss);
  const severity = match.severity[0]?.toUpperCase() + match.severity.slice(1);
  if (match.verdict === "malice") return `${severity}: made to do harm`;
  if (match.verdict === "authority") return `${severity}: what it may do, not what is wrong with it`;
  return best ? `${severity} (CVSS ${best.version}: ${best.score.toFixed(1)})` : severity;
}

function certainty(match: Match): Reason | null {
  if (match.confidence === "high") return null;
  return match.confidence === "medium" ? { factor: 0.9, words: "likely, not certain" } : { factor: 0.65, words: "uncertain: look before you act" };
}

function exploitation(match: Match): Reason[] {
  if (match.secret) {
    const { state } = match.secret;
    if (state === "live") return [{ factor: 1, words: "the provider accepts it today" }];
    return state === "dead" ? [{ factor: 0.2, words: "the provider refuses it: already revoked" }] : [{ factor: 1, words: "not tried at its provider" }];
  }
  const { kev = false, epss = null } = match.package ?? {};
  const known = kev ? [{ factor: 1.3, words: "known to be exploited (CISA KEV)" }] : [];
  if (epss === null) return known;
  const factor = epss >= 0.5 ? 1.3 : epss >= 0.1 ? 1.15 : epss >= 0.001 ? 1 : 0.85;
  return [...known, { factor, words: `${percent(epss)} chance of exploitation within 30 days (EPSS)` }];
}

function reach(match: Match): Reason[] {
  switch (match.package?.reachability) {
    case "function_used":
      return [{ factor: 1.1, words: "the affected function is called here" }];
    case "imported":
      return [{ factor: 1, words: "the package is imported here" }];
    case "installed":
      return [{ factor: 0.6, words: "installed, but nothing here imports it" }];
    case "unknown":
      return [{ factor: 0.9, words: "whether it is used is unknown" }];
    default:
      return [];
  }
}

/** A secret in a test opens the same door, and malice in an example does the same harm. */
function exposed(match: Match, exposure: Exposure): Reason | null {
  const leaks = match.verdict === "malice" || match.verdict === "secret";
  switch (exposure) {
    case "internet":
      return { factor: 1.1, words: "data from the network reaches it" };
    case "test":
      return leaks ? { factor: 0.85, words: "in test code" } : { factor: 0.35, words: "in test code, which does not run in production" };
    case "example":
      return leaks ? { factor: 0.85, words: "in an example" } : { factor: 0.4, words: "in an example or documentation" };
    case "development":
      return match.package?.development
        ? { factor: 0.5, words: "a dependency of development only" }
        : { factor: 0.7, words: "in a script of build or development" };
    case "production":
      return null;
  }
}

function percent(part: number): string {
  const value = part * 100;
  return `${value >= 10 ? value.toFixed(0) : value >= 0.1 ? value.toFixed(1) : "<0.1"} %`;
}
