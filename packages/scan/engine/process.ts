import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, readFileSync, realpathSync } from "node:fs";
import { join } from "node:path";
import type { Readable, Writable } from "node:stream";
import { encodeFrame, FrameParser } from "./frames.ts";
import type { Isolation } from "./isolation.ts";
import type { Answer, Order, WorkerSetup } from "./protocol.ts";

export type Event =
  | { readonly type: "answer"; readonly answer: Answer; readonly body: Buffer }
  | { readonly type: "silent" }
  | { readonly type: "ended"; readonly how: string; readonly memory: boolean };

export interface WorkerLimits {
  /** MiB of JavaScript's heap. */
  readonly heapMb: number;
  /** MiB of everything, native parsers included; above it the worker is ended. */
  readonly memoryMb: number;
}

const CHECKOUT = realpathSync(join(import.meta.dirname, "../../.."));
const MEMORY_LOOK_MS = 250;

/** What its analysers are made of, beside the checkout. What is not there cannot be read, and need not be. */
export function pathsOf({ registry, config: { rules, advisories } }: WorkerSetup): string[] {
  return [registry, ...rules, ...(advisories === null ? [] : [advisories])].filter((path) => existsSync(path));
}

/** One worker process: orders in, events out, in order. It is killed, never asked. */
export class WorkerProcess {
  readonly #child: ChildProcess;
  readonly #limits: WorkerLimits;
  readonly #events: Event[] = [];
  readonly #watch: NodeJS.Timeout;
  #wake: (() => void) | null = null;
  #stderr = "";
  #memory = false;
  #over = false;

  constructor(isolation: Isolation, setup: WorkerSetup, limits: WorkerLimits) {
    this.#limits = limits;
    const readable = [CHECKOUT, ...pathsOf(setup)];
    const words = [
      ...isolation.prefix,
      process.execPath,
      "--permission",
      "--allow-addons",
      ...readable.map((path) => `--allow-fs-read=${path}`),
      "--disable-warning=SecurityWarning",
      "--disable-warning=ExperimentalWarning",
      `--max-old-space-size=${limits.heapMb}`,
      // Trees of syntax die young: with room for a whole one they are never copied, which saves a tenth of the time and a tenth of the memory.
      ...["--min-semi-space-size=64", "--max-semi-space-size=64"],
      "--stack-size=3900",
      join(import.meta.dirname, "worker.ts"),
      JSON.stringify(setup),
    ];
    // An empty environment: whatever secret the caller holds there is not the worker's.
    this.#child = spawn(words[0] as string, words.slice(1), {
      stdio: ["pipe", "ignore", "pipe", "pipe"],
      env: { PATH: process.env.PATH, LC_ALL: "C.UTF-8" },
      cwd: "/",
    });
    this.#listen();
    this.#watch = setInterval(() => this.#weigh(), MEMORY_LOOK_MS);
    this.#watch.unref();
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  get over(): boolean {
    return this.#over;
  }

  /** Resolves when the kernel has room for more, so that orders do not pile up in this process. */
  async send(order: Order, body?: Uint8Array): Promise<void> {
    const input = this.#child.stdin as Writable;
    let room = true;
    if (this.#over || input.destroyed) return;
    for (const piece of encodeFrame(order, body)) room = input.write(piece);
    if (!room) await new Promise<void>((done) => this.#drained(input, done));
  }

  #drained(input: Writable, done: () => void): void {
    const finish = () => {
      input.off("drain", finish);
      input.off("close", finish);
      done();
    };
    input.on("drain", finish);
    input.on("close", finish);
  }

  /** The next thing it said, or `silent` after so long. */
  async next(timeoutMs: number): Promise<Event> {
    const ready = this.#events.shift();
    if (ready) return ready;
    if (this.#over) return { type: "ended", how: "it had ended", memory: false };
    await new Promise<void>((wake) => {
      const timer = setTimeout(wake, timeoutMs);
      this.#wake = () => {
        clearTimeout(timer);
        wake();
      };
    });
    this.#wake = null;
    return this.#events.shift() ?? { type: "silent" };
  }

  /** Seconds of processor time so far; a machine that is busy elsewhere gives a worker less than the clock says. */
  cpuSeconds(): number {
    try {
      const fields = readFileSync(`/proc/${this.pid}/stat`, "latin1").split(") ").at(-1)?.split(" ") ?? [];
      return (Number(fields[11]) + Number(fields[12])) / 100;
    } catch {
      return 0;
    }
  }

  kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null || this.#child.pid === undefined) return Promise.resolve();
    return new Promise((done) => {
      this.#child.once("close", () => done());
      this.#child.kill("SIGKILL");
    });
  }

  #listen(): void {
    const parser = new FrameParser();
    const output = this.#child.stdio[3] as Readable;
    output.on("data", (piece: Buffer) => {
      try {
        for (const { head, body } of parser.push(piece)) this.#put({ type: "answer", answer: head as Answer, body: Buffer.from(body) });
      } catch {
        this.#child.kill("SIGKILL");
      }
    });
    output.on("error", () => {});
    this.#child.stdin?.on("error", () => {}); // it died with orders on their way; `close` tells
    this.#child.stderr?.on("data", (piece: Buffer) => {
      this.#stderr = (this.#stderr + piece.toString("latin1")).slice(-4000);
    });
    this.#child.on("error", (error) => this.#end(error.message));
    this.#child.on("close", (code, signal) => this.#end(signal ? `ended by ${signal}` : `ended with code ${code}`));
  }

  #end(how: string): void {
    if (this.#over) return;
    this.#over = true;
    clearInterval(this.#watch);
    const heap = /heap out of memory|Allocation failed|heap limit/i.test(this.#stderr);
    const why = /(Error|FATAL ERROR|Assertion|panicked)[^\n]{0,200}/.exec(this.#stderr)?.[0];
    this.#put({ type: "ended", how: why ? `${how}: ${why.replace(/[^\x20-\x7e]/g, "?")}` : how, memory: this.#memory || heap });
  }

  #put(event: Event): void {
    this.#events.push(event);
    this.#wake?.();
  }

  #weigh(): void {
    try {
      const pages = Number(readFileSync(`/proc/${this.pid}/statm`, "latin1").split(" ")[1]);
      if (pages * 4096 <= this.#limits.memoryMb * 2 ** 20) return;
      this.#memory = true;
      this.#child.kill("SIGKILL");
    } catch {}
  }
}
