import type { Finding, GateDecision, Severity } from "@plastron/contracts";
import { cut, type ForgeRequest, segment, type Target } from "./request.ts";
import { summaryOf, titleOf } from "./summary.ts";

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

/**
 * A check run with annotations where findings are, as GitHub's REST API takes it: one POST, then PATCHes for more than fifty. What cannot be said is a
 * `failure` as well: a neutral check would let the merge pass.
 */
export function githubCheck(
  decision: GateDecision,
  findings: readonly Finding[],
  target: Target,
  times: { started_at: string; completed_at: string },
): ForgeRequest[] {
  const [owner = "", name = ""] = target.repository.split("/");
  const root = `/repos/${segment(owner)}/${segment(name)}/check-runs`;
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
  const whole = {
    name: CHECK_NAME,
    head_sha: target.commit,
    status: "completed",
    conclusion,
    ...times,
    ...(target.details_url ? { details_url: target.details_url } : {}),
  };
  return parts.map((some, i) =>
    i === 0
      ? { method: "POST", path: root, body: { ...whole, output: { ...output, annotations: some } } }
      : { method: "PATCH", path: `${root}/{id}`, body: { output: { ...output, annotations: some } } },
  );
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
