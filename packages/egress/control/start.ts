import { chmodSync, readFileSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:net";
import type { Duplex } from "node:stream";
import { createSecureContext, getCACertificates } from "node:tls";
import { type FromEgress, type ToEgress, toEgressSchema } from "@plastron/contracts";
import { Names } from "../dns/resolve.ts";
import { HttpProxy } from "../http/proxy.ts";
import { serveRelay } from "../relay/connection.ts";
import { Shares } from "../relay/shares.ts";
import { Sandbox } from "../sandbox.ts";
import { Authority } from "../tls/authority.ts";
import { readLines } from "./lines.ts";

/** In the working directory, where relays look for it. */
const SOCKET = "relay.sock";
/** Of all sandboxes together, where we may have files enough. */
const MAX_CONNECTIONS = 8192;
/** One to the relay and one onward. */
const FILES_EACH = 2;
/** What the process itself and its questions for names need. */
const OWN_FILES = 128;
/** Connections that have not yet said whose they are, and questions, which are answered at once. */
const NEWCOMERS = 256;

type Start = Extract<ToEgress, { type: "start" }>;

/** Serves the driver at the other end of `control`: `start` first, then sandboxes come and go. Ends with it. */
export function serveDriver(control: Duplex): void {
  const sandboxes = new Map<string, Sandbox>();
  const tell = (message: FromEgress) => void control.write(`${JSON.stringify(message)}\n`);
  let started = false;
  control.on("close", () => process.exit(0)).on("error", () => process.exit(0));
  readLines(control, (line) => {
    const message = toEgressSchema.parse(JSON.parse(line));
    if (message.type === "start" && !started) {
      started = true;
      start(message, sandboxes).then(
        (authority) => tell({ type: "ready", authority: authority.pem }),
        (error: Error) => {
          process.stderr.write(`${error.message}\n`);
          process.exit(1);
        },
      );
    } else if (message.type === "admit") {
      const { token, network, rules, tenant } = message;
      if (!sandboxes.has(token)) sandboxes.set(token, new Sandbox(token, network, rules, tell));
      if (tenant !== null) sandboxes.get(token)?.assign(tenant);
    } else if (message.type === "assign") sandboxes.get(message.token)?.assign(message.tenant, message.secrets);
    else if (message.type === "sync") {
      const sandbox = sandboxes.get(message.token);
      tell({
        type: "synced",
        id: message.id,
        dropped: sandbox?.takeDropped() ?? 0,
        account: sandbox?.account.tell() ?? null,
      });
    } else if (message.type === "limit") sandboxes.get(message.token)?.limit(message.id, message.bytes_out);
    else if (message.type === "forget") {
      sandboxes.get(message.token)?.forget();
      sandboxes.delete(message.token);
    }
  });
}

/** The last thing that is done with the rights that we were started with is to give them up. */
async function start(options: Start, sandboxes: ReadonlyMap<string, Sandbox>): Promise<Authority> {
  const authority = new Authority(options.authority);
  const names = new Names(options.hosts);
  const trust = [...new Set([...getCACertificates("default"), ...getCACertificates("system"), ...options.trust])];
  const proxy = new HttpProxy({ names, secrets: options.secrets, trust: createSecureContext({ ca: trust, minVersion: "TLSv1.2" }) });
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: false });
  const connections = Math.max(1, Math.min(MAX_CONNECTIONS, Math.floor((openFiles() - OWN_FILES - NEWCOMERS) / FILES_EACH)));
  const shares = new Shares(connections);
  server.maxConnections = connections + NEWCOMERS;
  server.on("connection", (socket) => {
    serveRelay(socket, { find: (token) => sandboxes.get(token), shares, names, proxy, authority }).catch(() => socket.destroy());
  });
  await listen(server);
  if (options.uid !== null) becomeNobody(options.uid);
  return authority;
}

/** How many we may have open: Node raises the soft limit to the hard one when it starts (proc(5), getrlimit(2)). */
function openFiles(): number {
  const soft = /^Max open files\s+(\S+)/m.exec(readFileSync("/proc/self/limits", "utf8"))?.[1];
  return soft === "unlimited" ? Number.MAX_SAFE_INTEGER : Number(soft ?? 1024);
}

function listen(server: Server): Promise<void> {
  rmSync(SOCKET, { force: true });
  return new Promise((resolve, reject) => {
    server.once("error", reject).listen(SOCKET, 511, () => {
      chmodSync(SOCKET, 0o666); // every relay has a uid of its own; the directory keeps all others out, and the token them
      resolve();
    });
  });
}

function becomeNobody(uid: number): void {
  process.setgroups?.([]);
  process.setgid?.(uid);
  process.setuid?.(uid);
  if (process.getuid?.() !== uid || process.geteuid?.() !== uid) throw new Error(`could not become uid ${uid}`);
}
