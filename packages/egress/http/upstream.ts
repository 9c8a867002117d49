import { Agent, type ClientRequest, request as httpRequest, type IncomingMessage, type ServerResponse } from "node:http";
import { request as httpsRequest, Agent as TlsAgent } from "node:https";
import { type Duplex, pipeline } from "node:stream";
import type { SecureContext } from "node:tls";
import { NoSecret } from "../secrets/read.ts";
import { SwapStream } from "../secrets/stream.ts";
import type { Vault } from "../secrets/vault.ts";
import { incoming } from "./incoming.ts";
import { type BodySwaps, outgoing } from "./outgoing.ts";
import { endToEnd, pairs } from "./request.ts";

/** A request that may go on, and the address that it was allowed for. */
export interface Onward {
  method: string;
  target: string;
  headers: [string, string][];
  host: string;
  port: number;
  /** What the server must be certified as. */
  name: string;
  scheme: "http" | "https";
  agent: Agent;
  /** What is put into the body, and kept out of the answer. */
  body: BodySwaps;
  vault: Vault | null;
  /** A secret came where it cannot be taken out. Throws. */
  onLeak(): never;
}

type Deny = (status: number, text: string) => void;
const CONNECT_MS = 10_000;
const WEB_SOCKET: [string, string][] = [
  ["Connection", "Upgrade"],
  ["Upgrade", "websocket"],
];

/**
 * The one connection that a connection of a program has onward, kept while it lasts; requests that were sent ahead wait for it.
 * Never shared: what a server says too much on it must not become another tenant's answer.
 */
export function agentFor(scheme: "http" | "https", secureContext: SecureContext): Agent {
  const common = { keepAlive: true, maxSockets: 1, maxFreeSockets: 1 };
  return scheme === "http" ? new Agent(common) : new TlsAgent({ ...common, secureContext });
}

/** What waits first: an agent opens a connection anew for it as soon as the one before is closed. */
export function endAll(agent: Agent): void {
  const queues = agent.requests as Record<string, { destroy(): void }[]>;
  for (const [name, waiting] of Object.entries(queues)) {
    delete queues[name]; // an empty list would be taken for one with somebody in it
    for (const request of waiting) request.destroy();
  }
  agent.destroy();
}

/** Passes one request on and its response back, in as much memory as a few buffers. Errors: of `onward.body`. */
export async function pass(request: IncomingMessage, response: ServerResponse, onward: Onward, deny: Deny): Promise<void> {
  if (request.socket.destroyed) return; // while the name was looked up: nobody would end what is opened now
  const ready = await outgoing(request, onward.headers, onward.body);
  if (!ready || request.socket.destroyed) return;
  const up = open(onward, ready.headers);
  up.on("response", (answer) => {
    answer.on("error", () => response.destroy());
    answer.once("aborted", () => response.destroy());
    const { status, message, headers, send } = incoming(answer, withoutFraming(answer, request.method), request.method, onward.vault);
    if (!send) deny(502, uncoded(onward, answer));
    if (!send) return void up.destroy();
    response.writeHead(status, message, headers.flat());
    send(response);
  });
  up.on("upgrade", (_answer, socket) => {
    socket.destroy();
    deny(502, `Plastron: ${onward.name} changed the protocol without being asked\n`);
  });
  up.on("error", (error: NodeJS.ErrnoException) => (response.headersSent ? response.destroy() : deny(502, unreachable(onward, error))));
  response.once("close", () => up.destroy());
  request.once("aborted", () => up.destroy());
  if (Buffer.isBuffer(ready.body)) return void up.end(ready.body);
  ready.body.once("error", (error) => {
    up.destroy();
    if (error instanceof NoSecret) deny(error.status, `Plastron: ${error.message}\n`);
  });
  ready.body.pipe(up);
}

/** A WebSocket: once the server has agreed, bytes both ways. */
export function passUpgrade(socket: Duplex, head: Buffer, onward: Onward, deny: Deny): void {
  if (socket.destroyed) return;
  const up = open(onward, [...onward.headers, ...WEB_SOCKET]);
  up.on("upgrade", (answer, outside: Duplex, first: Buffer) => {
    const { vault } = onward;
    const headers = endToEnd(pairs(answer.rawHeaders)).map(([name, value]): [string, string] =>
      vault ? [vault.clean(name), vault.clean(value)] : [name, value],
    );
    socket.write(headOf(answer.statusCode, vault?.clean(answer.statusMessage ?? "") ?? answer.statusMessage, [...headers, ...WEB_SOCKET]));
    outside.write(head);
    socket.once("close", () => outside.destroy());
    outside.once("close", () => socket.destroy()).on("error", () => socket.destroy());
    outside.unshift(first);
    socket.pipe(outside);
    if (vault?.guards) pipeline([outside, new SwapStream(vault.swaps, onward.onLeak), socket], () => socket.destroy());
    else outside.pipe(socket);
  });
  up.on("response", (answer) => {
    const { status, message, headers, send } = incoming(answer, withoutFraming(answer, "GET"), "GET", onward.vault);
    if (!send) return void deny(502, uncoded(onward, answer));
    socket.write(headOf(status, message, [...headers, ["Connection", "close"]]));
    send(socket);
  });
  up.on("error", (error: NodeJS.ErrnoException) => deny(502, unreachable(onward, error)));
  socket.once("close", () => up.destroy());
  up.end();
}

function open({ method, target, host, port, name, scheme, agent }: Onward, headers: [string, string][]): ClientRequest {
  const common = { method, path: target, host, port, headers: headers.flat(), setHost: false, timeout: 600_000, agent };
  const isName = /[a-z]/.test(name) && !name.includes(":");
  const up = scheme === "http" ? httpRequest(common) : httpsRequest({ ...common, servername: isName ? name : "" });
  up.once("socket", (socket) => {
    if (!socket.connecting) return;
    const timer = setTimeout(() => up.destroy(new Error("no answer")), CONNECT_MS);
    socket.once(scheme === "http" ? "connect" : "secureConnect", () => clearTimeout(timer));
    up.once("close", () => clearTimeout(timer));
  });
  up.once("timeout", () => up.destroy(new Error("idle")));
  return up;
}

/** The server's framing is undone by the parser; Node frames the response anew where it has no length. */
function withoutFraming(answer: IncomingMessage, method: string | undefined): [string, string][] {
  const headers = endToEnd(pairs(answer.rawHeaders)).filter(([name]) => name.toLowerCase() !== "transfer-encoding");
  return method === "HEAD" ? headers : headers.filter(([name]) => name.toLowerCase() !== "content-length" || answer.headers["transfer-encoding"] === undefined);
}

function headOf(status: number | undefined, message: string | undefined, headers: [string, string][]): string {
  return `HTTP/1.1 ${status} ${message}\r\n${headers.map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n`;
}

function uncoded({ name }: Onward, { headers }: IncomingMessage): string {
  return `Plastron: ${name} answers in a coding (${headers["content-encoding"]}) in which secrets cannot be looked for\n`;
}

function unreachable({ name, port }: Onward, error: NodeJS.ErrnoException): string {
  return `Plastron: ${name}:${port} could not be reached: ${error.code ?? error.message}\n`;
}
