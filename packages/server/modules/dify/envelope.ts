import type { RunView } from "../runs/view.ts";

/** Dify's envelope of every answer. */
export interface Envelope {
  code: number;
  message: string;
  data: unknown;
}

export function success(data: unknown): Envelope {
  return { code: 0, message: "success", data };
}

export function failure(code: number, message: string): Envelope {
  return { code, message, data: null };
}

/**
 * A run as Dify's client reads it. `error` is empty exactly where the program ended with 0 and all of its output is there; a
 * non-empty one fails the node of the workflow. Otherwise: the exit code, why, and what the program itself said.
 */
export function runData(run: RunView): { stdout: string; stderr: string; error: string; exit_code: number } {
  const exit_code = run.exit_code ?? -1;
  const clean = run.status === "completed" || (exit_code === 0 && run.status === "failed");
  const error = clean ? "" : `process exited with code ${exit_code}\n${detailOf(run, exit_code)}\n${run.stderr}`;
  return { stdout: run.stdout, stderr: run.stderr, error, exit_code };
}

function detailOf(run: RunView, exitCode: number): string {
  switch (run.status) {
    case "timed_out":
      return "error: timeout";
    case "memory_exceeded":
      return "error: memory limit exceeded";
    case "pids_exceeded":
      return "error: process limit exceeded";
    case "workspace_exceeded":
      return "error: workspace limit exceeded";
    case "output_truncated":
      return "error: output limit exceeded, the rest was cut off";
    default:
      if (run.signal === "SIGSYS") return "error: operation not permitted";
      if (run.signal !== null) return `error: signal: ${run.signal}`;
      return run.reason === null ? `error: exit status ${exitCode}` : `error: ${run.reason}`;
  }
}
