import { rmSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { sendForJson } from "../client/http.ts";
import { Failure } from "../failure.ts";
import { VERSION } from "../version.ts";
import type { ChildCommand, ChildName } from "./child.ts";
import { endRemains } from "./down.ts";
import { CHECKOUT, type Home, prepareHome, readJson, withCompileCache, writeJson } from "./home.ts";
import { lockHome } from "./lock.ts";
import { LogFile } from "./log-file.ts";
import { identify, type ProcessId } from "./processes.ts";
import { makeReadable, serverCommand } from "./server-command.ts";
import type { UpState } from "./state.ts";
import { type Parts, Supervisor } from "./supervisor.ts";

export interface UpOptions {
  home: Home;
  host: string;
  port: number;
  difyPort: number | null;
  env: NodeJS.ProcessEnv;
  /** The programs to run; tests put scripted ones here. */
  programs?: Record<ChildName, string>;
}

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
export async function startUp(options: UpOptions, signal: AbortSignal, told: (text: string) => void): Promise<Started> {
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

async function startParts(options: UpOptions, uid: number | null, notes: string[], { unlock, signal, told }: Around): Promise<Started> {
  const { home } = options;
  const logs = { agent: new LogFile(join(home.logs, "agent.log")), server: new LogFile(join(home.logs, "server.log")) };
  for (const note of notes) logs.server.note(note);
  const started = new Date().toISOString();
  const supervisor = new Supervisor({
    command: (name) => (name === "agent" ? agentCommand(options, uid) : commandOfServer(options, uid)),
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

/** As root the server gets a uid of its own; 61300 lies outside of the ranges that Debian gives to users and to services. */
function serverUid(env: NodeJS.ProcessEnv): number | null {
  if (process.getuid?.() !== 0) return null;
  const uid = Number(env.PLASTRON_SERVER_UID ?? 61_300);
  if (!Number.isInteger(uid) || uid < 1 || uid > 4_294_967_293) throw new Failure("invalid_request", "PLASTRON_SERVER_UID must be a uid other than 0");
  return uid;
}

function agentCommand({ home, env, programs }: UpOptions, uid: number | null): ChildCommand {
  const { PLASTRON_ADMIN_KEY: _key, PLASTRON_API_KEY: _local, DATABASE_URL: _database, ...rest } = env; // the agent is to know no secret
  return {
    command: process.execPath,
    args: [programs?.agent ?? join(CHECKOUT, "packages/agent/main.ts")],
    env: {
      PLASTRON_DRAIN_MS: "1000",
      ...withCompileCache(rest),
      PLASTRON_HOME: home.agent,
      PLASTRON_AGENT_SOCKET: home.socket,
      PLASTRON_LIFELINE: "stdin",
      ...(uid === null ? {} : { PLASTRON_SERVER_UID: String(uid) }),
    },
  };
}

function commandOfServer({ home, host, port, difyPort, env, programs }: UpOptions, uid: number | null): ChildCommand {
  const { PLASTRON_API_KEY: _local, ...rest } = env;
  const place = {
    uid,
    checkout: CHECKOUT,
    state: [home.server, join(home.socket, "..")],
    node: process.execPath,
    main: programs?.server ?? join(CHECKOUT, "packages/server/main.ts"),
  };
  return serverCommand(place, {
    ...withCompileCache(rest),
    HOME: home.server,
    PLASTRON_HOME: home.server,
    PLASTRON_AGENT_SOCKET: home.socket,
    PLASTRON_HOST: host,
    PLASTRON_PORT: String(port),
    PLASTRON_LIFELINE: "stdin",
    ...(difyPort === null ? {} : { PLASTRON_DIFY_PORT: String(difyPort) }),
  });
}

/** Asks the kernel by binding: the only answer that also knows of other network namespaces and privileged ports. */
async function requireFreePort(host: string, port: number, flag: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const probe = createServer();
    probe.once("error", (error: NodeJS.ErrnoException) => reject(portFailure(error, host, port, flag)));
    probe.listen({ host, port, exclusive: true }, () => probe.close(() => resolve()));
  });
}

function portFailure(error: NodeJS.ErrnoException, host: string, port: number, flag: string): Failure {
  if (error.code === "EADDRINUSE")
    return new Failure("port_in_use", `port ${port} on ${host} is already in use`, {
      hint: `Choose another with ${flag} N, or stop the program that holds it.`,
    });
  if (error.code === "EACCES")
    return new Failure("start_failed", `this user may not listen on port ${port}`, { hint: `Choose one above 1023 with ${flag} N.` });
  return new Failure("start_failed", `cannot listen on ${host}:${port}: ${error.message}`, {
    hint: "--host takes an address of this machine, such as 127.0.0.1 or 0.0.0.0.",
  });
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

function stateOf(parts: Parts, options: UpOptions, started_at: string): UpState {
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
function urlOf(said: unknown, { host, port }: UpOptions): string {
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
