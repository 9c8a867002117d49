import { spawn } from "node:child_process";

/** How a probe's child ended. Spawning never throws: a missing program is an answer too. */
export interface Ended {
  code: number | null;
  signal: NodeJS.Signals | null;
  timedOut: boolean;
  /** The program is not there. */
  absent: boolean;
  stdout: string;
  stderr: string;
}

const KEPT = 64 * 1024;

/**
 * Runs a command without input and kills it, with everything that it started in its process group, after `timeoutMs`. Also
 * settles where the killed child does not end (a process stuck in the kernel): a probe may not hang the doctor.
 */
export function runChild(command: string, args: string[], timeoutMs: number, env: NodeJS.ProcessEnv = process.env): Promise<Ended> {
  return new Promise((resolve) => {
    const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"], detached: true, env, cwd: "/" });
    const text = { stdout: "", stderr: "" };
    let timedOut = false;
    let last: NodeJS.Timeout | undefined;
    const settle = (end: Partial<Ended>) => {
      clearTimeout(timer);
      clearTimeout(last);
      resolve({ code: null, signal: null, timedOut, absent: false, stdout: text.stdout.trim(), stderr: text.stderr.trim(), ...end });
    };
    const timer = setTimeout(() => {
      timedOut = true;
      killGroup(child.pid);
      last = setTimeout(() => {
        child.unref();
        settle({});
      }, 500);
    }, timeoutMs);
    for (const name of ["stdout", "stderr"] as const) {
      child[name].setEncoding("utf8").on("data", (chunk: string) => {
        text[name] = (text[name] + chunk).slice(0, KEPT);
      });
    }
    child.on("error", (error: NodeJS.ErrnoException) => settle({ absent: error.code === "ENOENT", stderr: error.message }));
    child.on("close", (code, signal) => settle({ code, signal }));
  });
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // It ended by itself just now.
  }
}
