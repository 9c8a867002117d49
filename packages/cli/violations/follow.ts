import { setTimeout as sleep } from "node:timers/promises";
import type { Problem } from "@plastron/contracts";
import type { Client, StoredViolation, ViolationQuery } from "../client/client.ts";
import { Failure } from "../failure.ts";

/** What another try cannot mend. */
const FINAL = ["invalid_request", "unauthorized", "forbidden", "not_found"];
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 5_000;

/**
 * Violations as they are recorded, until `signal`. A connection that is lost, also because the server is started again, is made again,
 * and goes on behind the last violation: none is missed, none comes twice. Throws Failure where the server refuses.
 */
export async function* followViolations(
  client: Pick<Client, "streamViolations">,
  query: ViolationQuery,
  signal: AbortSignal,
  onLost: (why: string) => void,
  firstWaitMs: number = FIRST_WAIT_MS,
): AsyncGenerator<StoredViolation> {
  let last: string | null = null;
  let wait = firstWaitMs;
  let begun = false;
  let connected = false;
  while (!signal.aborted) {
    try {
      for await (const { event, data, id } of client.streamViolations(query, last, signal)) {
        begun = true;
        connected = true;
        wait = firstWaitMs;
        if (event === "error") throw refusal(JSON.parse(data) as Problem);
        if (event !== "violation") continue;
        yield JSON.parse(data) as StoredViolation;
        last = id ?? last;
      }
      begun = true;
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof Failure && (FINAL.includes(error.code) || !begun)) throw error;
      if (connected) onLost(error instanceof Error ? error.message : String(error));
      connected = false;
    }
    await sleep(wait, undefined, { signal }).catch(() => {});
    wait = Math.min(LONGEST_WAIT_MS, wait * 2);
  }
}

const refusal = ({ code, detail, hint }: Problem): Failure => new Failure(code, detail, { hint });
