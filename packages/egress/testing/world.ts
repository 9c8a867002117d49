import { mkdtempSync, rmSync } from "node:fs";
import { createServer as createHttp, type IncomingMessage, type RequestListener } from "node:http";
import { createServer as createHttps } from "node:https";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import { createSecureContext } from "node:tls";
import type { FromEgress, NetworkRules, PlacedSecret } from "@plastron/contracts";
import { parseAddress } from "../address/address.ts";
import { Names, type Resolved } from "../dns/resolve.ts";
import { slotAddress } from "../dns/stand-ins.ts";
import { HttpProxy } from "../http/proxy.ts";
import { serveRelay } from "../relay/connection.ts";
import { Shares } from "../relay/shares.ts";
import { Sandbox } from "../sandbox.ts";
import { Authority } from "../tls/authority.ts";
import { network } from "./rules.ts";

export const TOKEN = "a".repeat(64);

/** The egress process without a process, a relay without a sandbox, and servers behind it that tell what reached them. */
export interface World {
  /** A connection as the program in the sandbox has it, to a name or to an address. */
  dial(to: string, port: number, token?: string): Socket;
  sandbox: Sandbox;
  /** Another one under the same rules, of that tenant. */
  admit(token: string, tenant: string): void;
  authority: Authority;
  told: FromEgress[];
  http: number;
  https: number;
  /** `METHOD host url`, one for each request. */
  reached: string[];
  /** Says what it got, byte for byte: a server that parses nothing. */
  raw: number;
  close(): Promise<void>;
}

interface Wanted extends Partial<NetworkRules> {
  secrets?: string;
  /** In place of the servers that tell a request's headers. */
  answer?: RequestListener;
  /** In place of the server that agrees to every upgrade and repeats what it gets. */
  upgrade?: (request: IncomingMessage, socket: Duplex) => void;
  /** What the sandbox may use of them. */
  placed?: PlacedSecret[];
  resolve?: (name: string) => string[];
  /** In place of `resolve`. */
  names?: Names;
  /** How long `resolve` takes. */
  resolveMs?: number;
  headersMs?: number;
  /** Whose the sandbox is; null: nobody's yet. */
  tenant?: string | null;
  /** How many connections all sandboxes may have together. */
  connections?: number;
}

export async function world({
  secrets,
  resolve,
  resolveMs = 0,
  headersMs,
  answer,
  names: given,
  upgrade,
  placed = [],
  tenant = "acme",
  connections = 1000,
  ...rules
}: Wanted): Promise<World> {
  const directory = mkdtempSync(join(tmpdir(), "plastron-egress-world-"));
  const told: FromEgress[] = [];
  const reached: string[] = [];
  const authority = new Authority(null);
  const outer = new Authority(null);
  const sandboxes = new Map<string, Sandbox>();
  const named = Array.from({ length: 9 }, (_, i) => ({ id: `rule${i}`, path: `spec[${i}]` }));
  const admit = (token: string, owner: string | null) => {
    const made = new Sandbox(token, { ...network, ...rules }, named, (message) => told.push(message));
    if (owner !== null) made.assign(owner, placed);
    sandboxes.set(token, made);
    return made;
  };
  const sandbox = admit(TOKEN, tenant);
  const shares = new Shares(connections);
  const names = given ?? (resolve ? resolving(resolve, resolveMs) : new Names({ "api.test": "127.0.0.1", "cdn.test": "127.0.0.1", "other.test": "127.0.0.1" }));
  const trust = createSecureContext({ ca: outer.pem.certificate });
  const proxy = new HttpProxy({ names, secrets: secrets ?? null, trust, ...(headersMs === undefined ? {} : { headersMs }) });
  const relay = createServer(
    { allowHalfOpen: true },
    (socket) => void serveRelay(socket, { find: (token) => sandboxes.get(token), shares, names, proxy, authority }),
  );
  const http = createHttp();
  const https = createHttps({ SNICallback: (name, done) => done(null, outer.contextOf(name)) });
  for (const server of [http, https]) {
    server.on("request", (request, response) => {
      reached.push(`${request.method} ${request.headers.host} ${request.url}`);
      if (answer) return void answer(request, response);
      request.resume().once("end", () => response.end(JSON.stringify(request.headers)));
    });
    server.on("upgrade", (request, socket) => {
      reached.push(`UPGRADE ${request.headers.upgrade} ${request.url}`);
      if (upgrade) return upgrade(request, socket);
      socket.write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
      socket.pipe(socket);
    });
  }
  const raw = createServer((socket) => socket.on("error", () => {}).on("data", (bytes) => reached.push(bytes.toString("latin1"))));
  const open = new Set<Socket>();
  const servers: Server[] = [http, https, raw, relay];
  for (const server of servers) server.on("connection", (socket: Socket) => void open.add(socket.once("close", () => open.delete(socket))));
  await new Promise<void>((ready) => relay.listen(join(directory, "relay.sock"), ready));
  const [httpPort, httpsPort, rawPort] = (await Promise.all([http, https, raw].map(listen))) as [number, number, number];
  return {
    dial(to, port, token = TOKEN) {
      const socket = connect({ path: join(directory, "relay.sock"), allowHalfOpen: true });
      open.add(socket);
      socket.write(header(sandboxes.get(token) ?? sandbox, to, port, token));
      return socket.on("error", () => {});
    },
    sandbox,
    admit,
    authority,
    told,
    http: httpPort,
    https: httpsPort,
    raw: rawPort,
    reached,
    async close() {
      for (const socket of open) socket.destroy();
      proxy.close();
      await Promise.all(servers.map((server) => new Promise((closed) => server.close(closed))));
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

function listen(server: Server): Promise<number> {
  return new Promise((ready) => server.listen(0, "127.0.0.1", () => ready((server.address() as AddressInfo).port)));
}

/** As the relay writes it (native/relay/egress.h). */
function header(sandbox: Sandbox, to: string, port: number, token: string): Buffer {
  const bytes = Buffer.alloc(84);
  bytes.set([1, 6, port & 255, port >> 8]);
  bytes.set(parseAddress(to) ?? slotAddress(sandbox.standIns.slotOf(to) as number, 6), 4);
  bytes.write(token, 20, "latin1");
  return bytes;
}

/** Names that lead where an attacker says: nothing of it is vouched for. */
function resolving(resolve: (name: string) => string[], ms: number): Names {
  const names = new Names({});
  names.resolve = async (name): Promise<Resolved> => {
    const addresses = resolve(name).map((text) => parseAddress(text) as Uint8Array);
    if (ms > 0) await new Promise((later) => setTimeout(later, ms));
    return { addresses, fixed: false };
  };
  return names;
}

/** Says `bytes` and hears all that comes until the other side has ended, or nothing for `ms`; `cut`: it was closed without an end. */
export function talk(socket: Socket, bytes: string | Buffer, ms = 400): Promise<string> {
  return new Promise((resolve) => {
    let heard = "";
    const done = () => {
      clearTimeout(timer);
      socket.destroy();
      resolve(heard);
    };
    let timer = setTimeout(done, ms);
    socket.on("data", (chunk: Buffer) => {
      heard += chunk.toString("latin1");
      clearTimeout(timer);
      timer = setTimeout(done, ms);
    });
    socket.once("end", done).once("close", done);
    socket.write(bytes);
  });
}
