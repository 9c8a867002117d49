import type { Duplex } from "node:stream";
import { type EgressAccount, encodeFrame, type Frame, FrameReader, PlastronError, type Program, type Violation } from "@plastron/contracts";
import type { Control, Output } from "../../driver.ts";
import { RUNTIMES, startMessage } from "../../runtimes/index.ts";
import { ViolationTally } from "../../violations/index.ts";

/** The reason that the supervisor gives for a time-out (native/supervise.c). */
export const WALL_CLOCK = "wall clock";
/** What artefacts of one run may hold in all. */
export const ARTIFACT_BUDGET = 16 * 1024 * 1024;

/** The end of one run as the supervisor tells it: `facts` are its key-value lines, `stats` the cgroup files by name, and as they were `before`. */
export interface RunEnd {
  facts: Map<string, string>;
  stats: Map<string, string>;
  before: Map<string, string>;
  artifacts: { path: string; size: number; content: Uint8Array }[];
  violations: ViolationTally;
  /** What went through its way out; null where it has none. */
  egress: EgressAccount | null;
}

/** The sandbox was dead before it was given its program: nothing of the program has run, so another sandbox may have it. */
export class NeverStarted extends PlastronError {
  constructor() {
    super("sandbox_failed", "the sandbox died while it waited for its program");
  }
}

interface Current {
  output: Output;
  started: boolean;
  /** Its result has come; what others recorded is still being looked up. */
  ended: boolean;
  end: RunEnd;
  resolve(end: RunEnd): void;
  reject(error: Error): void;
}

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
  /** Called before the tenant's first program is given to the sandbox; what throws refuses the sandbox to that tenant. */
  readonly onAssign: ((tenant: string) => void)[] = [];
  /** Called when the program has ended and before the run is told so: whoever records violations from elsewhere looks once more. */
  readonly beforeEnd: (() => void | Promise<void>)[] = [];
  readonly #stream: Duplex;
  readonly #reader = new FrameReader();
  /** The cgroup's counters when the next program begins: a session's go on counting. */
  #counters = new Map<string, string>();
  readonly #onHello: (token: string) => void;
  #current: Current | undefined;
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
  assign(tenant: string): void {
    try {
      for (const told of this.onAssign) told(tenant);
    } catch (error) {
      this.destroy();
      throw error;
    }
  }

  /**
   * Runs one program. `knobs` are cgroup values that differ from those that the sandbox was made with. Rejects when the
   * sandbox dies under it without a result.
   */
  run(program: Program, knobs: Record<string, string>, output: Output, control: Control = {}): Promise<RunEnd> {
    if (this.state !== "ready") return Promise.reject(new NeverStarted());
    this.state = "running";
    const ended = new Promise<RunEnd>((resolve, reject) => {
      this.#current = { output, started: false, ended: false, end: newEnd(this.#counters), resolve, reject };
    });
    this.#stream.write(startFrames(program, knobs, control.stdin !== undefined));
    if (control.stdin) void this.#feed(control.stdin);
    const { signal } = control;
    const abort = () => this.kill(typeof signal?.reason === "string" ? signal.reason : "cancelled");
    if (signal?.aborted) abort();
    signal?.addEventListener("abort", abort, { once: true });
    return ended.finally(() => signal?.removeEventListener("abort", abort));
  }

  kill(reason: string): void {
    if (!this.#stream.destroyed) this.#stream.write(encodeFrame("K", reason));
  }

  /** A rule was hit: told to the run's reader and kept for its result. Of no effect unless a program runs: an interpreter's start is ours. */
  record(violation: Violation): void {
    const current = this.#current;
    if (current?.end.violations.add(violation)) current.output.violation?.(violation);
  }

  /** So many were not told one by one, since they were a flood. */
  recordDropped(count: number): void {
    this.#current?.end.violations.drop(count);
  }

  /** Of this run alone. */
  recordEgress(account: EgressAccount): void {
    if (this.#current) this.#current.end.egress = account;
  }

  /** Lets go of a box that is not wanted: the supervisor sees the end of the connection and removes everything. */
  destroy(): void {
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
    else if (type === "R") {
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
    current.ended = true;
    const looking = this.beforeEnd.flatMap((look) => look() ?? []);
    if (looking.length === 0) this.#tellEnd(current, payload);
    else void Promise.all(looking).finally(() => this.#tellEnd(current, payload));
  }

  #tellEnd(current: Current, payload: Uint8Array): void {
    for (const line of text(payload).split("\n")) {
      const cut = line.indexOf(" ");
      if (cut > 0) current.end.facts.set(line.slice(0, cut), line.slice(cut + 1));
    }
    current.end.violations.drop(Number(current.end.facts.get("violations_dropped") ?? 0));
    this.#current = undefined;
    this.#counters = current.end.stats;
    if (this.state !== "gone") this.state = current.end.facts.get("over") === "0" ? "ready" : "gone"; // only a session's sandbox outlives a run
    current.resolve(current.end);
  }

  #onClose(): void {
    const wasReady = this.state !== "starting";
    this.state = "gone";
    const error = new PlastronError("sandbox_failed", this.failure ?? "the supervisor of the sandbox has died");
    if (!wasReady) this.#failReady(this.failure === undefined ? new NeverStarted() : error);
    if (this.#current?.ended) return; // its result has come and is about to be told
    this.#current?.reject(this.#current.started ? error : new NeverStarted());
    this.#current = undefined;
  }
}

const newEnd = (before: Map<string, string>): RunEnd => ({
  facts: new Map(),
  stats: new Map(),
  before,
  artifacts: [],
  violations: new ViolationTally(),
  egress: null,
});

const decoder = new TextDecoder();
const text = (bytes: Uint8Array): string => decoder.decode(bytes);

/** All that starts a program, as one write: limits, files, entry, globs, begin, stdin. */
function startFrames(program: Program, knobs: Record<string, string>, liveStdin: boolean): Uint8Array {
  const { entry } = RUNTIMES[program.runtime];
  const frames: Uint8Array[] = [];
  for (const [knob, value] of Object.entries(knobs)) frames.push(encodeFrame("W", `${knob}\0${value}`));
  for (const file of program.files) frames.push(fileFrame(file.path, Buffer.from(file.content, file.encoding), file.executable ? 0o755 : 0o644));
  frames.push(fileFrame(entry, Buffer.from(program.code, "utf8"), 0o644));
  if (program.collect.length > 0) frames.push(encodeFrame("C", Buffer.concat([u32(ARTIFACT_BUDGET), Buffer.from(program.collect.join("\0"))])));
  /* Before the begin frame: a program whose stdin is not live is told its end as soon as it begins. */
  if (!liveStdin && program.stdin !== "") frames.push(encodeFrame("I", program.stdin));
  const start = startMessage(program.runtime, { entry: `/workspace/${entry}`, argv: program.args, env: program.env, display: true });
  frames.push(encodeFrame("B", Buffer.concat([u32(program.limits.wall_ms), u32(program.limits.output_bytes), u32(liveStdin ? 1 : 0), start])));
  return Buffer.concat(frames);
}

function fileFrame(path: string, bytes: Uint8Array, mode: number): Uint8Array {
  const name = Buffer.from(path);
  return encodeFrame("F", Buffer.concat([u32(mode), u32(name.length), name, bytes]));
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

function readStat(payload: Uint8Array): [name: string, content: string] {
  const cut = payload.indexOf(0);
  return [text(payload.subarray(0, cut)), text(payload.subarray(cut + 1))];
}

function readArtifact(payload: Uint8Array): { path: string; size: number; content: Uint8Array } {
  const view = new DataView(payload.buffer, payload.byteOffset, payload.length);
  const length = view.getUint32(0, true);
  const size = Number(view.getBigUint64(4 + length, true));
  return { path: text(payload.subarray(4, 4 + length)), size, content: payload.slice(12 + length) };
}
