import { spawn } from "node:child_process";
import { existsSync, lstatSync, mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PlastronError } from "@plastron/contracts";
import type { Limits } from "./limits.ts";

/** A directory of our own for what is fetched; `remove` takes it away. */
export interface Scratch {
  readonly path: string;
  remove(): void;
}

export function makeScratch(): Scratch {
  sweep();
  const path = mkdtempSync(join(tmpdir(), `plastron-fetch-${process.pid}-`));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** What processes left that were killed. Only our own, only of processes that are no more. */
function sweep(): void {
  for (const name of readdirSync(tmpdir())) {
    const pid = Number(/^plastron-fetch-(\d+)-/.exec(name)?.[1]);
    if (!pid || existsSync(`/proc/${pid}`)) continue;
    const path = join(tmpdir(), name);
    if (lstatSync(path, { throwIfNoEntry: false })?.uid === process.geteuid?.()) rmSync(path, { recursive: true, force: true });
  }
}

export interface Fetch {
  readonly program: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly scratch: Scratch;
  readonly limits: Pick<Limits, "downloadBytes" | "downloadMs">;
  readonly signal?: AbortSignal | undefined;
  /** For the person: what is fetched, without credentials. */
  readonly what: string;
}

const LOOK_MS = 300;

/** Runs a client that fetches into its scratch directory; ends it, and all that it started, when it takes too long or too much. */
export function fetchWith({ program, args, env, scratch, limits, signal, what }: Fetch): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd: scratch.path, env, stdio: ["ignore", "pipe", "pipe"], detached: true });
    let [output, trouble] = ["", ""];
    let ended: Error | null = null;
    const end = (error: Error) => {
      ended ??= error;
      try {
        if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
      } catch {} // it ended by itself
    };
    const stop = () => end(signal?.reason instanceof Error ? signal.reason : new Error("stopped"));
    if (signal?.aborted) stop();
    signal?.addEventListener("abort", stop);
    const clock = setTimeout(() => end(failed(what, `it took longer than ${limits.downloadMs / 1000} s`)), limits.downloadMs);
    const scale = setInterval(() => weigh(), LOOK_MS);
    child.stdout.on("data", (chunk: Buffer) => {
      output = (output + chunk.toString("utf8")).slice(-65_536);
    });
    child.stderr.on("data", (chunk: Buffer) => {
      trouble = (trouble + chunk.toString("utf8")).slice(-4096);
    });
    const weigh = () => {
      if (sizeOf(scratch.path) > limits.downloadBytes) end(failed(what, `it is larger than ${limits.downloadBytes} bytes`));
    };
    const over = (error: Error | null) => {
      clearTimeout(clock);
      clearInterval(scale);
      signal?.removeEventListener("abort", stop);
      if (error) reject(error);
      else resolve(output);
    };
    child.on("error", (error: NodeJS.ErrnoException) => over(error.code === "ENOENT" ? missing(program) : error));
    child.on("close", (code) => {
      if (code === 0) weigh();
      over(ended ?? (code === 0 ? null : failed(what, lastWords(trouble) || `${program} ended with ${code}`)));
    });
  });
}

function missing(program: string): PlastronError {
  return new PlastronError("start_failed", `${program} is not installed`, {
    hint: `Install ${program}, or fetch what you want to scan yourself and name its path.`,
  });
}

function failed(what: string, why: string): PlastronError {
  return new PlastronError("invalid_request", `${what} cannot be fetched: ${why}`, { hint: "Check its name and that this machine may reach where it lies." });
}

/** What a client says last is what went wrong; it may quote a URL with a password. */
function lastWords(text: string): string {
  const lines = text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !/complete log of this run|^hint:|^npm (warn|notice)/i.test(line));
  return withoutCredentials(lines.slice(-3).join("; ")).slice(0, 400);
}

export function withoutCredentials(text: string): string {
  return text.replace(/([a-z][a-z0-9+.-]*:\/\/)[^\s/@]*@/gi, "$1");
}

function sizeOf(directory: string): number {
  let size = 0;
  try {
    for (const entry of readdirSync(directory, { recursive: true, withFileTypes: true })) {
      if (entry.isFile()) size += statSync(join(entry.parentPath, entry.name), { throwIfNoEntry: false })?.size ?? 0;
    }
  } catch {} // it changes under our eyes
  return size;
}
