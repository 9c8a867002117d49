import { type Home, readJson } from "./home.ts";
import type { ProcessId } from "./processes.ts";

/** What the supervisor says of itself in HOME/up.json, from readiness until its end. */
export interface UpState {
  version: string;
  url: string;
  started_at: string;
  supervisor: ProcessId;
  agent: ProcessId | null;
  server: ProcessId | null;
  driver: string | null;
  tier: number | null;
  restarts: { agent: number; server: number };
}

/** The record, or null where there is none that makes sense. Whether it still runs is the caller's question: see isAlive. */
export function readState(home: Home): UpState | null {
  const value = readJson(home.state) as Partial<UpState> | null;
  if (typeof value?.url !== "string" || !isProcessId(value.supervisor)) return null;
  return {
    version: String(value.version),
    url: value.url,
    started_at: String(value.started_at),
    supervisor: value.supervisor,
    agent: isProcessId(value.agent) ? value.agent : null,
    server: isProcessId(value.server) ? value.server : null,
    driver: typeof value.driver === "string" ? value.driver : null,
    tier: typeof value.tier === "number" ? value.tier : null,
    restarts: value.restarts ?? { agent: 0, server: 0 },
  };
}

/** A pid of 0 or 1, or a negative one, would turn a signal into a massacre. */
function isProcessId(value: unknown): value is ProcessId {
  const id = value as Partial<ProcessId> | null | undefined;
  return typeof id === "object" && id !== null && Number.isInteger(id.pid) && (id.pid as number) > 1 && typeof id.born === "string";
}
