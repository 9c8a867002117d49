import { existsSync } from "node:fs";
import { join } from "node:path";
import { Failure } from "../failure.ts";
import type { ChildCommand, ChildName } from "./child.ts";
import { CHECKOUT, type Home, withCompileCache } from "./home.ts";
import { mayMount, serverCommand } from "./server-command.ts";

/** What both parts are started from. */
export interface PartOptions {
  home: Home;
  host: string;
  port: number;
  difyPort: number | null;
  env: NodeJS.ProcessEnv;
  /** The programs to run; tests put scripted ones here. */
  programs?: Record<ChildName, string>;
}

/** The command and environment of a part. `uid` is the server's, null where it stays the caller's. */
export function partCommand(name: ChildName, options: PartOptions, uid: number | null): ChildCommand {
  return name === "agent" ? agentCommand(options, uid) : commandOfServer(options, uid);
}

/** As root the server gets a uid of its own; 61300 lies outside of the ranges that Debian gives to users and to services. */
export function serverUid(env: NodeJS.ProcessEnv): number | null {
  if (process.getuid?.() !== 0) return null;
  const uid = Number(env.PLASTRON_SERVER_UID ?? 61_300);
  if (!Number.isInteger(uid) || uid < 1 || uid > 4_294_967_293) throw new Failure("invalid_request", "PLASTRON_SERVER_UID must be a uid other than 0");
  return uid;
}

function agentCommand({ home, env, programs }: PartOptions, uid: number | null): ChildCommand {
  const { PLASTRON_ADMIN_KEY: _key, PLASTRON_API_KEY: _local, DATABASE_URL: _database, API_KEY: _dify, PLASTRON_GITHUB_WEBHOOK_SECRET: _hook, ...rest } = env; // the agent is to know no secret
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

function commandOfServer({ home, host, port, difyPort, env, programs }: PartOptions, uid: number | null): ChildCommand {
  const { PLASTRON_API_KEY: _local, ...rest } = env;
  const place = {
    uid,
    checkout: CHECKOUT,
    state: [home.server, join(home.socket, "..")],
    reads: [home.advisories, env.PLASTRON_GITHUB_PRIVATE_KEY_FILE, env.PLASTRON_GITHUB_WEBHOOK_SECRET_FILE].filter(
      (path) => path?.startsWith("/") && existsSync(path),
    ) as string[],
    node: process.execPath,
    main: programs?.server ?? join(CHECKOUT, "packages/server/main.ts"),
    mayMount,
  };
  return serverCommand(place, {
    ...withCompileCache(rest),
    HOME: home.server,
    PLASTRON_HOME: home.server,
    PLASTRON_AGENT_SOCKET: home.socket,
    PLASTRON_ADVISORIES: home.advisories,
    PLASTRON_HOST: host,
    PLASTRON_PORT: String(port),
    PLASTRON_LIFELINE: "stdin",
    ...(difyPort === null ? {} : { PLASTRON_DIFY_PORT: String(difyPort) }),
  });
}
