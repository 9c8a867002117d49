import { type ChildProcess, spawn } from "node:child_process";
import { Failure } from "../failure.ts";
import { type LogFile, lastLines } from "./log-file.ts";
import { identify, type ProcessId, signal } from "./processes.ts";

export type ChildName = "agent" | "server";

/** How to start a part. It says {"event":"ready", …} on its stdout, and ends when its stdin closes (the lifeline). */
export interface ChildCommand {
  command: string;
  args: string[];
  env: NodeJS.ProcessEnv;
  /** Exit codes that mean something before readiness. */
  failures?: Record<number, Failure>;
}

/** What the ready line held; every field is checked by who uses it. */
export type Ready = Record<string, unknown>;

export interface Child {
  id: ProcessId;
  /** Resolves with the ready line; rejects with Failure start_failed when the child ends or dawdles before it. */
  ready: Promise<Ready>;
  exited: Promise<string>;
  /** SIGTERM, and after `graceMs` SIGKILL to its whole group. */
  stop(graceMs: number): Promise<void>;
}

/**
 * Starts one part in a session of its own: Ctrl-C on the terminal then reaches the supervisor alone, which stops the parts in
 * order, and a forced end reaches whatever the part itself started.
 */
export function startChild(name: ChildName, how: ChildCommand, log: LogFile, readyMs = 90_000): Child {
  const child = spawn(how.command, how.args, { env: how.env, cwd: "/", stdio: ["pipe", "pipe", "pipe"], detached: true });
  child.stdin?.on("error", () => {});
  child.stderr?.on("data", (chunk: Buffer) => log.write(chunk));
  const exited = new Promise<string>((resolve) => {
    child.once("error", (error) => resolve(error.message));
    child.once("exit", (code, by) => {
      sweepGroup(child);
      resolve(by ? `by ${by}` : `with code ${code}`);
    });
  });
  const id = identify(child.pid ?? 0) ?? { pid: child.pid ?? 0, born: "" };
  return { id, ready: awaitReady(name, child, how, log, exited, readyMs), exited, stop: (graceMs) => stop(child, id, exited, graceMs) };
}

function awaitReady(name: ChildName, child: ChildProcess, how: ChildCommand, log: LogFile, exited: Promise<string>, readyMs: number): Promise<Ready> {
  const ready = new Promise<Ready>((resolve, reject) => {
    const late = setTimeout(() => reject(failed(name, `was not ready within ${readyMs / 1000} s`, log)), readyMs);
    onLines(child, (text) => {
      const said = readyLine(text);
      // The ready line may hold the first key: it is the one line that is not logged.
      if (said === null) return log.write(`${text}\n`);
      resolve(said);
      clearTimeout(late);
    });
    exited.then((how_) => {
      clearTimeout(late);
      reject(how.failures?.[child.exitCode ?? -1] ?? failed(name, `ended ${how_} before it was ready`, log));
    });
  });
  ready.catch(() => {});
  return ready;
}

function failed(name: ChildName, what: string, log: LogFile): Failure {
  const last = lastLines(log.path, 12)
    .map(logMessage)
    .filter((text) => !text.startsWith("at "))
    .at(-1);
  return new Failure("start_failed", `the ${name} ${what}${last ? `: ${last}` : ""}`, {
    hint: `Read ${log.path}; \`plastron doctor\` says what this host lacks.`,
  });
}

/** The words of a log line, be it JSON (the server's or the agent's names) or plain. */
function logMessage(text: string): string {
  try {
    const entry = JSON.parse(text);
    return [entry.msg ?? entry.message, entry.err?.message ?? entry.error].filter(Boolean).join(": ") || text;
  } catch {
    return text.trim();
  }
}

function onLines(child: ChildProcess, each: (line: string) => void): void {
  let rest = "";
  child.stdout?.setEncoding("utf8");
  child.stdout?.on("data", (chunk: string) => {
    const lines = (rest + chunk).split("\n");
    // A line without an end must not fill our memory: the child may be broken or hostile.
    rest = (lines.pop() ?? "").slice(0, 1_000_000);
    for (const line of lines) each(line);
  });
}

function readyLine(text: string): Ready | null {
  if (!text.startsWith("{")) return null;
  try {
    const value = JSON.parse(text);
    return value?.event === "ready" ? value : null;
  } catch {
    return null;
  }
}

async function stop(child: ChildProcess, id: ProcessId, exited: Promise<string>, graceMs: number): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  signal(id, "SIGTERM");
  const timer = setTimeout(() => signal(id, "SIGKILL", "group"), graceMs);
  await exited;
  clearTimeout(timer);
}

/** What the child started and left behind in its process group. Called as it ends, before its number can be used again. */
function sweepGroup(child: ChildProcess): void {
  try {
    if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
  } catch {
    // the group is empty, as it should be
  }
}
