import type { Duplex } from "node:stream";
import {
  type BrokenBy,
  type Denial,
  type EgressAccount,
  encodeFrame,
  type Frame,
  FrameReader,
  PlastronError,
  type Program,
  type SecretGrant,
  type Violation,
} from "@plastron/contracts";
import type { Control, Output } from "../../driver.ts";
import { BoxRun, NeverStarted } from "./box-run.ts";
import { Hold } from "./hold.ts";
import { type RunEnd, readArtifact, readStat, text } from "./run-end.ts";
import type { Looked, Sight } from "./sight.ts";
import { startFrames } from "./start-frames.ts";

export { NeverStarted } from "./box-run.ts";
export type { RunEnd } from "./run-end.ts";

const NO_WAY = "A secret is put into requests by the proxy: let the run reach the secret's hosts (network), or leave the secret out.";

export type BoxState = "starting" | "ready" | "running" | "gone";

/**
 * One sandbox, seen from the agent: the connection to its supervisor. `ready` resolves when a confined interpreter waits for
 * its program; `gone` when the supervisor has removed everything (or has died).
 */
export class Box {
  readonly ready: Promise<void>;
  readonly gone: Promise<void>;
  readonly bornAt = performance.now();
  state: BoxState = "starting";
  /** A step that failed, in the supervisor's words. */
  failure: string | undefined;
  /** What a `V` frame of the supervisor says; set by whoever knows the sandbox's rules. */
  readViolation: ((payload: Uint8Array) => Violation | undefined) | undefined;
  /** What a `G` frame says: a guest's kernel (drivers/gvisor/trace). */
  onTrace: ((payload: Uint8Array) => void) | undefined;
  /** Who looks on; set when the sandbox is ready, by whoever made it. */
  sight: Sight | undefined;
  /** Which denied calls are recorded by enforcers of the sandbox's rules (reports.ts). */
  isRecorded: (denial: Denial) => boolean = () => false;
  /** Pid 1 of the sandbox, as the host sees it; 0 until it is there. */
  pid = 0;
  /** Called before a program is given to the sandbox. */
  readonly onBegin: ((program: Looked) => void)[] = [];
  /**
   * Called before the tenant's first program is given to the sandbox; what throws refuses the sandbox to that tenant. What comes
   * back is put into the environment of each of its programs.
   */
  readonly onAssign: ((tenant: string, secrets: readonly SecretGrant[]) => Record<string, string>)[] = [];
  /** Called when the program has ended and before the run is told so: whoever records violations from elsewhere looks once more. */
  readonly beforeEnd: (() => void | Promise<void>)[] = [];
  readonly #stream: Duplex;
  readonly #reader = new FrameReader();
  /** The cgroup's counters when the next program begins: a session's go on counting. */
  #counters = new Map<string, string>();
  readonly #onHello: (token: string) => void;
  #current: BoxRun | undefined;
  #environment: Record<string, string> = {};
  readonly #hold = new Hold((frame) => this.#stream.write(frame));
  #onPlaced: ((pid: number) => void) | undefined;
  #becomeReady!: () => void;
  #failReady!: (error: Error) => void;

  /** `onHello`: the supervisor names the order that it answers. */
  constructor(stream: Duplex, onHello: (token: string) => void) {
    this.#onHello = onHello;
    this.#stream = stream;
    this.ready = new Promise((resolve, reject) => {
      this.#becomeReady = resolve;
      this.#failReady = reject;
    });
    this.ready.catch(() => {}); // a box nobody waits for may fail without taking the agent down
    this.gone = new Promise((resolve) => {
      stream.once("close", () => {
        this.#onClose();
        resolve();
      });
    });
    stream.on("data", (chunk: Uint8Array) => this.#onData(chunk));
    stream.on("error", () => stream.destroy());
    stream.once("end", () => stream.destroy());
  }

  /** Sends a frame that belongs to the making of a sandbox (spec, zygote order). */
  send(type: string, payload: Uint8Array): void {
    this.#stream.write(encodeFrame(type, payload));
  }

  /** A warm sandbox is nobody's until this. Errors: sandbox_failed where it is another tenant's; then it is nobody's any more. */
  assign(tenant: string, secrets: readonly SecretGrant[] = []): void {
    try {
      for (const told of this.onAssign) Object.assign(this.#environment, told(tenant, secrets));
      const without = secrets.find(({ env }) => this.#environment[env] === undefined);
      if (without) throw new PlastronError("invalid_request", `the secret for ${without.env} needs a way out to its hosts`, { hint: NO_WAY });
    } catch (error) {
      this.destroy();
      throw error;
    }
  }

  /**
   * Runs one program. `knobs` are cgroup values that differ from those that the sandbox was made with. Rejects when the
   * sandbox dies under it without a result.
   */
  run(program: Program & Looked, knobs: Record<string, string>, output: Output, control: Control = {}): Promise<RunEnd> {
    if (this.state !== "ready") return Promise.reject(new NeverStarted());
    this.state = "running";
    const current = new BoxRun({ output, before: this.#counters, isRecorded: this.isRecorded, sight: this.sight, hands: this });
    this.#current = current;
    for (const told of this.onBegin) told(program);
    current.begin(program);
    const given = { ...program, env: { ...program.env, ...this.#environment } };
    this.#stream.write(startFrames(given, knobs, control.stdin !== undefined));
    if (control.stdin) void this.#feed(control.stdin);
    const { signal } = control;
    const abort = () => this.kill(typeof signal?.reason === "string" ? signal.reason : "cancelled");
    if (signal?.aborted) abort();
    signal?.addEventListener("abort", abort, { once: true });
    return current.told.finally(() => signal?.removeEventListener("abort", abort));
  }

  kill(reason: string): void {
    if (!this.#stream.destroyed) this.#stream.write(encodeFrame("K", reason));
  }

  /** A rule was hit: told to the run's reader and kept for its result. Of no effect unless a program runs: an interpreter's start is ours. */
  record(violation: Violation, at_us: number | null = null): void {
    this.#current?.record(violation, at_us);
  }

  /** So many were not told one by one, since they were a flood. */
  recordDropped(count: number): void {
    this.#current?.end.violations.drop(count);
  }

  /** Of this run alone. */
  recordEgress(account: EgressAccount): void {
    if (this.#current) this.#current.end.egress = account;
  }

  /** Holds every process of the program still. False: it cannot be held, and whoever wanted it must kill it. */
  async freeze(): Promise<boolean> {
    return this.#isRunning && (await this.#hold.ask("freeze")) === "frozen";
  }

  /** False: there is nothing to let go on. */
  async thaw(): Promise<boolean> {
    return this.#isRunning && (await this.#hold.ask("thaw")) === "thawed";
  }

  get #isRunning(): boolean {
    return this.state === "running" && !this.#stream.destroyed;
  }

  /** The program exceeded a rate rule: it is held still while its stacks are taken, and killed. Of no effect the second time. */
  break(broken: BrokenBy): void {
    this.#current?.break(broken);
  }

  /** Of a sandbox that was asked to wait for `proceed`: pid 1 is there, and nothing has run yet. */
  placed(): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#onPlaced = resolve;
      if (this.pid > 0) resolve(this.pid);
      this.ready.catch(reject);
    });
  }

  proceed(): void {
    this.#stream.write(encodeFrame("G"));
  }

  /** Lets go of a box that is not wanted: the supervisor sees the end of the connection and removes everything. */
  destroy(): void {
    this.sight?.release();
    this.#stream.destroy();
  }

  /** While the reader of the run is behind we read no more, the supervisor's queue fills, and the program blocks on its pipe. */
  #awaitReader(behind: void | Promise<void>): void {
    if (!behind) return;
    this.#stream.pause();
    void behind.finally(() => this.#stream.resume());
  }

  async #feed(stdin: AsyncIterable<Uint8Array>): Promise<void> {
    for await (const chunk of stdin) {
      if (this.state !== "running") return;
      if (!this.#stream.write(encodeFrame("I", chunk))) await new Promise((drained) => this.#stream.once("drain", drained).once("close", drained));
    }
    if (this.state === "running") this.#stream.write(encodeFrame("Z"));
  }

  #onData(chunk: Uint8Array): void {
    let frames: Frame[];
    try {
      frames = this.#reader.push(chunk);
    } catch {
      this.#stream.destroy(); // a frame over the limit: the supervisor is broken
      return;
    }
    for (const frame of frames) this.#onFrame(frame);
  }

  #onFrame({ type, payload }: Frame): void {
    const current = this.#current;
    if (current && type === "S") {
      current.started = true;
      current.output.started?.();
    } else if (type === "O") this.#awaitReader(current?.output.stdout(payload));
    else if (type === "E") this.#awaitReader(current?.output.stderr(payload));
    else if (type === "X") this.#onEnd(payload);
    else if (type === "A") current?.end.artifacts.push(readArtifact(payload));
    else if (type === "T") current?.end.stats.set(...readStat(payload));
    else if (type === "U") this.#counters.set(...readStat(payload));
    else if (type === "V") this.#onViolation(payload);
    else if (type === "G") this.onTrace?.(payload);
    else if (type === "N") this.failure ??= text(payload);
    else if (type === "H") this.#onHello(text(payload));
    else if (type === "z") this.#hold.answer(payload);
    else if (type === "P") {
      this.pid = readPid(payload);
      this.#onPlaced?.(this.pid);
    } else if (type === "R") {
      this.pid = readPid(payload);
      this.state = "ready";
      this.#becomeReady();
    }
  }

  #onViolation(payload: Uint8Array): void {
    const violation = this.readViolation?.(payload);
    if (violation) this.record(violation);
  }

  #onEnd(payload: Uint8Array): void {
    const current = this.#current;
    if (!current || current.ended) return;
    current.finish(payload, this.beforeEnd, () => {
      this.#current = undefined;
      this.#counters = current.end.stats;
      if (this.state !== "gone") this.state = current.end.facts.get("over") === "0" ? "ready" : "gone"; // only a session's sandbox outlives a run
      /* Its pid namespace's number is the next sandbox's as soon as it is free: the place is given back before. */
      if (this.state === "gone") this.sight?.release();
    });
  }

  #onClose(): void {
    const wasReady = this.state !== "starting";
    this.state = "gone";
    this.#hold.end();
    const error = new PlastronError("sandbox_failed", this.failure ?? "the supervisor of the sandbox has died");
    if (!wasReady) this.#failReady(this.failure === undefined ? new NeverStarted() : error);
    if (this.#current?.ended) return; // its result has come and is about to be told
    this.#current?.fail(error);
    this.#current = undefined;
  }
}

const readPid = (payload: Uint8Array): number => (payload.length < 4 ? 0 : new DataView(payload.buffer, payload.byteOffset).getUint32(0, true));
