import type { Socket } from "node:net";
import {
  type Denial,
  ERRORS,
  type ErrorCode,
  encodeFrame,
  FrameReader,
  PlastronError,
  type RunResult,
  runResultSchema,
  type Violation,
  WIRE,
} from "@plastron/contracts";
import { boundTelemetry, readDenial } from "./telemetry.ts";
import { boundResult, readViolation } from "./violation.ts";

/** Where a run's frames go. Chunks are raw bytes, cut at the run's output limit by the agent. */
export interface RunSink {
  started?(): void;
  stdout(chunk: Uint8Array): void;
  stderr(chunk: Uint8Array): void;
  violation?(violation: Violation): void;
  /** A call was denied and the sensor saw it; which rule that was is not said. */
  denial?(denial: Denial): void;
}

/** A run in progress. */
export interface AgentRun {
  /** In the result, stdout and stderr are empty: the bytes went to the sink. Rejects with a PlastronError. */
  result: Promise<RunResult>;
  /** Asks for the end; the result then says `killed` with this reason. */
  kill(reason: string): void;
  /** Stops and continues reading, for a receiver that is slower than the program. */
  pause(): void;
  resume(): void;
  /** Microseconds that connecting took: 0 with a socket of the reserve. */
  connectUs(): number;
}

/** How long a killed run may take to say so before its connection is cut, which kills it as well. */
const KILL_GRACE_MS = 5_000;

/** The server's side of one run's connection (contracts/wire.ts): `request` is the encoded `Q` frame. `silence` is the longest it may take in ms. */
export function exchangeRun(socket: Socket, request: Uint8Array, sink: RunSink, silence: number): AgentRun & { lostUnheard(): boolean } {
  let heard = false;
  let lost = false;
  let connectUs = 0;
  let settled = false;
  let grace: NodeJS.Timeout | undefined;
  const { promise, resolve, reject } = Promise.withResolvers<RunResult>();
  const settle = (how: () => void) => {
    if (settled) return;
    settled = true;
    clearTimeout(watchdog);
    clearTimeout(grace);
    socket.destroy();
    how();
  };
  const watchdog = setTimeout(() => settle(() => reject(unavailable(`The agent said nothing for ${silence} ms`))), silence);
  receive(socket, {
    frame(type, payload) {
      heard = true;
      if (type === WIRE.stdout) sink.stdout(payload);
      else if (type === WIRE.stderr) sink.stderr(payload);
      else if (type === WIRE.started) sink.started?.();
      else if (type === WIRE.violation) sink.violation?.(readViolation(parse(payload)));
      else if (type === WIRE.denial) sink.denial?.(readDenial(parse(payload)));
      else if (type === WIRE.result) {
        const result = boundTelemetry(boundResult(runResultSchema.parse(parse(payload))));
        settle(() => resolve(result));
      } else if (type === WIRE.problem) {
        const problem = problemOf(payload);
        settle(() => reject(problem));
      }
    },
    end(why) {
      lost ||= !settled;
      settle(() => reject(unavailable(why)));
    },
  });
  if (socket.connecting) {
    const start = performance.now();
    socket.once("connect", () => {
      connectUs = Math.round((performance.now() - start) * 1000);
    });
  }
  socket.write(request);
  return {
    result: promise,
    connectUs: () => connectUs,
    lostUnheard: () => lost && !heard,
    kill(reason) {
      if (settled || grace !== undefined) return;
      socket.write(encodeFrame(WIRE.kill, reason));
      socket.resume();
      grace = setTimeout(() => settle(() => reject(unavailable("The agent did not end a killed run"))), KILL_GRACE_MS);
    },
    pause: () => void socket.pause(),
    resume: () => void socket.resume(),
  };
}

/** What a question may bring besides its answer, and what ends it. */
export interface Asking {
  stdout?(chunk: Uint8Array): void;
  signal?: AbortSignal | undefined;
}

/** One question, one `X`: for doctor, status, host, images and the opening and closing of sessions. Closing the connection ends what it asked for. */
export function exchangeCall(socket: Socket, request: Uint8Array, timeoutMs: number, { stdout, signal }: Asking = {}): Promise<unknown> {
  const { promise, resolve, reject } = Promise.withResolvers<unknown>();
  const timer = setTimeout(() => finish(() => reject(unavailable(`The agent did not answer within ${timeoutMs} ms`))), timeoutMs);
  const onAbort = () => finish(() => reject(unavailable(`Nobody waits for the answer: ${String(signal?.reason)}`)));
  const finish = (how: () => void) => {
    clearTimeout(timer);
    signal?.removeEventListener("abort", onAbort);
    socket.destroy();
    how();
  };
  signal?.addEventListener("abort", onAbort, { once: true });
  receive(socket, {
    frame(type, payload) {
      if (type === WIRE.stdout) stdout?.(payload);
      const answer = type === WIRE.result ? parse(payload) : undefined;
      const problem = type === WIRE.problem ? problemOf(payload) : undefined;
      if (type === WIRE.result) finish(() => resolve(answer));
      else if (problem) finish(() => reject(problem));
    },
    end: (why) => finish(() => reject(unavailable(why))),
  });
  if (signal?.aborted) onAbort();
  else socket.write(request);
  return promise;
}

function receive(socket: Socket, to: { frame(type: string, payload: Uint8Array): void; end(why: string): void }): void {
  const reader = new FrameReader();
  socket.on("data", (chunk: Buffer) => {
    try {
      for (const frame of reader.push(chunk)) to.frame(frame.type, frame.payload);
    } catch (error) {
      to.end(`The agent sent something that is not understood: ${(error as Error).message}`);
    }
  });
  socket.on("error", (error) => to.end(`The agent's socket: ${error.message}`));
  socket.on("close", () => to.end("The agent closed the connection before the end of the run"));
}

function parse(payload: Uint8Array): unknown {
  return JSON.parse(Buffer.from(payload.buffer, payload.byteOffset, payload.length).toString("utf8"));
}

function problemOf(payload: Uint8Array): PlastronError {
  const problem = parse(payload) as { code?: string; detail?: string; hint?: string; retry_after_s?: number };
  const code: ErrorCode = problem.code !== undefined && Object.hasOwn(ERRORS, problem.code) ? (problem.code as ErrorCode) : "sandbox_failed";
  return new PlastronError(code, problem.detail ?? "The agent gave no reason", { hint: problem.hint, retryAfterSeconds: problem.retry_after_s });
}

function unavailable(detail: string): PlastronError {
  return new PlastronError("agent_unavailable", detail, { retryAfterSeconds: 1 });
}
