import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { program } from "../programs/load.ts";

/** A network namespace with a sacrificial metadata server and "host" tables to read. The host's own interfaces are never touched. */
export interface SacrificialNetwork {
  /** Path by which a sandbox can join it. */
  path: string;
  close(): Promise<void>;
}

/**
 * Starts the process that makes the namespace and holds it open; it ends with its standard input, so that nothing is left even if
 * this process is killed. Rejects with what the holder said.
 */
export async function openNetwork(): Promise<SacrificialNetwork> {
  const holder = spawn("python3", ["-I", "-c", program("network-holder.py")], { stdio: ["pipe", "pipe", "pipe"], detached: true });
  try {
    await ready(holder);
  } catch (error) {
    await end(holder);
    throw error;
  }
  return { path: `/proc/${holder.pid}/ns/net`, close: () => end(holder) };
}

async function ready(holder: ChildProcess): Promise<void> {
  let complaint = "";
  holder.stderr?.on("data", (chunk) => {
    complaint += chunk;
  });
  const failed = once(holder, "error").then(([error]) => {
    throw error;
  });
  const lines = createInterface({ input: holder.stdout as NodeJS.ReadableStream });
  const answered = Promise.race([once(lines, "line").then(([line]) => line === "ready"), once(holder, "exit").then(() => false)]);
  if (!(await Promise.race([answered, failed]))) throw new Error(`the sacrificial network could not be made: ${complaint.trim().split("\n").at(-1)}`);
}

async function end(holder: ChildProcess): Promise<void> {
  if (holder.pid === undefined || holder.exitCode !== null || holder.signalCode !== null) return;
  const gone = once(holder, "exit");
  holder.stdin?.end();
  holder.kill("SIGKILL");
  await gone;
}
