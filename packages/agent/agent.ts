import { createServer, type Server, type Socket } from "node:net";
import type { AgentStatus, DoctorReport, HostFacts, Tier } from "@plastron/contracts";
import type { SandboxDriver } from "@plastron/sandbox";
import { serveConnection } from "./connection.ts";
import { sessionRegistry } from "./sessions.ts";
import { bindPrivately } from "./socket.ts";

/** What the daemon is made of; main.ts is where the real ones are put in. */
export interface AgentParts {
  driver: SandboxDriver;
  doctor(): Promise<DoctorReport>;
  /** Of the driver that would run `minTier`, with the operator's consent and cluster in them. */
  hostFacts(minTier: Tier): Promise<HostFacts>;
  /** The operator lets policies lift what the platform denies by itself. */
  permissive: boolean;
  /** Whether runs may ask for a network beyond what their policy gives. */
  runNetwork: "allow" | "deny";
  /** What the driver was given to see with; it outlives the driver. */
  sensor?: { close(): Promise<void> } | undefined;
  log(message: string, fields?: Record<string, unknown>): void;
}

export interface Agent {
  status(): AgentStatus;
  /**
   * Refuses new work, waits up to `drainMs` for what runs, then kills the rest, closes sessions and driver.
   * Calling it again with less time shortens the wait.
   */
  close(drainMs: number): Promise<void>;
}

/**
 * Listens on `socket` for the uid `serverUid`, then makes the parts. In this order, because a driver that opens reclaims what a
 * dead agent left: a second agent must find out that the first one lives before it takes that one's sandboxes for leftovers.
 * Connections that come in between wait. Errors: see bindPrivately, and those of `makeParts`.
 */
export async function startAgent(makeParts: () => Promise<AgentParts>, at: { socket: string; serverUid: number }): Promise<Agent> {
  const early: Socket[] = [];
  let accept = (socket: Socket): void => void early.push(socket);
  const server = createServer((socket) => accept(socket));
  await bindPrivately(server, at.socket, at.serverUid);
  try {
    const running = runningAgent(server, await makeParts());
    accept = running.accept;
    early.forEach(accept);
    return running;
  } catch (error) {
    server.close();
    for (const socket of early) socket.destroy();
    throw error;
  }
}

function runningAgent(server: Server, parts: AgentParts): Agent & { accept(socket: Socket): void } {
  const sessions = sessionRegistry(parts.driver);
  const open = new Map<Socket, Promise<void>>();
  let closing: Promise<void> | undefined;
  let hurry: () => void = () => {};

  const status = (): AgentStatus => ({ pid: process.pid, ...parts.driver.status(), sessions: sessions.size });
  const services = {
    driver: parts.driver,
    sessions,
    doctor: sharedFlight(parts.doctor),
    hostFacts: parts.hostFacts,
    permissive: parts.permissive,
    runNetwork: parts.runNetwork,
    status,
    draining: () => closing !== undefined,
    log: parts.log,
  };

  async function drain(ms: number): Promise<void> {
    server.close();
    const quiet = Promise.all(open.values());
    await Promise.race([quiet, after(ms), new Promise<void>((resolve) => (hurry = resolve))]);
    for (const socket of open.keys()) socket.destroy();
    await Promise.all(open.values());
    await sessions.closeAll("the agent is shutting down");
    await parts.driver.close();
    await parts.sensor?.close();
  }

  return {
    status,
    accept(socket) {
      const served = serveConnection(socket, services).finally(() => open.delete(socket));
      open.set(socket, served);
    },
    close(ms) {
      if (closing) void after(ms).then(hurry);
      closing ??= drain(ms);
      return closing;
    },
  };
}

function after(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref());
}

/** Callers that come while one call is running get that call's answer: probing the host twice at once helps nobody. */
function sharedFlight<T>(call: () => Promise<T>): () => Promise<T> {
  let running: Promise<T> | undefined;
  return () => {
    running ??= call().finally(() => {
      running = undefined;
    });
    return running;
  };
}
