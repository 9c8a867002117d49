import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import { type Frame, FrameReader, type Runtime } from "@plastron/contracts";
import { type Mode, RUNTIMES, startMessage, workerCommand } from "./index.ts";

/** For tests: workers as plain child processes, without a sandbox, and the bare interpreter to compare them with. */
export const INTERPRETERS: Record<Runtime, string> = { python3: "/usr/bin/python3", nodejs: process.execPath, bash: "/bin/bash" };

export interface Given {
  code: string;
  argv?: string[];
  env?: Record<string, string>;
  stdin?: string;
  /** Name of the program's file in the workspace. */
  entry?: string;
  display?: boolean;
}

/** What a caller can see of a program. `code` is null after a signal; `done` is what the `D` frame said, or null. */
export interface Seen {
  stdout: string;
  stderr: string;
  code: number | null;
  signal: string | null;
  done: number | null;
}

export class Workspace {
  readonly path = realpathSync(mkdtempSync(join(tmpdir(), "workspace-")));
  write(name: string, content: string): string {
    const path = join(this.path, name);
    writeFileSync(path, content);
    return path;
  }
  remove(): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

export class Worker {
  readonly child: ChildProcess;
  readonly #workspace: Workspace;
  readonly #runtime: Runtime;
  readonly #control: Duplex;
  readonly #frames: Frame[] = [];
  #wake: () => void = () => {};
  #ended = false;
  stdout = "";
  stderr = "";

  constructor(workspace: Workspace, runtime: Runtime, mode: Mode, options: { imports?: string[]; interpreter?: string; env?: Record<string, string> } = {}) {
    this.#workspace = workspace;
    this.#runtime = runtime;
    const { argv, env } = workerCommand({
      runtime,
      mode,
      interpreter: options.interpreter ?? INTERPRETERS[runtime],
      imports: options.imports ?? [],
      runtimesDir: import.meta.dirname,
      workspace: workspace.path,
      temporary: workspace.path,
    });
    const [file = "", ...rest] = argv;
    this.child = spawn(file, rest, { cwd: workspace.path, env: { ...env, ...options.env }, stdio: ["pipe", "pipe", "pipe", "pipe"] });
    this.#control = this.child.stdio[3] as Duplex;
    const reader = new FrameReader();
    this.#control.on("data", (chunk: Uint8Array) => {
      this.#frames.push(...reader.push(chunk));
      this.#wake();
    });
    this.#control.on("error", () => {});
    this.child.stdin?.on("error", () => {});
    this.child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      this.stdout += text;
    });
    this.child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.stderr += text;
    });
    this.child.on("close", () => {
      this.#ended = true;
      this.#wake();
    });
  }

  /** The next frame, or null when the process has ended without one. */
  async frame(): Promise<Frame | null> {
    while (this.#frames.length === 0 && !this.#ended) await new Promise<void>((resolve) => (this.#wake = resolve));
    return this.#frames.shift() ?? null;
  }

  async ready(): Promise<this> {
    const frame = await this.frame();
    if (frame?.type !== "R") throw new Error(`not ready: ${frame?.type ?? "ended"} ${Buffer.from(frame?.payload ?? "")} ${this.stderr}`);
    return this;
  }

  begin({ code, argv = [], env = {}, entry = RUNTIMES[this.#runtime].entry, display = false }: Given): void {
    const path = this.#workspace.write(entry, code);
    this.#control.write(startMessage(this.#runtime, { entry: path, argv, env, display }));
  }

  /** Runs one program to the end of the process. */
  async toTheEnd(given: Given): Promise<Seen> {
    this.begin(given);
    this.child.stdin?.end(given.stdin ?? "");
    const frame = await this.frame();
    await this.#closed();
    const done = frame?.type === "D" ? Buffer.from(frame.payload).readInt32LE(0) : null;
    return { stdout: this.stdout, stderr: this.stderr, code: this.child.exitCode, signal: this.child.signalCode, done };
  }

  /** Runs one program of a session: its exit code, and what it wrote. */
  async turn(given: Given): Promise<Pick<Seen, "stdout" | "stderr" | "done">> {
    this.stdout = this.stderr = "";
    this.begin(given);
    const frame = await this.frame();
    await new Promise((resolve) => setTimeout(resolve, 30)); // output and frame come on different descriptors
    const done = frame?.type === "D" ? Buffer.from(frame.payload).readInt32LE(0) : null;
    return { stdout: this.stdout, stderr: this.stderr, done };
  }

  /** Closes control, which ends an idle worker; returns the exit code. */
  async end(): Promise<number | null> {
    this.#control.destroy();
    await this.#closed();
    return this.child.exitCode;
  }

  kill(): void {
    if (!this.#ended) this.child.kill("SIGKILL");
  }

  async #closed(): Promise<void> {
    while (!this.#ended) await new Promise<void>((resolve) => (this.#wake = resolve));
  }
}

/** The same program under the bare interpreter, in the environment that a worker's program sees. */
export function bare(workspace: Workspace, runtime: Runtime, given: Given, interpreter = INTERPRETERS[runtime]): Omit<Seen, "done"> {
  const { code, argv = [], env = {}, stdin = "", entry = RUNTIMES[runtime].entry } = given;
  const path = workspace.write(entry, code);
  const { env: base } = workerCommand({ runtime, mode: "session", interpreter, workspace: workspace.path, temporary: workspace.path });
  delete base.PLASTRON_MODE;
  const ended = spawnSync(interpreter, [path, ...argv], { cwd: workspace.path, env: { ...base, ...env }, input: stdin, encoding: "utf8", maxBuffer: 1 << 26 });
  return { stdout: ended.stdout, stderr: ended.stderr, code: ended.status, signal: ended.signal };
}
