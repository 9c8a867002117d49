import { constants } from "node:os";
import type { RunResult } from "@plastron/contracts";

/** What of a finished run decides the exit code. */
export type Outcome = Pick<RunResult, "status" | "exit_code" | "signal" | "reason" | "limits_hit">;

/**
 * The program's own code; 128 + n for signal n, as shells have it; 124 for time as timeout(1) has it; 137 for memory, which is what
 * the kernel's kill looks like; else 1. A truncated output alone changes nothing: the program itself went well.
 */
export function exitCodeOf(outcome: Outcome): number {
  switch (outcome.status) {
    case "timed_out":
      return 124;
    case "memory_exceeded":
      return 137;
    case "completed":
    case "failed":
    case "output_truncated":
      return ownCode(outcome) ?? 1;
    case "pids_exceeded":
    case "workspace_exceeded":
      return ownCode(outcome) || 1;
    case "refused":
      return 2;
    case "broken_by_rule":
    case "killed":
    case "lost":
    case "queued":
    case "running":
      return 1;
  }
}

/** Status → what happened, and the flag that allows more. */
const WORDS: Partial<Record<Outcome["status"], { what: string; flag?: string }>> = {
  timed_out: { what: "timed out", flag: "wall" },
  memory_exceeded: { what: "out of memory", flag: "memory" },
  pids_exceeded: { what: "too many processes", flag: "pids" },
  workspace_exceeded: { what: "the workspace is full", flag: "workspace" },
  output_truncated: { what: "the output was cut", flag: "output" },
  broken_by_rule: { what: "broken by a rate rule" },
  killed: { what: "the run was ended" },
};

/** One line for stderr where the program did not simply end by itself; null where there is nothing to say. */
export function explain(outcome: Outcome): string | null {
  if (outcome.status === "completed" || (outcome.status === "failed" && outcome.signal === null)) return null;
  const { what, flag = rateFlag(outcome) } = WORDS[outcome.status] ?? { what: outcome.signal ? `ended by ${outcome.signal}` : `the run is ${outcome.status}` };
  // The reason names the field of the API; here the flag is what helps.
  const reason = outcome.reason?.replace(/\s*\(limits\.[\w.]+\)/, "");
  return `${what}${reason ? `: ${reason}` : ""}${flag ? `; --limit ${flag}=… allows more` : ""}`;
}

/** The reason of a run that a rate rule broke names the rule's field. */
function rateFlag({ status, reason }: Outcome): string | undefined {
  return status === "broken_by_rule" ? /limits\.rates\.(\w+)/.exec(reason ?? "")?.[1]?.replaceAll("_", "-") : undefined;
}

function ownCode({ exit_code, signal }: Outcome): number | null {
  if (exit_code !== null) return exit_code;
  const number = signal === null ? undefined : constants.signals[signal as NodeJS.Signals];
  return number === undefined ? null : 128 + number;
}
