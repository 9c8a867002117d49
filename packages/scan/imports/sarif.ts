import { type Match, matchSchema, type Place, type Severity } from "@plastron/contracts";
import type { LookGap } from "../analyser.ts";
import { severityOfScore } from "../findings/cvss.ts";
import { arrayOf, type Json, objectOf, positiveOf, textOf } from "./json.ts";

/** What GitHub takes in a log; more is no analysis but a flood. */
const MOST_BYTES = 64 * 1024 * 1024;
const MOST_RUNS = 20;
const MOST_RESULTS = 25_000;
const MOST_STEPS = 64;

export interface Imported {
  readonly matches: Match[];
  /** What of the log could not be used, and why: the scan is degraded by it. */
  readonly gaps: (LookGap & { readonly path: string })[];
}

/**
 * A SARIF 2.1.0 log of another tool, from anyone → matches of the analyser `code`, their rules named `code/TOOL/RULE`. `name` is where the log came
 * from, for the gaps. Never throws: what is no log is a gap that matters, a result without a rule, a place or a message one that is counted.
 */
export function importSarif(text: string, name: string): Imported {
  const gap = (reason: string, detail: string, matters = true) => ({ path: name, kind: "degraded" as const, reason, detail, matters });
  if (text.length > MOST_BYTES) return { matches: [], gaps: [gap("too_large", `a SARIF log of more than ${MOST_BYTES} characters is not read`)] };
  const log = parsed(text);
  if (log === null) return { matches: [], gaps: [gap("syntax_error", "this is no JSON, so it is no SARIF log")] };
  if (textOf(log.version) !== "2.1.0") return { matches: [], gaps: [gap("format", "this is no SARIF log of version 2.1.0")] };
  const runs = arrayOf(log.runs);
  const gaps = runs.length > MOST_RUNS ? [gap("too_many", `of ${runs.length} runs the first ${MOST_RUNS} are read`)] : [];
  const matches: Match[] = [];
  let broken = 0;
  let dropped = 0;
  for (const run of runs.slice(0, MOST_RUNS).map(objectOf)) {
    const rules = rulesOf(run);
    for (const result of arrayOf(run.results).map(objectOf)) {
      if (matches.length >= MOST_RESULTS) dropped++;
      else if (!suppressed(result)) {
        const match = matchOf(run, result, rules);
        if (match) matches.push(match);
        else broken++;
      }
    }
    if (arrayOf(run.invocations).some((each) => objectOf(each).executionSuccessful === false))
      gaps.push(gap("incomplete", `${toolOf(run)} says that it did not finish`));
  }
  if (broken > 0) gaps.push(gap("format", `${broken} of its results have no rule, no message or no place in a file`));
  if (dropped > 0) gaps.push(gap("too_many", `${dropped} results after the first ${MOST_RESULTS} are not read`));
  return { matches, gaps };
}

function parsed(text: string): Json | null {
  try {
    return objectOf(JSON.parse(text.replace(/^\ufeff/, "")));
  } catch {
    return null;
  }
}

type Rules = readonly Json[];
const driverOf = (run: Json): Json => objectOf(objectOf(run.tool).driver);
const rulesOf = (run: Json): Rules => arrayOf(driverOf(run).rules).map(objectOf);
const toolOf = (run: Json): string => textOf(driverOf(run).name).slice(0, 60) || "a tool";

/** Their exemptions are not ours: what somebody accepted is passed over, what is under review or was rejected is not. */
function suppressed(result: Json): boolean {
  const given = arrayOf(result.suppressions).map(objectOf);
  return given.length > 0 && given.every(({ status }) => status === undefined || status === "accepted");
}

function matchOf(run: Json, result: Json, rules: Rules): Match | null {
  const indexed = typeof result.ruleIndex === "number" ? rules[result.ruleIndex] : undefined;
  const id = textOf(result.ruleId) || textOf(objectOf(result.rule).id) || textOf(indexed?.id);
  const rule = indexed ?? rules.find((each) => each.id === id) ?? {};
  const message = textOf(objectOf(result.message).text);
  const place = placeOf(objectOf(arrayOf(result.locations)[0]));
  if (id === "" || message === "" || place === null || result.kind === "pass" || result.kind === "notApplicable") return null;
  const title = textOf(objectOf(rule.shortDescription).text) || textOf(rule.name) || id;
  const steps = arrayOf(objectOf(arrayOf(objectOf(arrayOf(result.codeFlows)[0]).threadFlows)[0]).locations);
  const match = matchSchema.safeParse({
    rule: `code/${slug(toolOf(run))}/${slug(id)}`,
    analyser: "code",
    verdict: "weakness",
    title: title.slice(0, 200),
    message: `${message.slice(0, 3800)} (${toolOf(run)})`,
    severity: severityOf(result, rule),
    confidence: confidenceOf(rule),
    cwe: cweOf(rule),
    place,
    flow: flowOf(steps),
    fix: { text: textOf(objectOf(rule.help).text).slice(0, 2000) || `See what ${toolOf(run)} says of ${id}.` },
    references: [textOf(rule.helpUri)].filter((address) => address.startsWith("https://")),
    anchor:
      Object.values(objectOf(result.partialFingerprints)).map(textOf).sort().join("|").slice(0, 500) ||
      `${message.slice(0, 300)}|${place.snippet.trim().slice(0, 300)}`,
  });
  return match.success ? match.data : null;
}

function flowOf(steps: readonly unknown[]): Json[] {
  const places = (steps.length > MOST_STEPS ? [...steps.slice(0, MOST_STEPS - 1), steps.at(-1)] : steps).flatMap((step) => {
    const location = objectOf(objectOf(step).location);
    const place = placeOf(location);
    return place ? [{ ...place, message: textOf(objectOf(location.message).text).slice(0, 500) || "passes here" }] : [];
  });
  return places.map((place, at) => ({ ...place, kind: at === 0 ? "source" : at === places.length - 1 ? "sink" : "step" }));
}

/** A file of the tree by a relative reference; anything that leads out of it is no place. */
function placeOf(location: Json): Place | null {
  const physical = objectOf(location.physicalLocation);
  const path = pathOf(textOf(objectOf(physical.artifactLocation).uri));
  if (path === null) return null;
  const region = objectOf(physical.region);
  const line = positiveOf(region.startLine, 1);
  const column = positiveOf(region.startColumn, 1);
  const endLine = Math.max(line, positiveOf(region.endLine, line));
  const endColumn = positiveOf(region.endColumn, endLine === line ? column : 1);
  const snippet = textOf(objectOf(region.snippet).text).slice(0, 2000);
  return { path, line, column, end_line: endLine, end_column: endLine === line ? Math.max(column, endColumn) : endColumn, snippet, layers: [] };
}

function pathOf(uri: string): string | null {
  if (uri === "" || uri.length > 4096 || /^[a-z][a-z0-9+.-]*:/i.test(uri) || uri.startsWith("/") || uri.startsWith("\\")) return null;
  let path: string;
  try {
    path = decodeURIComponent(uri);
  } catch {
    return null;
  }
  const names = path.split("/").filter((name) => name !== "" && name !== ".");
  return names.length === 0 || names.includes("..") || path.startsWith("/") || path.includes("\0") ? null : names.join("/");
}

function severityOf(result: Json, rule: Json): Severity {
  const score = Number.parseFloat(textOf(objectOf(rule.properties)["security-severity"]));
  if (score >= 0 && score <= 10) return severityOfScore(score);
  const level = textOf(result.level) || textOf(objectOf(rule.defaultConfiguration).level) || "warning";
  return level === "error" ? "high" : level === "warning" ? "medium" : level === "note" ? "low" : "info";
}

function confidenceOf(rule: Json): Match["confidence"] {
  const precision = textOf(objectOf(rule.properties).precision);
  return precision === "very-high" || precision === "high" ? "high" : precision === "low" ? "low" : "medium";
}

function cweOf(rule: Json): number[] {
  const tags = arrayOf(objectOf(rule.properties).tags).map(textOf).slice(0, 100);
  return [...new Set(tags.flatMap((tag) => /\bcwe-0*([1-9]\d{0,4})\b/i.exec(tag)?.[1] ?? []).map(Number))];
}

const slug = (text: string): string =>
  text
    .toLowerCase()
    .slice(0, 120)
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-|-$/g, "") || "rule";
