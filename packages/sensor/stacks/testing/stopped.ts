import { type ChildProcess, type SpawnOptions, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import type { Stack } from "@plastron/contracts";

/** A place for programs of one test file, and their processes: all go at `clear`. */
export class Stage {
  readonly directory = mkdtempSync(join(tmpdir(), "plastron-stacks-"));
  readonly #children: ChildProcess[] = [];

  write(name: string, content: string): string {
    const path = join(this.directory, name);
    writeFileSync(path, content);
    return path;
  }

  start(command: string, args: readonly string[], options: SpawnOptions = {}): ChildProcess {
    const child = spawn(command, args, { stdio: ["ignore", "pipe", "inherit"], ...options });
    this.#children.push(child);
    return child;
  }

  /** Starts a program that stops itself (SIGSTOP), and waits until it has. Gives its pid. */
  async stopped(command: string, args: readonly string[], options: SpawnOptions = {}): Promise<number> {
    const child = this.start(command, args, options);
    const pid = child.pid;
    if (pid === undefined) throw new Error(`${command} did not start`);
    await untilStopped(pid, () => child.exitCode);
    return pid;
  }

  kill(pid: number): void {
    this.#children.find((child) => child.pid === pid)?.kill("SIGKILL");
  }

  async clear(): Promise<void> {
    for (const child of this.#children) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      const ended = new Promise((resolve) => child.once("exit", resolve));
      child.kill("SIGKILL");
      await ended;
    }
    rmSync(this.directory, { recursive: true, force: true });
  }
}

export async function untilStopped(pid: number, exitCode: () => number | null = () => null): Promise<void> {
  for (const until = Date.now() + 20_000; Date.now() < until; ) {
    if (exitCode() !== null) throw new Error(`the program ended with ${exitCode()} and did not stop`);
    if (/^State:\tT/m.test(readFileSync(`/proc/${pid}/status`, "utf8"))) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  throw new Error("the program did not stop");
}

/** The real interpreters of a version on this machine: in the places of PATH, of the system, and of pyenv. */
export function pythons(version: string): string[] {
  const name = `python${version}`;
  const places = [...(process.env.PATH ?? "").split(delimiter), "/usr/bin", "/usr/local/bin", ...pyenvPlaces(version)];
  const found = places
    .filter((place) => !place.includes("shims"))
    .map((place) => join(place, name))
    .filter((path) => existsSync(path));
  return [...new Set(found.map((path) => realpathSync(path)))];
}

function pyenvPlaces(version: string): string[] {
  const versions = join(process.env.PYENV_ROOT ?? join(homedir(), ".pyenv"), "versions");
  if (!existsSync(versions)) return [];
  return readdirSync(versions)
    .filter((name) => name.startsWith(`${version}.`))
    .map((name) => join(versions, name, "bin"));
}

/** `function:line` of the frames of one language. */
export function short(stack: Stack, language: "python" | "javascript" | "native"): string[] {
  return stack.frames.filter((frame) => frame.language === language).map((frame) => (frame.line === null ? frame.function : `${frame.function}:${frame.line}`));
}
