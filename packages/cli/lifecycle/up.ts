import { rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { sendForJson } from "../client/http.ts";
import { Failure } from "../failure.ts";
import { VERSION } from "../version.ts";
import { endRemains } from "./down.ts";
import { requireFreePort } from "./free-port.ts";
import { CHECKOUT, type Home, prepareHome, readJson, writeJson } from "./home.ts";
import { lockHome } from "./lock.ts";
import { LogFile } from "./log-file.ts";
import { type PartOptions, partCommand, serverUid } from "./part-commands.ts";
import { identify, type ProcessId } from "./processes.ts";
import { makeReadable } from "./server-command.ts";
import type { UpState } from "./state.ts";
import { type Parts, Supervisor } from "./supervisor.ts";

export interface Started {
  state: UpState;
  /** The first admin key, only on the start that made it. */
  firstKey: string | null;
  notes: string[];
  stop(): Promise<void>;
}

/**
 * Starts everything and returns when it answers: takes the home's lock, checks the port, prepares the directories, starts agent
 * and server, and leaves HOME/up.json for `status` and HOME/cli.json for the local CLI.
 * Throws Failure already_running, port_in_use, start_failed, with nothing left running. `signal` gives up; `told` hears of restarts.
 */
export async function startUp(options: PartOptions, signal: AbortSignal, told: (text: string) => void): Promise<Started> {
  const uid = serverUid(options.env);
  prepareHome(options.home, uid);
  const unlock = lockHome(options.home);
  try {
    await endRemains(options.home);
    await requireFreePort(options.host, options.port, "--port");
    if (options.difyPort !== null) await requireFreePort(options.host, options.difyPort, "--dify-port");
    const opened = uid !== null && makeReadable(CHECKOUT, process.execPath);
    const notes = opened ? [`the code in ${CHECKOUT} was closed to others; uid ${uid}, which the server runs as, may read it now`] : [];
    return await startParts(options, uid, notes, { unlock, signal, told });
  } catch (error) {
    unlock();
    throw error;
  }
}

interface Around {
  unlock: () => void;
  signal: AbortSignal;
  told: (text: string) => void;
}

async function startParts(options: PartOptions, uid: number | null, notes: string[], { unlock, signal, told }: Around): Promise<Started> {
  const { home } = options;
  const logs = { agent: new LogFile(join(home.logs, "agent.log")), server: new LogFile(join(home.logs, "server.log")) };
  for (const note of notes) logs.server.note(note);
  const started = new Date().toISOString();
  const supervisor = new Supervisor({
    command: (name) => partCommand(name, options, uid),
    log: (name) => logs[name],
    told,
    healthy: (ready) => untilHealthy(urlOf(ready.url, options)),
    changed: (parts) => writeJson(home.state, stateOf(parts, options, started), 0o644),
  });
  signal.addEventListener("abort", () => void supervisor.stop(), { once: true });
  const parts = await supervisor.start();
  const state = stateOf(parts, options, started);
  const firstKey = keepKey(home, state.url, parts, options.env);
  const stop = async () => {
    await supervisor.stop();
    rmSync(home.state, { force: true });
    unlock();
  };
  return { state, firstKey, notes, stop };
}

async function untilHealthy(url: string): Promise<void> {
  for (const end = Date.now() + 20_000; ; await sleep(50)) {
    try {
      await sendForJson(url, { method: "GET", path: "/v1/health", timeoutMs: 2000 });
      return;
    } catch (error) {
      if (Date.now() > end) throw new Failure("start_failed", `the server does not become healthy: ${(error as Error).message}`);
    }
  }
}

function stateOf(parts: Parts, options: PartOptions, started_at: string): UpState {
  const { agent, server } = parts;
  return {
    version: VERSION,
    url: urlOf(server.ready?.url, options),
    started_at,
    supervisor: identify(process.pid) as ProcessId,
    agent: agent.id,
    server: server.id,
    driver: typeof agent.ready?.driver === "string" ? agent.ready.driver : null,
    tier: typeof agent.ready?.tier === "number" ? agent.ready.tier : null,
    restarts: { agent: agent.restarts, server: server.restarts },
  };
}

/** Where this machine reaches the server: an address of all interfaces is listened on, not connected to. */
function urlOf(said: unknown, { host, port }: PartOptions): string {
  if (typeof said === "string" && URL.canParse(said) && !/\/\/(0\.0\.0\.0|\[::\])/.test(said)) return said.replace(/\/+$/, "");
  const reach = host === "0.0.0.0" ? "127.0.0.1" : host === "::" ? "[::1]" : host.includes(":") ? `[${host}]` : host;
  return `http://${reach}:${port}`;
}

/** Keeps the key for the local CLI; returns it if this start made it. A later start keeps the key and renews the address. */
function keepKey(home: Home, url: string, parts: Parts, env: NodeJS.ProcessEnv): string | null {
  const made = parts.server.ready?.admin_key;
  const first = typeof made === "string" ? made : null;
  const known = (readJson(home.cli) as { key?: unknown } | null)?.key;
  const key = first ?? env.PLASTRON_ADMIN_KEY ?? (typeof known === "string" ? known : undefined);
  writeJson(home.cli, { url, ...(key ? { key } : {}) });
  return first;
}
