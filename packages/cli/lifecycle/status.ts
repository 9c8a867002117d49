import type { AgentStatus } from "@plastron/contracts";
import { sendForJson } from "../client/http.ts";
import { VERSION } from "../version.ts";
import { type Home, readJson } from "./home.ts";
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
  /** The file that violations are copied to; null where the server does not say. */
  violations_log: { path: string; written: number; lost: number; error: string | null } | null;
}
export type Pool = AgentStatus["pools"][number];

/** Running means that the supervisor lives; what does not work then is in `health`. */
export async function readStatus(home: Home): Promise<Status> {
  const state = readState(home);
  if (state === null || !isAlive(state.supervisor)) return notRunning(home);
  const [health, agent] = await Promise.all([askHealth(state), askAgent(home, state)]);
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
    driver: state.driver,
    health: health.words,
    ...agent,
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
    ...NOTHING_KNOWN,
  };
}

interface Health {
  words: string;
  tier: number | null;
}

/** `/v1/health` answers 503 with the same document when something is wrong. It needs no key. */
async function askHealth(state: UpState): Promise<Health> {
  try {
    const found = await sendForJson<Record<string, unknown>>(state.url, { method: "GET", path: "/v1/health", timeoutMs: 3000, alsoGood: [503] });
    const wrong = ["database", "agent"].filter((part) => typeof found[part] === "string" && found[part] !== "ok").map((part) => `${part} ${found[part]}`);
    return { words: [String(found.status ?? "ok"), ...wrong].join(", "), tier: typeof found.tier === "number" ? found.tier : null };
  } catch (error) {
    return { words: (error as Error).message, tier: null };
  }
}

const NOTHING_KNOWN: Pick<Status, "pools" | "violations_log"> = { pools: [], violations_log: null };

/** The warm pools and the log are the operator's to see: with the local key, or not at all. */
async function askAgent(home: Home, state: UpState): Promise<typeof NOTHING_KNOWN> {
  const key = (readJson(home.cli) as { key?: unknown } | null)?.key;
  if (typeof key !== "string") return NOTHING_KNOWN;
  try {
    const found = await sendForJson<Partial<typeof NOTHING_KNOWN>>(state.url, { method: "GET", path: "/v1/status", key, timeoutMs: 3000 });
    return { pools: Array.isArray(found.pools) ? found.pools : [], violations_log: found.violations_log ?? null };
  } catch {
    return NOTHING_KNOWN; // what is wrong is in `health`
  }
}
