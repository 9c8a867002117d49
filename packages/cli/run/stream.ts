import type { Problem } from "@plastron/contracts";
import type { Client, Run } from "../client/client.ts";
import type { ServerEvent } from "../client/sse.ts";
import { Failure } from "../failure.ts";
import { startProgress } from "../terminal/progress.ts";
import { line, type Terminal } from "../terminal/terminal.ts";

/** A run that is ready to go, both ways of asking for it, and the client that can cancel it. */
export interface Orders {
  client: Pick<Client, "cancelRun" | "getPolicy">;
  plain(): Promise<Run>;
  events(): AsyncIterable<ServerEvent>;
}

export interface Streamed {
  run: Run;
  /** Ctrl-C asked for its end, whether or not that came first. */
  interrupted: boolean;
}

/**
 * Starts the run and writes its output as it comes; resolves with its record. The first Ctrl-C cancels the run and waits for its
 * record, a second one leaves (exit 130); the server ends a run whose reader is gone.
 */
export async function streamRun(orders: Orders, terminal: Terminal): Promise<Streamed> {
  const interrupt = new Interrupt(orders.client, terminal);
  const progress = startProgress(terminal, "waiting for a sandbox");
  try {
    for await (const event of orders.events()) {
      if (event.event !== "started") progress.done();
      const finished = await handle(event, interrupt, progress.say, terminal);
      if (finished) return { run: finished, interrupted: interrupt.asked };
    }
    throw new Failure("internal", "the stream ended without a result", { hint: "Did the server stop? `plastron status` and `plastron runs list` tell." });
  } finally {
    progress.done();
    interrupt.done();
  }
}

async function handle(event: ServerEvent, interrupt: Interrupt, say: (text: string) => void, terminal: Terminal): Promise<Run | null> {
  switch (event.event) {
    case "started":
      say("running");
      interrupt.runs((JSON.parse(event.data) as { id: string }).id);
      return null;
    case "stdout":
    case "stderr":
      await write(event.event === "stdout" ? terminal.out : terminal.err, (JSON.parse(event.data) as { text: string }).text);
      return null;
    case "result":
      return JSON.parse(event.data) as Run;
    case "error": {
      const problem = JSON.parse(event.data) as Problem;
      throw new Failure(problem.code, problem.detail, { hint: problem.hint, errors: problem.errors });
    }
    default:
      return null; // an event of a newer server
  }
}

/** Waits where the reader of our output is slow: the pause reaches the program in the end. */
async function write(stream: NodeJS.WritableStream, text: string): Promise<void> {
  if (!stream.write(text)) await new Promise((resolve) => stream.once("drain", resolve));
}

class Interrupt {
  readonly #client: Pick<Client, "cancelRun">;
  readonly #terminal: Terminal;
  #id: string | null = null;
  asked = false;

  constructor(client: Pick<Client, "cancelRun">, terminal: Terminal) {
    this.#client = client;
    this.#terminal = terminal;
    process.on("SIGINT", this.#onSignal);
    process.on("SIGTERM", this.#onSignal);
  }

  runs(id: string): void {
    this.#id = id;
  }

  done(): void {
    process.off("SIGINT", this.#onSignal);
    process.off("SIGTERM", this.#onSignal);
  }

  /** Before the run has an id there is nothing to cancel: leaving closes the connection, which cancels it. */
  readonly #onSignal = (): void => {
    if (this.asked || this.#id === null) process.exit(130);
    this.asked = true;
    if (this.#terminal.interactive) line(this.#terminal.err, this.#terminal.paintErr("dim", "\ncancelling; Ctrl-C again leaves at once"));
    this.#client.cancelRun(this.#id).catch(() => {});
  };
}
