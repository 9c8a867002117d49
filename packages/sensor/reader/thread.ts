import { closeSync } from "node:fs";
import { MessageChannel, type MessagePort, Worker } from "node:worker_threads";
import type { Telemetry } from "@plastron/contracts";
import { native } from "../kernel/libbpf.ts";
import type { Board } from "./board.ts";
import type { FromReader, ReaderData, ToReader } from "./messages.ts";

const EFD_NONBLOCK = 0o4000;
const EFD_CLOEXEC = 0o2000000;
/** A reader that dies again and again is left alone: counters go on without it. */
const MOST_RESTARTS = 5;

/** What of a reader's data is not its thread's own. */
export type Beginning = Omit<ReaderData, "fds" | "after"> & { fds: Omit<ReaderData["fds"], "wake"> };
export type Said = Extract<FromReader, { kind: "denial" | "broken" }>;

/** The reader's thread as the agent's thread sees it. Where it dies, a new one goes on at the same place of the ring. */
export class ReaderThread {
  readonly wakeFd: number;
  readonly #data: Beginning;
  readonly #board: Board;
  readonly #hear: (said: Said) => void;
  readonly #lastGeneration: () => number;
  readonly #asked = new Map<number, (telemetry: Telemetry | null) => void>();
  #worker: Worker | undefined;
  #port: MessagePort | undefined;
  #next = 0;
  #restarts = 0;
  #hasStacks = false;
  #isReading = false;

  /** @throws Error */
  static async start(data: Beginning, board: Board, hear: (said: Said) => void, lastGeneration: () => number): Promise<ReaderThread> {
    const thread = new ReaderThread(data, board, hear, lastGeneration);
    await thread.#start(0);
    return thread;
  }

  private constructor(data: Beginning, board: Board, hear: (said: Said) => void, lastGeneration: () => number) {
    this.#data = data;
    this.#board = board;
    this.#hear = hear;
    this.#lastGeneration = lastGeneration;
    this.wakeFd = native().eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    process.on("exit", this.#leave);
  }

  get hasStacks(): boolean {
    return this.#hasStacks;
  }

  get isReading(): boolean {
    return this.#isReading;
  }

  get worker(): Worker | undefined {
    return this.#worker;
  }

  wake(): void {
    native().write(this.wakeFd, ONE, 8);
  }

  /** Null where the reader died over it. */
  collect(slot: number, generation: number): Promise<Telemetry | null> {
    if (this.#port === undefined) return Promise.resolve(null);
    return new Promise((resolve) => {
      const id = ++this.#next;
      this.#asked.set(id, resolve);
      this.#port?.ref();
      this.#post({ kind: "collect", id, slot, generation });
    });
  }

  release(slot: number, generation: number): void {
    this.#post({ kind: "release", slot, generation });
  }

  async close(): Promise<void> {
    this.#leave();
    const worker = this.#worker;
    this.#worker = undefined;
    worker?.ref();
    if (worker !== undefined) await new Promise((resolve) => worker.once("exit", resolve));
    process.off("exit", this.#leave);
    closeSync(this.wakeFd);
  }

  /** A process ends only when its threads have: this one sleeps in the kernel, and has to be told. */
  readonly #leave = (): void => {
    this.#board.leave();
    this.wake();
  };

  #post(message: ToReader): void {
    this.#port?.postMessage(message);
    this.wake();
  }

  #start(after: number): Promise<void> {
    const { port1, port2 } = new MessageChannel();
    const workerData = { ...this.#data, fds: { ...this.#data.fds, wake: this.wakeFd }, after, port: port2 };
    const worker = new Worker(new URL("./worker.ts", import.meta.url), { workerData, transferList: [port2], name: "sensor" });
    this.#worker = worker;
    this.#port = port1;
    return new Promise((resolve, reject) => {
      worker.on("error", reject);
      worker.on("exit", (code) => {
        port1.close();
        if (this.#worker !== worker) return;
        this.#diedWith(code);
        reject(new Error(`the sensor's reader ended with ${code}`));
      });
      port1.on("message", (message: FromReader) => {
        if (message.kind === "ready") {
          this.#hasStacks = message.stacks;
          this.#isReading = true;
          // It keeps nobody from ending, but for as long as it is waited for.
          worker.unref();
          port1.unref();
          resolve();
        } else if (message.kind === "collected") {
          this.#asked.get(message.id)?.(message.telemetry);
          this.#asked.delete(message.id);
          if (this.#asked.size === 0) port1.unref();
        } else this.#hear(message);
      });
    });
  }

  #diedWith(_code: number): void {
    this.#port = undefined;
    this.#isReading = false;
    for (const answer of this.#asked.values()) answer(null);
    this.#asked.clear();
    if (this.#board.isLeaving || ++this.#restarts > MOST_RESTARTS) return;
    this.#start(this.#lastGeneration()).catch(() => {});
  }
}

const ONE = new Uint8Array(new BigUint64Array([1n]).buffer);
