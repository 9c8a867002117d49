import type { FastifyReply } from "fastify";
import type { AgentRun } from "../../agent-client/exchange.ts";

/** A comment is sent when nothing else was for this long, so that proxies do not cut a quiet run and a vanished client is noticed. */
const HEARTBEAT_MS = 10_000;

/**
 * One answer as server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html). The head of the answer is
 * sent with the first event, so that a run that is refused still gets its proper status.
 */
export class EventStream {
  readonly #reply: FastifyReply;
  readonly #heartbeatMs: number;
  #id = 0;
  #open = false;
  #timer: NodeJS.Timeout | undefined;
  #source: Pick<AgentRun, "pause" | "resume"> | undefined;
  /** What had come before the pause is still written, without another wait for each. */
  #held = false;

  constructor(reply: FastifyReply, heartbeatMs: number = HEARTBEAT_MS) {
    this.#reply = reply;
    this.#heartbeatMs = heartbeatMs;
  }

  get isOpen(): boolean {
    return this.#open;
  }

  /** Reading from `source` stops while the client is slower than it. */
  follow(source: Pick<AgentRun, "pause" | "resume">): void {
    this.#source = source;
  }

  /** Sends the head of the answer now, for a stream whose first event may be long in coming. */
  open(): void {
    if (this.#open) return;
    this.#begin();
    this.#reply.raw.write(": open\n\n");
  }

  /** False where the client is behind. An id of its own is what the client can come back with. */
  send(event: string, data: unknown, id: string | number = ++this.#id): boolean {
    if (!this.#open) this.#begin();
    const raw = this.#reply.raw;
    if (raw.destroyed) return false;
    const flowing = raw.write(`${id === "" ? "" : `id: ${id}\n`}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
    if (!flowing && this.#source && !this.#held) {
      this.#held = true;
      this.#source.pause();
      raw.once("drain", () => {
        this.#held = false;
        this.#source?.resume();
      });
    }
    return flowing;
  }

  /** Resolves with true when the client has read what was sent, with false when it leaves or does not in time. */
  drained(ms: number): Promise<boolean> {
    const raw = this.#reply.raw;
    if (raw.destroyed || !raw.writableNeedDrain) return Promise.resolve(!raw.destroyed);
    return new Promise((resolve) => {
      const settle = (read: boolean) => {
        clearTimeout(timer);
        raw.off("drain", onDrain).off("close", onClose);
        if (!read) raw.destroy();
        resolve(read);
      };
      const [onDrain, onClose] = [() => settle(true), () => settle(false)];
      const timer = setTimeout(onClose, ms);
      raw.once("drain", onDrain).once("close", onClose);
    });
  }

  end(): void {
    clearInterval(this.#timer);
    if (this.#open) this.#reply.raw.end();
  }

  #begin(): void {
    this.#open = true;
    this.#reply.hijack();
    const raw = this.#reply.raw;
    raw.writeHead(200, { "content-type": "text/event-stream; charset=utf-8", "cache-control": "no-store", "x-accel-buffering": "no" });
    this.#timer = setInterval(() => void (raw.destroyed || raw.write(": heartbeat\n\n")), this.#heartbeatMs);
    this.#timer.unref();
    raw.once("close", () => clearInterval(this.#timer));
    raw.on("error", () => {}); // the client vanished; `close` follows
  }
}

/** An abort signal for a client that goes away before its answer is whole. */
export function clientGone(reply: FastifyReply): AbortSignal {
  const controller = new AbortController();
  reply.raw.once("close", () => {
    if (!reply.raw.writableFinished) controller.abort("the client closed the connection");
  });
  return controller.signal;
}
