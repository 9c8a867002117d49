import type { Socket } from "node:net";
import type { Destination } from "../rules/route.ts";
import type { Refusal } from "../sandbox.ts";

/** A fatal alert, access_denied (RFC 8446, 6): `tlsv1 alert access denied` to whoever uses OpenSSL, where a reset says nothing. */
const ACCESS_DENIED = Buffer.from([21, 3, 3, 0, 2, 2, 49]);
/** unrecognized_name: the name is not forbidden, but leads nowhere. */
const UNRECOGNIZED_NAME = Buffer.from([21, 3, 3, 0, 2, 2, 112]);

/** Ends a connection whose hello has come, and was refused. */
export function refuseTls(socket: Socket, { isMissing }: Refusal): void {
  socket.resume().end(isMissing ? UNRECOGNIZED_NAME : ACCESS_DENIED);
}

/** Ends a connection on which a request begins that was not looked at, because nothing in it could have allowed it. */
export function refuseHttp(socket: Socket, { name, port }: Destination, refusal: Refusal): void {
  socket.resume().end(textAnswer(statusOf(refusal), denial(`a connection to ${name}:${port}`, refusal)));
}

/** Of an answer that says so: a server that is not there is no "Forbidden". */
export function statusOf({ isMissing }: Refusal): 403 | 502 {
  return isMissing ? 502 : 403;
}

/** What a person reads: what was tried, the rule as it stands in the record, and what would allow it. */
export function denial(what: string, { id, path, why, hint, isMissing }: Refusal): string {
  const reason = path === "" && why !== id && !why.startsWith(id) ? `${id}: ${why}` : why;
  return `Plastron: ${what} ${isMissing ? "cannot be reached" : "was denied"}: ${reason}\n${hint === undefined ? "" : `${hint}\n`}`;
}

const REASONS: Record<number, string> = { 400: "Bad Request", 403: "Forbidden", 408: "Request Timeout", 502: "Bad Gateway" };

/** A whole answer, for connections that no server object has (any more). */
export function textAnswer(status: number, text: string): string {
  const head = `HTTP/1.1 ${status} ${REASONS[status] ?? "Error"}\r\nContent-Type: text/plain; charset=utf-8\r\n`;
  return `${head}Content-Length: ${Buffer.byteLength(text)}\r\nConnection: close\r\n\r\n${text}`;
}
