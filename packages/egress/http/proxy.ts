import { type Agent, createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { SecureContext } from "node:tls";
import type { ViolationEvent } from "@plastron/contracts";
import type { Names } from "../dns/resolve.ts";
import { denial, statusOf, textAnswer } from "../relay/refusal.ts";
import { type Destination, eventOf, type Route, refuse, route } from "../rules/route.ts";
import type { Refusal, Sandbox } from "../sandbox.ts";
import { NoSecret } from "../secrets/read.ts";
import { guard } from "./guard.ts";
import { mutate } from "./mutate.ts";
import { type Asked, agrees, endToEnd, readRequest } from "./request.ts";
import { agentFor, endAll, type Onward, pass, passUpgrade } from "./upstream.ts";

/** Where a connection of a program goes, and what ended its TLS. */
export interface Way {
  sandbox: Sandbox;
  destination: Destination;
  scheme: "http" | "https";
}

export interface ProxyParts {
  names: Names;
  secrets: string | null;
  /** What servers are certified by. */
  trust: SecureContext;
  /** How long the headers of one request may take to come, in milliseconds; default 15 s. */
  headersMs?: number;
}

const MALFORMED: Refusal = { id: "egress/malformed-request", path: "", why: "the request can be read in two ways, or not at all" };
const MISMATCH: Refusal = {
  id: "egress/name-mismatch",
  path: "",
  why: "its Host names another host or port than the connection was made to",
  hint: "Connect to the host that is meant, by its name: no rule can allow one host by another's name.",
};
const RELAYING: Refusal = {
  id: "egress/connect",
  path: "",
  why: "a connection through another proxy cannot be judged",
  hint: "Leave http_proxy and https_proxy unset: the sandbox's way out needs no proxy to be named.",
};
const TOO_MANY: Refusal = { id: "egress/too-many-requests", path: "", why: "too many requests of one connection, or of the sandbox, wait for their answers" };
const LEAKED: Refusal = { id: "secrets", path: "secrets", why: "the server sent a secret back in a WebSocket, where it cannot be taken out" };
/** More than any client sends ahead. Each costs us some kilobytes until it is answered, and a program decides when that is. */
const MAX_AHEAD = 32;
/** Of all connections of one sandbox: with their headers and short bodies, 50 MB of a heap that all sandboxes share. */
const MAX_WAITING = 512;

const LIMITS = { maxHeaderSize: 32_768, requestTimeout: 0, keepAliveTimeout: 60_000 };

/**
 * Judges every request of a connection by itself, and writes those that may go on anew: what the server gets was parsed here
 * (llhttp, strict) and serialised here, so that no two of them can be hidden in one. The server object never listens; connections
 * are given to it.
 */
export class HttpProxy {
  readonly #parts: ProxyParts;
  readonly #server: Server;
  readonly #ways = new WeakMap<Duplex, Way & { agent: Agent; waiting: number }>();

  constructor(parts: ProxyParts) {
    this.#parts = parts;
    const { headersMs = 15_000 } = parts;
    this.#server = createServer({
      ...LIMITS,
      headersTimeout: headersMs,
      connectionsCheckingInterval: headersMs / 5,
      requireHostHeader: false,
      insecureHTTPParser: false,
      noDelay: false,
    });
    this.#server.on("request", (request, response) => void this.#onRequest(request, response));
    this.#server.on("upgrade", (request, socket, head) => void this.#onUpgrade(request, socket, head));
    this.#server.on("connect", (request, socket) => this.#onConnect(request, socket));
    this.#server.on("clientError", (error, socket) => this.#onMalformed(error as NodeJS.ErrnoException, socket));
    /* What starts the server's own clock for slow headers. */
    this.#server.emit("listening");
  }

  serve(socket: Socket, way: Way): void {
    const agent = agentFor(way.scheme, this.#parts.trust);
    socket.once("close", () => endAll(agent));
    this.#ways.set(socket, { ...way, agent, waiting: 0 });
    this.#server.emit("connection", socket);
    socket.resume();
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  async #onRequest(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.sendDate = false;
    const way = this.#ways.get(request.socket);
    if (!way || request.socket.destroyed) return void request.socket.destroy();
    way.waiting++;
    way.sandbox.waiting++;
    response.once("close", () => {
      way.waiting--;
      way.sandbox.waiting--;
    });
    if (way.waiting > MAX_AHEAD || way.sandbox.waiting > MAX_WAITING) {
      refuse(way.sandbox, way.destination, seen(request), TOO_MANY);
      return void request.socket.destroy();
    }
    const deny = (status: number, text: string) => {
      request.resume();
      if (response.headersSent) return void response.destroy();
      response.writeHead(status, { "content-type": "text/plain; charset=utf-8", connection: "close" });
      response.end(text);
    };
    try {
      const { asked, found } = await this.#judge(request, way);
      if (!found.allowed) return deny(statusOf(found.refusal), explain(way, request, asked, found.refusal));
      await pass(request, response, await this.#onward(way, asked as Asked, found.addresses), deny);
    } catch (error) {
      deny(...failure(error));
    }
  }

  async #onUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const way = this.#ways.get(socket);
    if (!way) return void socket.destroy();
    const deny = (status: number, text: string) => void socket.end(textAnswer(status, text));
    try {
      const isWebSocket = request.headers.upgrade?.toLowerCase() === "websocket" && request.method === "GET";
      const { asked, found } = isWebSocket
        ? await this.#judge(request, way)
        : { asked: undefined, found: refuse(way.sandbox, way.destination, seen(request), MALFORMED) };
      if (!found.allowed) return deny(statusOf(found.refusal), explain(way, request, asked, found.refusal));
      passUpgrade(socket, head, await this.#onward(way, asked as Asked, found.addresses), deny);
    } catch (error) {
      deny(...failure(error));
    }
  }

  #onConnect(request: IncomingMessage, socket: Duplex): void {
    const way = this.#ways.get(socket);
    if (!way) return void socket.destroy();
    refuse(way.sandbox, way.destination, seen(request), RELAYING);
    socket.end(textAnswer(403, explain(way, request, undefined, RELAYING)));
  }

  #onMalformed(error: NodeJS.ErrnoException, socket: Duplex): void {
    const way = this.#ways.get(socket);
    if (!way || error.code === "ECONNRESET" || !socket.writable) return void socket.destroy();
    const isSlow = error.code === "ERR_HTTP_REQUEST_TIMEOUT";
    if (!isSlow) refuse(way.sandbox, way.destination, { claims: [], seen: { kind: "http", method: "", paths: [] } }, MALFORMED);
    socket.end(textAnswer(isSlow ? 408 : 400, `Plastron: ${isSlow ? "the request did not come in time" : MALFORMED.why}\n`));
  }

  async #judge(request: IncomingMessage, { sandbox, destination, scheme }: Way): Promise<{ asked: Asked | undefined; found: Route }> {
    const asked = readRequest(request, scheme);
    if ("why" in asked) {
      if (asked.fronting) sandbox.account.flag("domain_fronting");
      return { asked: undefined, found: refuse(sandbox, destination, seen(request), { ...MALFORMED, why: `${MALFORMED.why}: ${asked.why}` }) };
    }
    const what = { claims: [asked.host], seen: { kind: "http" as const, method: asked.method, paths: asked.paths } };
    if (!agrees(asked, destination)) {
      if (asked.host !== destination.name) sandbox.account.flag("domain_fronting");
      return { asked, found: refuse(sandbox, destination, what, MISMATCH) };
    }
    return { asked, found: await route(sandbox, this.#parts.names, destination, what) };
  }

  async #mutate(sandbox: Sandbox, name: string, headers: [string, string][], event: ViolationEvent): Promise<[string, string][]> {
    try {
      return await mutate(sandbox, name, headers, this.#parts.secrets);
    } catch (error) {
      if (error instanceof NoSecret) sandbox.recordRefusal({ id: "secrets", path: "secrets", why: error.message, hint: error.message }, event);
      throw error;
    }
  }

  async #onward({ sandbox, destination, scheme, agent }: Way & { agent: Agent }, asked: Asked, addresses: string[]): Promise<Onward> {
    const { names, secrets } = this.#parts;
    const event = eventOf(destination, { claims: [asked.host], seen: { kind: "http", method: asked.method, paths: asked.paths } });
    const safe = scheme === "https" || names.isFixed(destination.name);
    const clean = endToEnd(asked.headers);
    const mutated = scheme === "https" ? await this.#mutate(sandbox, destination.name, clean, event) : clean;
    const asking = { sandbox, host: destination.name, target: asked.target, headers: mutated, event, secrets, safe };
    const { target, headers, body } = await guard(asking);
    const onLeak = () => {
      sandbox.recordRefusal(LEAKED, event);
      throw new NoSecret(LEAKED.why);
    };
    return {
      method: asked.method,
      target,
      headers,
      host: addresses[0] as string,
      port: destination.port,
      name: destination.name,
      scheme,
      agent,
      body,
      vault: sandbox.vault,
      onLeak,
    };
  }
}

function seen(request: IncomingMessage) {
  return { claims: [], seen: { kind: "http" as const, method: request.method ?? "", paths: [request.url ?? ""] } };
}

function explain({ destination, scheme }: Way, { method, url }: IncomingMessage, asked: Asked | undefined, refusal: Refusal): string {
  const host = destination.port === (scheme === "http" ? 80 : 443) ? destination.name : `${destination.name}:${destination.port}`;
  const place = asked ? `${scheme}://${host}${asked.target}` : `${url} on ${scheme}://${host}`;
  return denial(`${method} ${place}`, refusal);
}

function failure(error: unknown): [status: number, text: string] {
  const known = error instanceof NoSecret;
  return [
    known ? error.status : 502,
    `Plastron: ${known ? error.message : "the request could not be passed on"}
`,
  ];
}
