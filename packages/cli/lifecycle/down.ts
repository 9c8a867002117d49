import { rmSync } from "node:fs";
import { Failure } from "../failure.ts";
import type { Home } from "./home.ts";
import { isLocked } from "./lock.ts";
import { isAlive, type ProcessId, signal, waitGone } from "./processes.ts";
import { readState, type UpState } from "./state.ts";

export interface DownResult {
  stopped: boolean;
  /** Pids that had to be killed. */
  forced: number[];
}

/** The supervisor stops its parts within five seconds; a little more before it is forced. */
const GRACE_MS = 8000;

/**
 * Stops what runs on this home: asks the supervisor, waits, then kills what is left, each by pid and start time.
 * Not running is not an error: `stopped` is false. Throws Failure where it may not, or where something survives.
 */
export async function takeDown(home: Home): Promise<DownResult> {
  const state = readState(home);
  const ours = state === null ? [] : processesOf(state);
  if (!ours.some(isAlive)) return nothingRuns(home);
  requireRight(ours);
  signal((state as UpState).supervisor, "SIGTERM");
  const left = await waitGone(ours, isAlive((state as UpState).supervisor) ? GRACE_MS : 2000);
  await force(left);
  rmSync(home.state, { force: true });
  return { stopped: true, forced: left.map((id) => id.pid) };
}

/** What a supervisor that was killed left behind: its parts end by themselves when their lifeline closes; this sees to it. */
export async function endRemains(home: Home): Promise<void> {
  const state = readState(home);
  if (state === null) return;
  await force(await waitGone(processesOf(state), 4000));
  rmSync(home.state, { force: true });
}

function nothingRuns(home: Home): DownResult {
  if (isLocked(home)) {
    throw new Failure("conflict", `something holds ${home.lock} but is not ready`, {
      hint: "A `plastron up` is still starting here: wait, or stop it by Ctrl-C.",
    });
  }
  rmSync(home.state, { force: true });
  return { stopped: false, forced: [] };
}

function processesOf(state: UpState): ProcessId[] {
  return [state.supervisor, state.server, state.agent].filter((id) => id !== null);
}

function requireRight(ids: ProcessId[]): void {
  for (const id of ids.filter(isAlive)) {
    try {
      process.kill(id.pid, 0);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "EPERM") {
        throw new Failure("forbidden", `process ${id.pid} belongs to another user`, { hint: "Run this as the user who ran `plastron up` (sudo)." });
      }
    }
  }
}

/** The supervisor first, or it would start the others again; the parts lead groups of their own. */
async function force(ids: ProcessId[]): Promise<void> {
  for (const id of ids) signal(id, "SIGKILL", "process");
  for (const id of ids) signal(id, "SIGKILL", "group");
  const immortal = await waitGone(ids, 3000);
  if (immortal.length > 0)
    throw new Failure("internal", `these processes do not end: ${immortal.map((id) => id.pid).join(", ")}`, {
      hint: "`ps -o pid,stat,wchan:30,args` shows what they wait for.",
    });
}
