import { constants } from "node:os";
import type { LimitName, Limits, RunResult } from "@plastron/contracts";

/** What was seen of one run, before it has a name. */
export interface Observed {
  /** As of wait(2); null where the program's end was not reported. */
  waitStatus: number | null;
  /** What bubblewrap answered: the exit code, or 128 + signal; null where it was killed with the launcher. */
  bubblewrapCode: number | null;
  /** Why we ended it, where we did. */
  ended: { by: "wall" } | { by: "caller"; reason: string } | null;
  oomKills: number;
  pidsRefused: number;
  workspaceFull: boolean;
  stdoutTruncated: boolean;
  stderrTruncated: boolean;
  artifactsIncomplete: boolean;
}

export type Outcome = Pick<RunResult, "status" | "exit_code" | "signal" | "reason" | "limits_hit">;

/**
 * Gives the run its status. Where several limits were hit the first of these names it, the others stay in `limits_hit`: ended
 * from outside, wall clock, memory, pids, workspace, output.
 */
export function outcomeOf(seen: Observed, limits: Limits): Outcome {
  const end = endOf(seen);
  const limits_hit = limitsHit(seen);
  const named = (status: Outcome["status"], reason: string): Outcome => ({ status, reason, limits_hit, ...end });
  if (seen.ended?.by === "caller") return named("killed", seen.ended.reason);
  if (seen.ended?.by === "wall") return named("timed_out", `ended after ${limits.wall_ms} ms of wall clock`);
  if (seen.oomKills > 0) return named("memory_exceeded", `used more than ${limits.memory_bytes} bytes of memory`);
  if (seen.pidsRefused > 0) return named("pids_exceeded", `wanted more than ${limits.pids} processes and threads`);
  if (seen.workspaceFull) return named("workspace_exceeded", `filled the ${limits.workspace_bytes} bytes of its workspace`);
  if (seen.stdoutTruncated || seen.stderrTruncated) return named("output_truncated", `wrote more than ${limits.output_bytes} bytes to one stream`);
  return { status: end.exit_code === 0 ? "completed" : "failed", reason: null, limits_hit, ...end };
}

function endOf({ waitStatus, bubblewrapCode, ended }: Observed): Pick<Outcome, "exit_code" | "signal"> {
  if (ended) return { exit_code: null, signal: "SIGKILL" };
  if (waitStatus !== null) {
    const signal = waitStatus & 0x7f;
    return signal === 0 ? { exit_code: (waitStatus >> 8) & 0xff, signal: null } : { exit_code: null, signal: signalName(signal) };
  }
  // The reporter died with the program: only a kill that spares nobody does that.
  if (bubblewrapCode === null || bubblewrapCode > 128) return { exit_code: null, signal: signalName((bubblewrapCode ?? 137) - 128) };
  return { exit_code: bubblewrapCode, signal: null };
}

function limitsHit(seen: Observed): LimitName[] {
  const hit: [LimitName, boolean][] = [
    ["memory", seen.oomKills > 0],
    ["pids", seen.pidsRefused > 0],
    ["wall", seen.ended?.by === "wall"],
    ["stdout", seen.stdoutTruncated],
    ["stderr", seen.stderrTruncated],
    ["workspace", seen.workspaceFull],
    ["artifacts", seen.artifactsIncomplete],
  ];
  return hit.filter(([, yes]) => yes).map(([name]) => name);
}

function signalName(number: number): string {
  const found = Object.entries(constants.signals).find(([, value]) => value === number);
  return found ? found[0] : `SIG${number}`;
}
