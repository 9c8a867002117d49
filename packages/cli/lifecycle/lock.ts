import { spawnSync } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { Failure } from "../failure.ts";
import type { Home } from "./home.ts";
import { readState } from "./state.ts";

/**
 * One supervisor per home. The lock is the kernel's own (flock(2)): it belongs to the open file, which `flock` of util-linux
 * locks through the descriptor that we hand it and which we keep open. So it ends with this process, however that dies.
 * Returns the release. Throws Failure already_running.
 */
export function lockHome(home: Home): () => void {
  const fd = openSync(home.lock, "a", 0o600);
  const got = spawnSync("flock", ["--exclusive", "--nonblock", "3"], { stdio: ["ignore", "ignore", "ignore", fd] });
  if (got.status === 0) return () => closeSync(fd);
  closeSync(fd);
  if (got.error) throw new Failure("start_failed", `flock could not be run: ${got.error.message}`, { hint: "Install util-linux." });
  const state = readState(home);
  throw new Failure("already_running", `another \`plastron up\` holds ${home.root}${state ? ` (pid ${state.supervisor.pid}, ${state.url})` : ""}`);
}

/** Whether someone holds the lock now. */
export function isLocked(home: Home): boolean {
  try {
    lockHome(home)();
    return false;
  } catch (error) {
    return error instanceof Failure && error.code === "already_running";
  }
}
