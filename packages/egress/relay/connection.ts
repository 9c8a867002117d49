import type { Socket } from "node:net";
import { EGRESS_HEADER } from "@plastron/contracts";
import { showAddress } from "../address/address.ts";
import { answerQuestion } from "../dns/answer.ts";
import type { Names } from "../dns/resolve.ts";
import type { HttpProxy } from "../http/proxy.ts";
import { isEnded, judge, needsLook } from "../rules/judge.ts";
import { type Destination, type Route, refuse, route } from "../rules/route.ts";
import type { Refusal, Sandbox } from "../sandbox.ts";
import type { Authority } from "../tls/authority.ts";
import { endTls } from "../tls/end.ts";
import { destinationOf, readHeader } from "./header.ts";
import { type Look, look } from "./look.ts";
import { refuseHttp, refuseTls } from "./refusal.ts";
import type { Shares } from "./shares.ts";
import { endsBeforeClosing, readExactly } from "./socket.ts";
import { splice, spliceGreeted } from "./splice.ts";

/** What connections need beside their own sandbox. */
export interface Services {
  find(token: string): Sandbox | undefined;
  /** One for each connection, so that no tenant's fill the process. */
  shares: Shares;
  names: Names;
  proxy: HttpProxy;
  authority: Authority;
}

const HEADER_MS = 5000;
/** A program that says nothing may be waiting for the server's greeting, where all that it says is allowed. */
const SILENT_MS = 1000;
const LOOK_MS = 15_000;
/** So long may one who was denied take to say what is to be answered. */
const COURTESY_MS = 300;

/** Serves one connection of a relay to its end. A connection that is closed without having been ended is seen as a reset. */
export async function serveRelay(socket: Socket, services: Services): Promise<void> {
  socket.on("error", () => socket.destroy());
  endsBeforeClosing(socket);
  const bytes = await readExactly(socket, EGRESS_HEADER, HEADER_MS);
  const header = bytes && readHeader(bytes);
  const sandbox = header && services.find(header.token);
  if (!header || !sandbox || socket.closed) return void socket.destroy();
  const destination = destinationOf(sandbox, header);
  const dialled = { address: showAddress(header.address), port: header.port, host: destination && !destination.literal ? destination.name : null };
  sandbox.hold(socket, header.protocol === "dns" ? null : dialled);
  if (header.protocol === "dns") return serveQuestion(socket, sandbox);
  if (sandbox.isSpent) return void socket.destroy();
  if (!destination) return void socket.destroy();
  const leave = services.shares.take(sandbox.owner);
  if (!leave) refuse(sandbox, destination, STREAM, TOO_MANY);
  if (!leave) return void socket.destroy();
  socket.once("close", leave);
  await serveStream(socket, sandbox, destination, services);
}

async function serveQuestion(socket: Socket, sandbox: Sandbox): Promise<void> {
  const length = await readExactly(socket, 2, HEADER_MS);
  const packet = length && (await readExactly(socket, length.readUInt16LE(0), HEADER_MS));
  const answer = packet && answerQuestion(sandbox, packet);
  if (!answer) return void socket.destroy();
  const size = Buffer.alloc(2);
  size.writeUInt16LE(answer.length);
  socket.end(Buffer.concat([size, answer]));
}

/** Looked into only where what is inside can change the verdict. */
async function serveStream(socket: Socket, sandbox: Sandbox, destination: Destination, services: Services): Promise<void> {
  const looks = needsLook(sandbox.rules, destination.name, destination.port);
  if (!looks) {
    const found = await route(sandbox, services.names, destination, STREAM);
    return found.allowed ? splice(socket, found.addresses, destination.port) : explainRefusal(socket, destination, found.refusal);
  }
  let seen: Look = await look(socket, patience(sandbox, destination), LOOK_MS);
  if (seen.kind === "silent") {
    const found = await route(sandbox, services.names, destination, STREAM);
    if (!found.allowed) return void socket.destroy();
    if (!(await spliceGreeted(socket, found.addresses, destination.port))) return;
    seen = await look(socket, null, LOOK_MS);
  }
  await serveSeen(seen, socket, sandbox, destination, services);
}

async function serveSeen(seen: Look, socket: Socket, sandbox: Sandbox, destination: Destination, services: Services): Promise<void> {
  const { rules } = sandbox;
  const settle = (found: Route) => {
    if (found.allowed) return splice(socket, found.addresses, destination.port);
    return seen.kind === "tls" ? refuseTls(socket, found.refusal) : void socket.destroy();
  };
  if (seen.kind === "gone" || seen.kind === "silent") return void socket.destroy();
  if (seen.kind === "http") return services.proxy.serve(socket, { sandbox, destination, scheme: "http" });
  if (seen.kind === "bad") return settle(refuse(sandbox, destination, STREAM, { id: "egress/malformed-hello", path: "", why: seen.why }));
  if (seen.kind === "stream") return settle(await route(sandbox, services.names, destination, STREAM));
  /* A literal address is certified for no name: there is none to be agreed with. */
  const claims = seen.name === null ? (destination.literal ? [] : [""]) : [seen.name];
  const what = { claims, seen: { kind: "tls" as const } };
  if (seen.encrypted) return settle(refuse(sandbox, destination, what, ENCRYPTED));
  if (claims.some((claim) => claim !== "" && claim !== destination.name)) {
    sandbox.account.flag("domain_fronting");
    return settle(refuse(sandbox, destination, what, MISMATCH));
  }
  if (!isEnded(rules, destination.name)) return settle(await route(sandbox, services.names, destination, what));
  if (claims[0] !== destination.name) return settle(refuse(sandbox, destination, what, MISMATCH));
  const clear = await endTls(socket, services.authority, destination.name);
  if (clear) services.proxy.serve(clear, { sandbox, destination, scheme: "https" });
}

/** What is denied before anything of it was seen: whoever speaks HTTP is told why, whoever speaks TLS that it was refused. */
async function explainRefusal(socket: Socket, destination: Destination, refusal: Refusal): Promise<void> {
  const seen = await look(socket, COURTESY_MS, COURTESY_MS);
  if (seen.kind === "http") refuseHttp(socket, destination, refusal);
  else if (seen.kind === "tls") refuseTls(socket, refusal);
  else socket.destroy();
}

const TOO_MANY = { id: "egress/too-many-connections", path: "", why: "the tenant's sandboxes have as many connections as they may have together" };
const STREAM = { claims: [], seen: { kind: "stream" as const } };
const MISMATCH = { id: "egress/name-mismatch", path: "", why: "TLS asks for another name than the connection was made to" };
const ENCRYPTED = { id: "egress/encrypted-hello", path: "", why: "a hello whose name is encrypted cannot be judged" };

/** How long silence is waited out before the server may begin; null: it never may. */
function patience({ rules }: Sandbox, { name, literal, port }: Destination): number | null {
  const verdict = judge(rules, { name, claims: [], address: literal, port, seen: { kind: "stream" } });
  const byAddress = rules.addresses.some(({ verdict: kind }) => kind === "allow");
  return verdict.allowed || verdict.needsAddress || (!verdict.final && byAddress) ? SILENT_MS : null;
}
