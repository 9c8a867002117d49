import { isAbsolute, join, resolve } from "node:path";
import { PlastronError, type Runtime, runtimeSchema } from "@plastron/contracts";

/** Everything the daemon takes from its environment; nothing else is configurable. */
export interface AgentConfig {
  /** Unix socket that the server speaks to. Absolute. */
  socket: string;
  /** Owner of the socket and its directory; the agent's own uid where none is named. */
  serverUid: number;
  /** Where the driver keeps what it must be able to reclaim. Absolute, owned by the agent, never by the server. */
  stateHome: string;
  driver: "local" | "bubblewrap" | undefined;
  warm: Partial<Record<Runtime, number>>;
  maxRunning: number | undefined;
  maxQueued: number | undefined;
  uidBase: number | undefined;
  /** How long SIGTERM waits for runs to end by themselves, in milliseconds. */
  drainMs: number;
  /** The operator's consent: policies may lift what the platform denies by itself (HostFacts.permissive). */
  permissive: boolean;
  /** The operator's file of names and addresses of a cluster (clusterSchema). Absolute. */
  clusterAddresses: string | undefined;
  /** Directory of TENANT/NAME/KEY files for the egress process, which must be able to read them; the agent never does. Absolute. */
  secrets: string | undefined;
  /** Hosts that a registry of packages keeps archives on, besides its own. */
  archiveHosts: string[];
  /** Files of the operator's for the way out (egress-files.ts): names for addresses, and certificates. Absolute. */
  egressHosts: string | undefined;
  egressTrust: string | undefined;
  /** Whether runs may ask for a network beyond what their policy gives. */
  runNetwork: "allow" | "deny";
  /** Exit when standard input closes: the parent that holds its other end is gone. */
  lifeline: boolean;
}

const DEFAULT_WARM: Partial<Record<Runtime, number>> = { python3: 2, nodejs: 1, bash: 1 };

/**
 * PLASTRON_HOME (default ./.plastron), PLASTRON_AGENT_SOCKET, PLASTRON_SERVER_UID, PLASTRON_DRIVER, PLASTRON_WARM
 * (`python3=4,nodejs=2`; a runtime that is not named gets none), PLASTRON_MAX_RUNNING, PLASTRON_MAX_QUEUED,
 * PLASTRON_UID_BASE, PLASTRON_DRAIN_MS, PLASTRON_LIFELINE=stdin, PLASTRON_PERMISSIVE=1, PLASTRON_CLUSTER_ADDRESSES=FILE,
 * PLASTRON_EGRESS_SECRETS=DIRECTORY, PLASTRON_EGRESS_HOSTS=FILE, PLASTRON_EGRESS_TRUST=FILE, PLASTRON_RUN_NETWORK=allow|deny,
 * PLASTRON_PACKAGE_HOSTS (`files.example.com,cdn.example.com`). How pip and npm are configured is read
 * as they read it, from their own variables and files.
 * Throws PlastronError invalid_request that names the variable.
 */
export function readConfig(env: Record<string, string | undefined>, ownUid: number): AgentConfig {
  const home = resolve(env.PLASTRON_HOME || ".plastron");
  const socket = env.PLASTRON_AGENT_SOCKET || join(home, "agent", "agent.sock");
  // sockaddr_un holds 108 bytes with the closing NUL; the kernel's own message for a longer path is "invalid argument".
  if (!isAbsolute(socket) || Buffer.byteLength(socket) > 107) throw wrong("PLASTRON_AGENT_SOCKET", "an absolute path of at most 107 bytes");
  return {
    socket,
    serverUid: integer(env, "PLASTRON_SERVER_UID", 0) ?? ownUid,
    stateHome: join(home, "sandboxes"),
    driver: driverName(env.PLASTRON_DRIVER),
    warm: env.PLASTRON_WARM === undefined ? DEFAULT_WARM : parseWarm(env.PLASTRON_WARM),
    maxRunning: integer(env, "PLASTRON_MAX_RUNNING", 1),
    maxQueued: integer(env, "PLASTRON_MAX_QUEUED", 0),
    uidBase: integer(env, "PLASTRON_UID_BASE", 1),
    permissive: yes(env, "PLASTRON_PERMISSIVE"),
    clusterAddresses: absolute(env, "PLASTRON_CLUSTER_ADDRESSES"),
    secrets: absolute(env, "PLASTRON_EGRESS_SECRETS"),
    archiveHosts: hostNames(env, "PLASTRON_PACKAGE_HOSTS"),
    egressHosts: absolute(env, "PLASTRON_EGRESS_HOSTS"),
    egressTrust: absolute(env, "PLASTRON_EGRESS_TRUST"),
    runNetwork: runNetwork(env.PLASTRON_RUN_NETWORK),
    drainMs: integer(env, "PLASTRON_DRAIN_MS", 0) ?? 10_000,
    lifeline: env.PLASTRON_LIFELINE === "stdin",
  };
}

function driverName(value: string | undefined): AgentConfig["driver"] {
  if (value === undefined || value === "") return undefined;
  if (value === "local" || value === "bubblewrap") return value;
  throw wrong("PLASTRON_DRIVER", "local or bubblewrap");
}

function runNetwork(value: string | undefined): AgentConfig["runNetwork"] {
  if (value === undefined || value === "" || value === "allow") return "allow";
  if (value === "deny") return "deny";
  throw wrong("PLASTRON_RUN_NETWORK", "allow or deny");
}

function parseWarm(value: string): Partial<Record<Runtime, number>> {
  const warm: Partial<Record<Runtime, number>> = {};
  for (const part of value.split(",").filter((text) => text.trim() !== "")) {
    const [name, count, ...rest] = part.split("=").map((text) => text.trim());
    const runtime = runtimeSchema.safeParse(name);
    if (!runtime.success || rest.length > 0 || !/^\d{1,3}$/.test(count ?? "")) throw wrong("PLASTRON_WARM", "like python3=4,nodejs=2");
    warm[runtime.data] = Number(count);
  }
  return warm;
}

function integer(env: Record<string, string | undefined>, name: string, min: number): number | undefined {
  const value = env[name];
  if (value === undefined || value === "") return undefined;
  if (!/^\d{1,10}$/.test(value) || Number(value) < min) throw wrong(name, `a whole number of at least ${min}`);
  return Number(value);
}

/** A consent must not be a misunderstanding: nothing but 1 means yes, and what is neither yes nor no is an error. */
function yes(env: Record<string, string | undefined>, name: string): boolean {
  const value = env[name] ?? "";
  if (!["", "0", "1"].includes(value)) throw wrong(name, "1 or 0");
  return value === "1";
}

function hostNames(env: Record<string, string | undefined>, name: string): string[] {
  const hosts = (env[name] ?? "")
    .split(",")
    .map((host) => host.trim().toLowerCase())
    .filter(Boolean);
  if (hosts.some((host) => !/^([a-z0-9_-]{1,63}\.)*[a-z0-9_-]{1,63}$/.test(host))) throw wrong(name, "names of hosts with commas between them");
  return hosts;
}

function absolute(env: Record<string, string | undefined>, name: string): string | undefined {
  const value = env[name];
  if (value === undefined || value === "") return undefined;
  if (!isAbsolute(value)) throw wrong(name, "an absolute path");
  return value;
}

function wrong(name: string, expected: string): PlastronError {
  return new PlastronError("invalid_request", `${name} must be ${expected}`, { hint: `Set ${name} or unset it.` });
}
