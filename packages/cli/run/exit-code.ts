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
    case "killed":
    case "lost":
    case "queued":
    case "running":
      return 1;
  }
}

/** One line for stderr where the program did not simply end by itself; null where there is nothing to say. */
export function explain(outcome: Outcome): string | null {
  const reason = outcome.reason ? `: ${outcome.reason}` : "";
  switch (outcome.status) {
    case "completed":
      return null;
    case "failed":
      return outcome.signal ? `the program was ended by ${outcome.signal}${reason}` : null;
    case "timed_out":
      return `the program was ended: its time ran out${reason} (--limit wall=…)`;
    case "memory_exceeded":
      return `the program was ended: it used more memory than it may${reason} (--limit memory=…)`;
    case "pids_exceeded":
      return `the program hit its limit of processes${reason} (--limit pids=…)`;
    case "workspace_exceeded":
      return `the program filled its workspace${reason} (--limit workspace=…)`;
    case "output_truncated":
      return `the output was cut at its limit${reason} (--limit output=…)`;
    case "killed":
      return `the run was ended${reason}`;
    default:
      return `the run was ${outcome.status}${reason}`;
  }
}

function ownCode({ exit_code, signal }: Outcome): number | null {
  if (exit_code !== null) return exit_code;
  const number = signal === null ? undefined : constants.signals[signal as NodeJS.Signals];
  return number === undefined ? null : 128 + number;
}
