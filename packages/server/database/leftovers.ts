import { readFileSync, readlinkSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/**
 * What a server that was killed with -9 may have left of its PostgreSQL: a postmaster that still runs, or lock files that
 * name a pid which by now is somebody else's (PostgreSQL would then refuse to start for ever).
 *
 * @param directory the cluster's data directory
 * @param socketDir where its socket lies
 * @throws Error if the old postmaster does not stop
 */
export async function clearLeftovers(directory: string, socketDir: string): Promise<"nothing" | "stopped" | "stale"> {
  const pidFile = join(directory, "postmaster.pid");
  const pid = readPid(pidFile);
  if (pid === undefined) return "nothing";
  if (isPostmasterOf(pid, directory)) {
    await stopPostmaster(pid, directory);
    return "stopped";
  }
  rmSync(pidFile, { force: true });
  for (const name of [".s.PGSQL.5432.lock", ".s.PGSQL.5432"]) rmSync(join(socketDir, name), { force: true });
  return "stale";
}

/** Fast shutdown (SIGINT: open transactions are rolled back), then immediate (SIGQUIT: recovered from the log at the next start). */
async function stopPostmaster(pid: number, directory: string): Promise<void> {
  for (const [signal, ms] of [
    ["SIGINT", 10_000],
    ["SIGQUIT", 5_000],
  ] as const) {
    kill(pid, signal);
    for (const until = Date.now() + ms; Date.now() < until; ) {
      if (!isPostmasterOf(pid, directory)) return;
      await sleep(20);
    }
  }
  throw new Error(`another PostgreSQL (pid ${pid}) holds ${directory} and does not stop`);
}

/** A postmaster's working directory is its data directory, which tells it from a stranger with a reused pid. */
function isPostmasterOf(pid: number, directory: string): boolean {
  try {
    return readlinkSync(`/proc/${pid}/cwd`) === directory && !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
}

function readPid(file: string): number | undefined {
  try {
    const pid = Number(readFileSync(file, "utf8").split("\n")[0]);
    return Number.isInteger(pid) && pid > 1 ? pid : undefined;
  } catch {
    return undefined;
  }
}

function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // it ended by itself
  }
}
