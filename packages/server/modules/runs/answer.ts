import { toProblem, type Violation } from "@plastron/contracts";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { AgentRun } from "../../agent-client/exchange.ts";
import { toKnown } from "../../http/problem.ts";
import { Idempotency } from "../idempotency/service.ts";
import { clientGone, EventStream } from "./event-stream.ts";
import type { RunListener, RunOrder, RunService } from "./service.ts";
import type { RunHead, RunView } from "./view.ts";

interface Answering {
  runs: Pick<RunService, "run">;
  idempotency: Idempotency;
  /** What to run. It is called once the request is known not to be a repetition. */
  order: Omit<RunOrder, "receivedAt" | "authUs" | "principal" | "durableFirst" | "signal">;
  stream: boolean;
}

/** Runs an order and answers in the way that was asked for: the whole run as JSON, or its events as they come. */
export function answerRun(request: FastifyRequest, reply: FastifyReply, answering: Answering): Promise<void> {
  return answering.stream ? answerStream(request, reply, answering) : answerWhole(request, reply, answering);
}

/** With an Idempotency-Key the client can come back for the result, so its leaving does not end the run; without, nobody would read it. */
async function answerWhole(request: FastifyRequest, reply: FastifyReply, { runs, idempotency, order }: Answering): Promise<void> {
  const repeatable = Idempotency.keyOf(request) !== undefined;
  const signal = repeatable ? undefined : clientGone(reply);
  const answer = await idempotency.once(request, async () => ({ status: 200, body: await runs.run(complete(request, order, signal, false)) }));
  // Serialised here, not by the schema: the value is ours, and checking megabytes of output again costs more than the run's bookkeeping.
  reply.header("content-type", "application/json; charset=utf-8").send(JSON.stringify(answer.body));
}

async function answerStream(request: FastifyRequest, reply: FastifyReply, { runs, idempotency, order }: Answering): Promise<void> {
  const stream = new EventStream(reply);
  const events = new RunEvents(stream);
  let live = false;
  try {
    const answer = await idempotency.once(request, async () => {
      live = true;
      return { status: 200, body: await runs.run(complete(request, order, clientGone(reply), true), events) };
    });
    if (live) events.finish();
    else replay(stream, answer.body);
    stream.send("result", answer.body);
  } catch (error) {
    if (!stream.isOpen) throw error;
    stream.send("error", toProblem(toKnown(error)));
  } finally {
    stream.end();
  }
}

function complete(request: FastifyRequest, order: Answering["order"], signal: AbortSignal | undefined, durableFirst: boolean): RunOrder {
  return { ...order, principal: request.principal, receivedAt: request.receivedAt, authUs: request.authUs, durableFirst, ...(signal ? { signal } : {}) };
}

/**
 * A run in progress as events. `started` waits until the agent has begun, so that what it refuses is answered with a status of its
 * own and no stream. A character may be cut by the border of a chunk: each stream has a decoder that keeps the half.
 */
class RunEvents implements RunListener {
  readonly #stream: EventStream;
  readonly #decoders = { stdout: new TextDecoder("utf-8", { ignoreBOM: true }), stderr: new TextDecoder("utf-8", { ignoreBOM: true }) };
  #head: RunHead | undefined;

  constructor(stream: EventStream) {
    this.#stream = stream;
  }

  admitted(head: RunHead, run: Pick<AgentRun, "pause" | "resume">): void {
    this.#stream.follow(run);
    this.#head = head;
  }

  started(): void {
    if (this.#stream.isOpen || this.#head === undefined) return;
    this.#stream.send("started", { id: this.#head.id, status: "running", created_at: this.#head.created_at });
  }

  stdout(chunk: Uint8Array): void {
    this.#send("stdout", this.#decoders.stdout.decode(chunk, { stream: true }));
  }

  stderr(chunk: Uint8Array): void {
    this.#send("stderr", this.#decoders.stderr.decode(chunk, { stream: true }));
  }

  violation(violation: Violation): void {
    this.started();
    this.#stream.send("violation", violation);
  }

  /** What the last chunk left half becomes U+FFFD, as it does in the whole result. */
  finish(): void {
    this.started();
    for (const name of ["stdout", "stderr"] as const) this.#send(name, this.#decoders[name].decode());
  }

  #send(name: "stdout" | "stderr", text: string): void {
    this.started();
    if (text !== "") this.#stream.send(name, { text });
  }
}

function replay(stream: EventStream, run: RunView): void {
  stream.send("started", { id: run.id, status: "running", created_at: run.created_at });
  if (run.stdout !== "") stream.send("stdout", { text: run.stdout });
  if (run.stderr !== "") stream.send("stderr", { text: run.stderr });
  // An answer that an older version kept has none.
  for (const violation of run.violations ?? []) stream.send("violation", violation);
}
