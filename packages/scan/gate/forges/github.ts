import type { Finding, GateDecision, Severity } from "@plastron/contracts";
import { cut, type ForgeRequest, segment, type Target } from "./request.ts";
import { plain, summaryOf, titleOf } from "./summary.ts";

/** What GitHub takes in one request (https://docs.github.com/en/rest/checks/runs). */
const MOST_ANNOTATIONS = 50;
/** More of them nobody reads, and each fifty is a request. */
const MOST_IN_ALL = 500;

const LEVELS: Readonly<Record<Severity, "failure" | "warning" | "notice">> = {
  critical: "failure",
  high: "failure",
  medium: "warning",
  low: "notice",
  info: "notice",
};

export const CHECK_NAME = "Plastron gate";

interface Times {
  readonly started_at: string;
  readonly completed_at: string;
}

/** A check run that says that the gate is at it. `external_id` is ours: what is asked of the check run later is told with it. */
export function githubCheckStart(target: Target, started_at: string, external_id: string): ForgeRequest {
  const output = { title: "Scanning", summary: "What is new in this change is being looked at." };
  return {
    method: "POST",
    path: runsOf(target),
    body: { name: nameOf(target), head_sha: target.commit, status: "in_progress", started_at, external_id, output },
  };
}

/**
 * A check run with annotations where findings are, as GitHub's REST API takes it: one POST (a PATCH of `run`, where it was started before), then PATCHes for
 * more than fifty. What cannot be said is a `failure` as well: a neutral check would let the merge pass.
 */
export function githubCheck(decision: GateDecision, findings: readonly Finding[], target: Target, times: Times, run?: number): ForgeRequest[] {
  const counted = new Set(decision.counted);
  const annotations = findings
    .filter((finding) => counted.has(finding.fingerprint) && finding.place.layers.length === 0)
    .slice(0, MOST_IN_ALL)
    .map(annotation);
  const output = { title: titleOf(decision), summary: summaryOf(decision, findings) };
  const parts = Array.from({ length: Math.max(1, Math.ceil(annotations.length / MOST_ANNOTATIONS)) }, (_, i) =>
    annotations.slice(i * MOST_ANNOTATIONS, (i + 1) * MOST_ANNOTATIONS),
  );
  const conclusion = decision.decision === "pass" ? "success" : "failure";
  return parts.map((some, i) => {
    const body = { output: { ...output, annotations: some } };
    return i === 0 ? completed(target, conclusion, times, body, run) : { method: "PATCH", path: `${runsOf(target)}/${run ?? "{id}"}`, body };
  });
}

/** The end of a check run of which the gate said nothing: it failed, or was overtaken. Neither lets a merge pass. */
export function githubCheckEnd(target: Target, conclusion: "failure" | "cancelled", said: { title: string; summary: string }, times: Times, run: number) {
  const output = { title: cut(said.title, 255), summary: cut(plain(said.summary), 60_000) };
  return completed(target, conclusion, times, { output }, run);
}

function completed(target: Target, conclusion: string, times: Times, body: object, run: number | undefined): ForgeRequest {
  const details = target.details_url ? { details_url: target.details_url } : {};
  const end = { name: nameOf(target), status: "completed", conclusion, ...times, ...details, ...body };
  if (run === undefined) return { method: "POST", path: runsOf(target), body: { ...end, head_sha: target.commit } };
  return { method: "PATCH", path: `${runsOf(target)}/${run}`, body: end };
}

const nameOf = ({ check = CHECK_NAME }: Target) => cut(check, 255);

function runsOf({ repository }: Target): string {
  const [owner = "", name = ""] = repository.split("/");
  return `/repos/${segment(owner)}/${segment(name)}/check-runs`;
}

function annotation({ place, severity, title, message, fix, rule, cwe, flow }: Finding) {
  const oneLine = place.line === place.end_line;
  const way = flow.map(({ path, line, message }) => `${path}:${line}  ${message}`).join("\n");
  return {
    path: place.path,
    start_line: place.line,
    end_line: Math.max(place.line, place.end_line),
    ...(oneLine ? { start_column: place.column, end_column: Math.max(place.column, place.end_column) } : {}),
    annotation_level: LEVELS[severity],
    title: cut(`${severity}: ${title}`, 255),
    message: cut(`${message}\n\n${fix.text}`, 16_000),
    raw_details: cut([`${rule}${cwe.map((number) => ` CWE-${number}`).join("")}`, way].filter(Boolean).join("\n\n"), 16_000),
  };
}
