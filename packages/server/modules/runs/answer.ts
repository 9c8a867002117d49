import { toProblem } from "@plastron/contracts";
import type { FastifyReply, FastifyRequest } from "fastify";
import { toKnown } from "../../http/problem.ts";
import { Idempotency } from "../idempotency/service.ts";
import { clientGone, EventStream } from "./event-stream.ts";
import type { RunListener, RunOrder, RunService } from "./service.ts";
import type { RunView } from "./view.ts";

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
  let live = false;
  try {
    const answer = await idempotency.once(request, async () => {
      live = true;
      return { status: 200, body: await runs.run(complete(request, order, clientGone(reply), true), eventsOf(stream)) };
    });
    if (!live) replay(stream, answer.body);
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

/** A character may be cut by the border of a chunk: each stream has its own decoder that keeps the half. */
function eventsOf(stream: EventStream): RunListener {
  const decoders = { stdout: new TextDecoder(), stderr: new TextDecoder() };
  const forward = (name: "stdout" | "stderr") => (chunk: Uint8Array) => {
    const text = decoders[name].decode(chunk, { stream: true });
    if (text !== "") stream.send(name, { text });
  };
  return {
    admitted(head, run) {
      stream.follow(run);
      stream.send("started", { id: head.id, status: "running", created_at: head.created_at });
    },
    stdout: forward("stdout"),
    stderr: forward("stderr"),
  };
}

function replay(stream: EventStream, run: RunView): void {
  stream.send("started", { id: run.id, status: "running", created_at: run.created_at });
  if (run.stdout !== "") stream.send("stdout", { text: run.stdout });
  if (run.stderr !== "") stream.send("stderr", { text: run.stderr });
}
