import { createHash } from "node:crypto";
import { createServer as createHttp, type IncomingMessage, type RequestListener } from "node:http";
import { createServer as createHttps } from "node:https";
import { type AddressInfo, createServer as createTcp, type Server, type Socket } from "node:net";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import type { Confinement, NetworkRules, WatchedRule } from "@plastron/contracts";
import { TYPICAL_HOST } from "@plastron/contracts";
import { Authority } from "@plastron/egress";
import { compileDefault } from "@plastron/policy";
import type { EgressOptions } from "../driver.ts";

/** The world outside of a sandbox, on this host's loopback: servers that say what they were asked, and a name for each. */
export interface Outside {
  http: number;
  https: number;
  /** Repeats bytes. */
  echo: number;
  /** The same on every address of this host. */
  wide: number;
  /** What reached the servers, in order: `METHOD host/path`, or `tcp` for the echo server. */
  readonly reached: string[];
  /** Headers of the requests among those. */
  readonly headers: IncomingMessage["headers"][];
  egress: EgressOptions;
  close(): Promise<void>;
}

const COMMAND = [process.execPath, fileURLToPath(new URL("../../egress/main.ts", import.meta.url))];
export const NAMES = ["api.test", "other.test", "cdn.test"];

/** `secrets`: where header values are read from. */
export async function outside(more: Partial<EgressOptions> = {}): Promise<Outside> {
  const reached: string[] = [];
  const headers: Outside["headers"] = [];
  const authority = new Authority(null);
  const onRequest: RequestListener = (request, response) => {
    headers.push(request.headers);
    void answer(request, reached).then(
      (send) => send(response),
      () => response.destroy(), // the program has gone
    );
  };
  const tls = {
    SNICallback: (name: string, done: (error: null, context: ReturnType<Authority["contextOf"]>) => void) => done(null, authority.contextOf(name)),
  };
  const repeat = (socket: Socket) => {
    reached.push("tcp");
    socket.on("error", () => {}).pipe(socket);
  };
  const servers: Server[] = [createHttp(onRequest), createHttps(tls as never, onRequest), createTcp(repeat), createTcp(repeat)];
  const sockets = new Set<{ destroy(): void }>();
  const ports = await Promise.all(servers.map((server, i) => listen(server, i === 3 ? "::" : "127.0.0.1", sockets)));
  const hosts = Object.fromEntries(NAMES.map((name) => [name, "127.0.0.1"]));
  return {
    http: ports[0] as number,
    https: ports[1] as number,
    echo: ports[2] as number,
    wide: ports[3] as number,
    reached,
    headers,
    egress: { command: COMMAND, hosts, trust: [authority.pem.certificate], ...more },
    async close() {
      for (const socket of sockets) socket.destroy();
      await Promise.all(servers.map((server) => new Promise((closed) => server.close(closed))));
    },
  };
}

async function listen(server: Server, host: string, sockets: Set<{ destroy(): void }>): Promise<number> {
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  await new Promise<void>((ready) => server.listen(0, host, ready));
  return (server.address() as AddressInfo).port;
}

const GIGABYTE = 1 << 30;

/** `/big` sends a gigabyte; everything else tells the request as JSON: `/gzip` compressed, `/split` a byte at a time, `/redirect?URL` sent elsewhere. */
async function answer(request: IncomingMessage, reached: string[]) {
  reached.push(`${request.method} ${request.headers.host}${request.url}`);
  const isBig = request.url === "/big";
  let bytes = 0;
  for await (const chunk of request) bytes += (chunk as Buffer).length;
  const said = JSON.stringify({ method: request.method, url: request.url, headers: request.headers, bytes });
  return (response: Parameters<RequestListener>[1]) => {
    if (request.url === "/gzip") return void response.writeHead(200, { "content-encoding": "gzip" }).end(gzipSync(`${said}\n`));
    const to = /^\/redirect\?(.*)$/.exec(request.url ?? "")?.[1];
    if (to !== undefined) return void response.writeHead(302, { location: to }).end();
    if (request.url === "/split") return void trickle(response, said);
    if (!isBig) return void response.end(`${said}\n`);
    const chunk = Buffer.alloc(1 << 20);
    let sent = 0;
    const more = () => {
      while (sent < GIGABYTE) {
        sent += chunk.length;
        if (!response.write(chunk)) return void response.once("drain", more);
      }
      response.end();
    };
    more();
  };
}

async function trickle(response: Parameters<RequestListener>[1], text: string): Promise<void> {
  for (const byte of text) {
    response.write(byte);
    await new Promise((later) => setImmediate(later));
  }
  response.end();
}

type Rule = { verdict?: "allow" | "deny" | "none"; audit?: boolean };
export interface Wanted {
  default_action?: "allow" | "deny";
  addresses?: (Rule & { cidr: string | null; ports?: [number, number][] })[];
  http?: (Rule & { hosts?: string[]; ports?: [number, number][]; paths?: [kind: "exact" | "prefix", path: string][]; methods?: string[] })[];
  mitm?: NetworkRules["mitm"];
  denied?: string[];
}

/** The default confinement with a way out. Rules are named `http[0]`, `addresses[0]`, `denied[0]` and `default`, and audit unless they say otherwise. */
export function wayOut({ default_action = "deny", addresses = [], http = [], mitm, denied = [] }: Wanted): Confinement {
  const { confinement } = compileDefault(TYPICAL_HOST);
  const rules: WatchedRule[] = [...confinement.rules];
  const rule = (id: string) => rules.push({ id, path: `spec.${id}`, enforcer: "NetworkProxy", operation: "network", subject: "" }) - 1;
  const network: NetworkRules = {
    default_action,
    default_rule: default_action === "deny" ? rule("default") : null,
    addresses: addresses.map(({ verdict = "allow", audit = true, cidr, ports = [] }, i) => ({ rule: rule(`addresses[${i}]`), verdict, audit, cidr, ports })),
    http: http.map(({ verdict = "allow", audit = true, hosts = [], ports = [], paths = [], methods = [] }, i) => ({
      rule: rule(`http[${i}]`),
      verdict,
      audit,
      match: { hosts, ports, methods, paths: paths.map(([kind, path]) => ({ kind, path })) },
    })),
    mitm: mitm ?? { domains: [], mutations: [] },
    denied: denied.map((cidr, i) => ({ rule: rule(`denied[${i}]`), audit: true, cidr, ports: [] })),
  };
  return { ...confinement, id: createHash("sha256").update(JSON.stringify(network)).digest("hex"), rules, network };
}
