import type { Denial, Telemetry, Violation } from "@plastron/contracts";
import type { Client, Run } from "../client/client.ts";
import { line, type Terminal } from "../terminal/terminal.ts";
import { displayWidth, padEnd, truncate } from "../terminal/width.ts";
import { type PolicySource, placed, storedSource } from "../violations/place.ts";
import { describeViolation } from "../violations/words.ts";
import { denialWords, putReason, putRule, type Reasons, timesWords } from "./denials.ts";
import { outsideViolations } from "./outside.ts";
import { heading, newPage, type Page, plural, put, since, text } from "./page.ts";
import { hostsOf } from "./places.ts";
import { Processes } from "./processes.ts";
import { type Row, rowsOf } from "./rows.ts";
import { putBroken, putFiles, putNetwork, putProcesses, putSummary } from "./summary.ts";

/** A trace is read by a person: the beginning and the end of a long one. `--json` has all of it. */
const FIRST = 150;
const LAST = 50;

/** After a run, on standard error: what it did in its order, what was denied and why, and the sums. */
export async function sayTrace(run: Run, given: PolicySource | undefined, client: Pick<Client, "getPolicy">, terminal: Terminal): Promise<void> {
  const source = given ?? (await storedSource(run, client));
  const reasons = await reasonsOf(run, source);
  for (const text of traceLines(run, reasons, newPage(terminal.columnsErr ?? Number.POSITIVE_INFINITY, terminal.paintErr))) line(terminal.err, text);
}

/** As `--trace-json` prints it: one document. */
export function traceDocument(run: Run): object {
  const { id, status, exit_code, signal, reason, policy, usage, violations = [], violations_dropped = 0, telemetry = null, broken_by = null } = run;
  return { id, status, exit_code, signal, reason, policy, usage, violations, violations_dropped, telemetry, broken_by };
}

/** The whole page, from nothing but values. */
export function traceLines(run: Run, reasons: Reasons, page: Page): string[] {
  const { broken_by } = run;
  const telemetry = run.telemetry && withoutOurs(run.telemetry);
  const policy = `${run.policy.name}${run.policy.version === null ? "" : `:${run.policy.version}`}`;
  heading(
    page,
    `Trace of ${text(run.id, 40)}`,
    text(`${run.status}, ${run.language}, policy ${policy}${run.usage ? `, ${since(run.usage.wall_ms * 1000).trim()}` : ""}`),
  );
  if (!telemetry || telemetry.level === "none") {
    put(
      page,
      { shown: "  ", width: 2 },
      text(`nothing was seen: ${telemetry?.reason ?? "the server keeps no account of this run"}; plastron doctor says more`),
      "yellow",
    );
    return page.lines;
  }
  if (telemetry.reason) put(page, { shown: "  ", width: 2 }, text(`${telemetry.level}: ${telemetry.reason}`), "yellow");
  if (broken_by) putBroken(page, broken_by);
  const processes = new Processes(telemetry);
  putTimeline(page, telemetry, outsideViolations(run.violations ?? [], telemetry), processes, reasons);
  putProcesses(page, telemetry, processes);
  putFiles(page, telemetry);
  putNetwork(page, telemetry);
  putSummary(page, telemetry);
  return page.lines;
}

/** The first process of every sandbox is the platform's: it was there before the program, and ran nothing. */
function withoutOurs(telemetry: Telemetry): Telemetry {
  const { processes, timeline } = telemetry;
  const ours = new Set(processes.list.flatMap(({ pid, parent, argv, started_us }) => (parent === null && argv.length === 0 && started_us === 0 ? [pid] : [])));
  const list = processes.list.filter(({ pid }) => !ours.has(pid));
  return { ...telemetry, processes: { ...processes, list }, timeline: timeline?.filter(({ pid, kind }) => kind !== "exit" || !ours.has(pid)) ?? null };
}

function putTimeline(page: Page, telemetry: Telemetry, violations: readonly Violation[], processes: Processes, reasons: Reasons): void {
  const hosts = hostsOf(telemetry);
  const rows = telemetry.timeline === null ? [] : rowsOf(telemetry.timeline, { processes, hosts, denials: telemetry.denials, violations });
  const told = new Set<Denial | string>();
  const widest = Math.min(16, Math.max(0, ...rows.map(({ who }) => displayWidth(label(who)))));
  if (rows.length > 0) heading(page, "What it did");
  const indent = 9 + 2 + widest + 2 + 2;
  let before: Denial | undefined;
  const show = (row: Row): void => {
    const head = `${since(row.at)}  ${padEnd(truncate(label(row.who), widest), widest)}  `;
    const words = row.denial ? `denied: ${denialWords(row.denial, hosts)}` : row.what;
    if (!row.denial) before = undefined;
    put(page, { shown: page.paint("dim", head), width: displayWidth(head) }, `${text(words)}${timesWords(row.times)}`, row.style);
    if (row.violation) {
      const again = told.has(ruleKey(row.violation));
      told.add(ruleKey(row.violation)).add(actKey(row.violation));
      if (!again) putRule(page, indent, row.violation, reasons);
    }
    if (!row.denial || told.has(row.denial)) return;
    told.add(row.denial);
    const again = before !== undefined && before.rule === row.denial.rule && before.hint === row.denial.hint && row.denial.stack === null;
    before = row.denial;
    if (again) return; // the same reason is in the line above
    putReason(page, indent, row.denial, reasons);
  };
  const [first, last] = rows.length > FIRST + LAST ? [rows.slice(0, FIRST), rows.slice(-LAST)] : [rows, []];
  for (const row of first) show(row);
  if (last.length > 0) page.lines.push(page.paint("dim", `           … ${plural(rows.length - FIRST - LAST, "line")} left out: --trace-json has everything`));
  for (const row of last) show(row);
  putDenials(
    page,
    telemetry.denials.filter((each) => !told.has(each)),
    violations.filter((each) => !told.has(actKey(each))),
    hosts,
    reasons,
  );
}

/** Those that the timeline does not tell: there is none, or it is too short. */
function putDenials(page: Page, denials: readonly Denial[], violations: readonly Violation[], hosts: ReadonlyMap<string, string>, reasons: Reasons): void {
  if (denials.length + violations.length === 0) return;
  heading(page, violations.some(({ action }) => action !== "DENIED") ? "Denied and recorded" : "Denied");
  for (const denial of denials) {
    put(page, { shown: "  ", width: 2 }, `${text(denialWords(denial, hosts))}${timesWords(denial.count)}`, "red");
    putReason(page, 4, denial, reasons);
  }
  const acts = Map.groupBy(violations, actKey);
  for (const [each, ...again] of acts.values()) {
    if (!each) continue;
    put(page, { shown: "  ", width: 2 }, `${text(describeViolation(each))}${timesWords(again.length + 1)}`, each.action === "DENIED" ? "red" : "yellow");
    putRule(page, 4, each, reasons);
  }
}

/** The same reason is told once, and the same act once. */
const ruleKey = ({ rule_id, action, hint }: Violation): string => `${action} ${rule_id} ${hint}`;
const actKey = (violation: Violation): string => `${ruleKey(violation)} ${describeViolation(violation)}`;

const label = (who: Row["who"]): string => (who ? `${who.number} ${text(who.name, 16)}` : "");

async function reasonsOf({ violations = [] }: Run, source: PolicySource | undefined): Promise<Reasons> {
  const paths = new Map(violations.map(({ rule_id, rule_path }) => [rule_id, rule_path]));
  const named = violations.flatMap(({ rule_path, hint }) => [rule_path, ...(hint?.match(/spec\.policy[\w.[\]-]*/g) ?? [])]);
  return { paths, places: source ? (await placed(source, new Set(named))).places : new Map() };
}
