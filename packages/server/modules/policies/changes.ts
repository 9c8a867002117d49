import { setTimeout as sleep } from "node:timers/promises";
import type { Client } from "pg";
import { POLICY_CHANNEL } from "./store.ts";

export interface ChangeListener {
  changed(tenant: string, name: string, version: number): void;
  /** Notices may have been missed: nothing that is remembered can be relied on. */
  forgetAll(): void;
}

const RETRY_MS = 1_000;

/**
 * Hears of policies that other servers on this database store (LISTEN/NOTIFY), within milliseconds. A connection that is lost is
 * made again, and what came meanwhile is unknown. Where a pooler in between passes no notices on, policies are looked at again
 * every few seconds all the same (service.ts).
 */
export function listenForChanges(connect: () => Promise<Client>, listener: ChangeListener): { close(): Promise<void> } {
  const closing = new AbortController();
  let client: Client | undefined;

  async function listen(): Promise<void> {
    while (!closing.signal.aborted) {
      try {
        client = await connect();
        const ended = new Promise<void>((resolve) => client?.once("end", () => resolve()));
        client.on("notification", ({ channel, payload }) => channel === POLICY_CHANNEL && tell(payload ?? ""));
        await client.query(`listen ${POLICY_CHANNEL}`);
        listener.forgetAll();
        if (closing.signal.aborted) await client.end();
        await ended;
      } catch {
        // the database is away; health says so
      }
      client = undefined;
      await sleep(RETRY_MS, undefined, { signal: closing.signal }).catch(() => {});
    }
  }

  function tell(payload: string): void {
    const { tenant, name, version } = JSON.parse(payload) as { tenant: string; name: string; version: number };
    listener.changed(tenant, name, version);
  }

  const listening = listen();
  return {
    async close() {
      closing.abort();
      await client?.end().catch(() => {});
      await listening;
    },
  };
}
