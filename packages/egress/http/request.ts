import type { IncomingMessage } from "node:http";
import { parseAddress, showAddress } from "../address/address.ts";
import { meaningsOf } from "../rules/path.ts";
import type { Destination } from "../rules/route.ts";

/** One request as it is judged and passed on. Everything in it is the program's. */
export interface Asked {
  method: string;
  /** Path and query, as sent on. */
  target: string;
  paths: string[];
  /** The name in Host, or in the request line. */
  host: string;
  port: number;
  headers: [name: string, value: string][];
}

/** Without the query. Each meaning of a path costs time that all sandboxes share. */
const MAX_PATH = 4096;

/** A request that two servers could read in two ways. `fronting`: it names two hosts, one of which would not be looked at. */
export interface Ambiguous {
  why: string;
  fronting: boolean;
}

/** No Host or two of them, a line that names another one, a path that is too long: such a request is not passed on. */
export function readRequest(request: IncomingMessage, scheme: "http" | "https"): Asked | Ambiguous {
  const headers = pairs(request.rawHeaders);
  const hosts = headers.filter(([name]) => name.toLowerCase() === "host").map(([, value]) => authority(value, scheme));
  const method = request.method ?? "";
  const [host] = hosts;
  if (hosts.length > 1)
    return ambiguous(
      "it has more than one Host",
      hosts.some((other) => other?.host !== host?.host),
    );
  if (!host) return ambiguous(hosts.length === 0 ? "it has no Host" : "its Host is no name or address");
  const line = readTarget(request.url ?? "", scheme);
  if (!line) return ambiguous("its request line is no path, and no URL of this scheme");
  const { authority: named } = line;
  if (named && (named.host !== host.host || named.port !== host.port))
    return ambiguous("its request line names another host than its Host", named.host !== host.host);
  if (line.target.replace(/\?.*$/s, "").length > MAX_PATH) return ambiguous(`its path is longer than ${MAX_PATH} characters`);
  return { method, target: line.target, paths: meaningsOf(line.target), ...host, headers };
}

const ambiguous = (why: string, fronting = false): Ambiguous => ({ why, fronting });

/** Whether the request is for the place that the connection goes to. */
export function agrees({ host, port }: Asked, destination: Destination): boolean {
  return host === destination.name && port === destination.port;
}

function readTarget(url: string, scheme: "http" | "https"): { target: string; authority?: { host: string; port: number } | undefined } | undefined {
  if (url.startsWith("/") || url === "*") return { target: url };
  const absolute = /^(https?):\/\/([^/?#]*)(.*)$/i.exec(url);
  if (!absolute || absolute[1]?.toLowerCase() !== scheme) return undefined;
  const named = authority(absolute[2] ?? "", scheme);
  const rest = absolute[3] ?? "";
  return named && { target: rest.startsWith("/") ? rest : `/${rest}`, authority: named };
}

/** `example.com`, `EXAMPLE.com.:8080`, `[::1]:80`; the port is the scheme's where none is named. */
function authority(text: string, scheme: "http" | "https"): { host: string; port: number } | undefined {
  const parts = /^(?:\[([0-9a-fA-F:.]+)\]|([A-Za-z0-9._-]{1,254}))(?::([0-9]{1,5}))?$/.exec(text);
  if (!parts) return undefined;
  const name = parts[1] ?? (parts[2] as string);
  const address = parseAddress(name);
  if (parts[1] !== undefined && !address) return undefined;
  const host = address ? showAddress(address) : name.toLowerCase().replace(/\.$/, "");
  return { host, port: parts[3] ? Number(parts[3]) : scheme === "http" ? 80 : 443 };
}

/** Of one hop only (RFC 9110, 7.6.1), with whatever the message itself names so. Transfer-Encoding is kept: Node frames by it. */
const HOP = new Set(["connection", "keep-alive", "proxy-connection", "proxy-authorization", "proxy-authenticate", "te", "trailer", "upgrade", "expect"]);

/** What goes to the other side. A field whose loss would change the message (Host, its length) is never dropped for being named. */
export function endToEnd(headers: readonly [string, string][]): [string, string][] {
  const named = headers.filter(([name]) => name.toLowerCase() === "connection").flatMap(([, value]) => value.toLowerCase().split(/\s*,\s*/));
  const keep = new Set(["host", "content-length", "transfer-encoding", "authorization", "cookie"]);
  return headers.filter(([name]) => {
    const lower = name.toLowerCase();
    return !HOP.has(lower) && (keep.has(lower) || !named.includes(lower));
  });
}

export function pairs(raw: readonly string[]): [string, string][] {
  return Array.from({ length: raw.length / 2 }, (_, i) => [raw[2 * i] as string, raw[2 * i + 1] as string]);
}
