import { toProblem } from "@plastron/contracts";
import type { FastifyReply, FastifyRequest } from "fastify";
import { toKnown } from "../../http/problem.ts";
import { clientGone, EventStream } from "../runs/event-stream.ts";
import type { ViolationFeed } from "./feed.ts";
import type { ViolationFilter } from "./filter.ts";
import type { Position } from "./store.ts";
import { violationView } from "./view.ts";

/** A client that has not read what lies before it for so long is gone, whatever its connection says. It can come back for the rest. */
const PATIENCE_MS = 30_000;

interface Streaming {
  feed: ViolationFeed;
  filter: ViolationFilter;
  from: Position | undefined;
  stillAllowed(): Promise<unknown>;
  patienceMs?: number;
}

/** `text/event-stream` of violations. The id of each event is its place: a client that sends it back goes on behind it. */
export async function streamViolations(request: FastifyRequest, reply: FastifyReply, streaming: Streaming): Promise<void> {
  const { feed, filter, from, stillAllowed, patienceMs = PATIENCE_MS } = streaming;
  const stream = new EventStream(reply);
  try {
    await feed.follow({
      ...{ tenant: request.principal.tenant, filter, from, stillAllowed, signal: clientGone(reply) },
      async take(violations) {
        stream.open();
        for (const violation of violations) {
          const { tx, seq } = violation.position;
          if (!stream.send("violation", violationView(violation), `${tx}.${seq}`) && !(await stream.drained(patienceMs))) return false;
        }
        return true;
      },
    });
  } catch (error) {
    if (!stream.isOpen) throw error;
    stream.send("error", toProblem(toKnown(error)), "");
  } finally {
    stream.end();
  }
}
