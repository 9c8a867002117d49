import { sendForJson } from "../client/http.ts";
import { VERSION } from "../version.ts";
import type { Home } from "./home.ts";
import { isAlive, type ProcessId } from "./processes.ts";
import { readState, type UpState } from "./state.ts";

/** What `plastron status --json` prints. Everything but `running`, `version` and `home` is null when nothing runs. */
export interface Status {
  running: boolean;
  home: string;
  version: string;
  url: string | null;
  started_at: string | null;
  pids: { supervisor: number | null; agent: number | null; server: number | null };
  restarts: { agent: number; server: number } | null;
  tier: number | null;
  driver: string | null;
  /** "ok", or what is wrong in a word or two. */
  health: string | null;
  pools: Pool[];
}
export interface Pool {
  runtime: string;
  source: string;
  ready: number;
  target: number;
}

/** Running means that the supervisor lives; what does not work then is in `health`. */
export async function readStatus(home: Home): Promise<Status> {
  const state = readState(home);
  if (state === null || !isAlive(state.supervisor)) return notRunning(home);
  const health = await askHealth(state);
  const pid = (id: ProcessId | null) => (id && isAlive(id) ? id.pid : null);
  return {
    running: true,
    home: home.root,
    version: state.version,
    url: state.url,
    started_at: state.started_at,
    pids: { supervisor: state.supervisor.pid, agent: pid(state.agent), server: pid(state.server) },
    restarts: state.restarts,
    tier: health.tier ?? state.tier,
    driver: health.driver ?? state.driver,
    health: health.words,
    pools: health.pools,
  };
}

function notRunning(home: Home): Status {
  const pids = { supervisor: null, agent: null, server: null };
  return {
    running: false,
    home: home.root,
    version: VERSION,
    url: null,
    started_at: null,
    pids,
    restarts: null,
    tier: null,
    driver: null,
    health: null,
    pools: [],
  };
}

interface Health {
  words: string;
  tier: number | null;
  driver: string | null;
  pools: Pool[];
}

async function askHealth(state: UpState): Promise<Health> {
  try {
    return readHealth(await sendForJson<unknown>(state.url, { method: "GET", path: "/v1/health", timeoutMs: 3000 }));
  } catch (error) {
    return { words: (error as Error).message, tier: null, driver: null, pools: [] };
  }
}

function readHealth(value: unknown): Health {
  const body = (value ?? {}) as { status?: unknown; agent?: { tier?: unknown; driver?: unknown; pools?: unknown } | null };
  const agent = body.agent ?? {};
  return {
    words: typeof body.status === "string" ? body.status : "ok",
    tier: typeof agent.tier === "number" ? agent.tier : null,
    driver: typeof agent.driver === "string" ? agent.driver : null,
    pools: Array.isArray(agent.pools) ? agent.pools : [],
  };
}
