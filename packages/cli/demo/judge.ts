import { MIB } from "@plastron/contracts";
import type { Finding, Sign } from "./attack.ts";
import type { Evidence } from "./stage/stage.ts";

/**
 * What was seen, from what a trial left. Denied is said only where the attack was really tried: a program that ended for another
 * reason (it could not start, it crashed, it was too slow) has shown nothing, and that is `broken`.
 */
export function judge(sign: Sign, evidence: Evidence): Finding {
  switch (sign.by) {
    case "report":
      return byReport(evidence);
    case "limit":
      return byLimit(sign.limit, evidence);
    case "silence":
      return bySilence(sign.instead, evidence);
    case "survivor":
      return bySurvivor(evidence);
  }
}

function byReport(evidence: Evidence): Finding {
  const marks = reportOf(evidence.stdout);
  if (!tried(marks)) return broken("it never came to the attempt", evidence);
  const last = marks.at(-1);
  switch (last?.mark) {
    case "succeeded":
    case "denied":
    case "absent":
      return { kind: last.mark, detail: last.detail };
    default:
      return broken(last?.detail || "it ended without a word", evidence);
  }
}

/** A program may say by itself that it got through; what stopped it, the platform says. */
function byLimit(limit: "memory" | "pids" | "stdout", evidence: Evidence): Finding {
  const marks = reportOf(evidence.stdout);
  if (!tried(marks)) return broken("it never came to the attempt", evidence);
  const through = marks.find(({ mark }) => mark === "succeeded");
  if (through) return { kind: "succeeded", detail: through.detail };
  if (!evidence.result.limits_hit.includes(limit)) return broken(`the ${limit} limit was not hit`, evidence);
  return { kind: "denied", detail: limitDetail(limit, evidence) };
}

function limitDetail(limit: "memory" | "pids" | "stdout", { result, received, stdout }: Evidence): string {
  if (limit === "stdout") return `cut at ${(received / MIB).toFixed(1)} MiB`;
  if (limit === "memory") return `ended at its memory limit (${result.status})`;
  return reportOf(stdout).find(({ mark }) => mark === "denied")?.detail ?? `refused at its limit of processes (${result.status})`;
}

function bySilence(instead: string, evidence: Evidence): Finding {
  if (reportOf(evidence.stdout).length > 0) return { kind: "succeeded", detail: "code of the request ran that must not run" };
  if (evidence.stdout.trim() !== instead || evidence.result.status !== "completed") return broken("the rest of the request did not run", evidence);
  return { kind: "denied", detail: "never executed" };
}

function bySurvivor(evidence: Evidence): Finding {
  if (!tried(reportOf(evidence.stdout))) return broken("it never came to the attempt", evidence);
  if (evidence.marked.after > 0) return { kind: "succeeded", detail: `${evidence.marked.after} process(es) live on after the run` };
  if (evidence.marked.during === 0) return broken("its background process was never seen", evidence);
  return { kind: "denied", detail: "seen while it ran, gone with the run" };
}

interface Mark {
  mark: string;
  detail: string;
}

/** The lines `::mark detail` of an output. */
export function reportOf(stdout: string): Mark[] {
  return [...stdout.matchAll(/^::(\w+) ?(.*)$/gm)].map(([, mark, detail]) => ({ mark: mark as string, detail: (detail as string).trim() }));
}

/** The control worked, and then the attack was tried. */
function tried(marks: Mark[]): boolean {
  const control = marks.findIndex(({ mark }) => mark === "control");
  return control >= 0 && marks.slice(control).some(({ mark }) => mark === "attempted");
}

function broken(why: string, { stderr, result }: Evidence): Finding {
  const lastLine = stderr.trim().split("\n").at(-1) ?? "";
  return { kind: "broken", detail: [why, `status ${result.status}`, lastLine].filter((part) => part !== "").join("; ") };
}
