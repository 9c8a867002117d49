import { setTimeout as sleep } from "node:timers/promises";
import type { FastifyReply } from "fastify";
import { clientGone, EventStream } from "../runs/event-stream.ts";
import type { ScanRow } from "./store.ts";

/** What other servers write is looked at so often. */
const POLL_MS = 500;
const LONGEST_MS = 3_600_000;

/**
 * A scan's progress as events, from whatever server works on it. Each event holds the whole state, so a client that was cut off and comes back
 * misses nothing that counts. The first look is made before the head is sent: a scan that is not there gets its proper status.
 */
export async function followScan(reply: FastifyReply, look: () => Promise<ScanRow>, show: (row: ScanRow) => object): Promise<FastifyReply> {
  let row = await look();
  const signal = clientGone(reply);
  const stream = new EventStream(reply);
  stream.open();
  try {
    let told = "";
    for (const end = Date.now() + LONGEST_MS; Date.now() < end && !signal.aborted; row = await look()) {
      if (row.status !== "queued" && row.status !== "running") {
        stream.send("result", show(row));
        break;
      }
      const state = JSON.stringify([row.status, row.progress]);
      if (state !== told && !(stream.send("progress", { status: row.status, ...row.progress }) || (await stream.drained(10_000)))) break;
      told = state;
      await sleep(POLL_MS, undefined, { signal }).catch(() => {});
    }
  } finally {
    stream.end();
  }
  return reply;
}
