import type { Activity, Telemetry } from "@plastron/contracts";
import { errorName } from "../calls/errors.ts";
import { PART } from "../layout.ts";
import { type EventView, partAt, text } from "./event.ts";
import { Table } from "./table.ts";

type Peer = Telemetry["network"]["peers"][number];
export type Endpoint = Extract<Activity, { to: unknown }>["to"];

const AF_UNIX = 1;
const AF_INET = 2;
const AF_INET6 = 10;

/** Whom a run wanted to reach, or to be reached as. */
export class Peers {
  readonly #table: Table<Peer>;

  constructor(bound: number) {
    this.#table = new Table(bound);
  }

  get list(): Peer[] {
    return this.#table.entries;
  }

  get dropped(): number {
    return this.#table.dropped;
  }

  take(event: EventView, kind: Peer["kind"]): void {
    const from = addressAt(event);
    if (from < 0) return;
    const to = endOf(event.bytes, from, from + event.partSize(PART.address));
    const salt = SALT[kind];
    const peer =
      this.#table.find(event.bytes, from, to, salt) ??
      this.#table.add(event.bytes, from, to, salt, () => ({ kind, to: endpointAt(event.bytes, from, to), count: 0, failures: {} }));
    if (peer === undefined) return;
    peer.count++;
    if (event.result >= 0 || event.result === -115) return;
    const name = errorName(-event.result);
    peer.failures[name] = (peer.failures[name] ?? 0) + 1;
  }
}

const SALT = { connect: 1, bind: 2, send: 3 } as const;

/** A name in a file system ends at its NUL: how much a program says that its address is long makes no other peer of it. */
function endOf(bytes: Uint8Array, from: number, to: number): number {
  if (bytes[from] !== AF_UNIX || bytes[from + 1] !== 0 || to - from <= 3 || bytes[from + 2] === 0) return to;
  for (let at = from + 2; at < to; at++) if (bytes[at] === 0) return at;
  return to;
}

/** Null where the call had no address. */
export function endpointOf(event: EventView): Endpoint | null {
  const from = addressAt(event);
  return from < 0 ? null : endpointAt(event.bytes, from, from + event.partSize(PART.address));
}

function addressAt(event: EventView): number {
  return partAt(event, PART.address, event.partSize(PART.file) > 0 ? "opened" : "asked");
}

/** A sockaddr as the program laid it, of any length: what is too short for its family is `other`. */
export function endpointAt(bytes: Uint8Array, from: number, to: number): Endpoint {
  const family = to - from >= 2 ? (bytes[from] as number) | ((bytes[from + 1] as number) << 8) : -1;
  const port = to - from >= 4 ? ((bytes[from + 2] as number) << 8) | (bytes[from + 3] as number) : 0;
  if (family === AF_INET && to - from >= 8) return { family: "inet", address: ipv4(bytes, from + 4), port };
  if (family === AF_INET6 && to - from >= 24) return { family: "inet6", address: ipv6(bytes, from + 8), port };
  if (family === AF_UNIX) return { family: "unix", address: unixPath(bytes, from + 2, to), port: 0 };
  return { family: "other", address: family < 0 ? "" : `family ${family}`, port: 0 };
}

/** A name in the abstract space begins with a NUL, which is written as @. */
function unixPath(bytes: Uint8Array, from: number, to: number): string {
  if (from >= to) return "";
  if (bytes[from] === 0) return `@${text(bytes, from + 1, to).replaceAll("\0", "@")}`;
  const end = bytes.subarray(from, to).indexOf(0);
  return text(bytes, from, end < 0 ? to : from + end);
}

export const ipv4 = (bytes: Uint8Array, at: number): string => `${bytes[at]}.${bytes[at + 1]}.${bytes[at + 2]}.${bytes[at + 3]}`;

/** As RFC 5952 writes it; an address of IPv4 that is mapped keeps its dots. */
export function ipv6(bytes: Uint8Array, at: number): string {
  const groups = Array.from({ length: 8 }, (_, index) => ((bytes[at + index * 2] as number) << 8) | (bytes[at + index * 2 + 1] as number));
  if (groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff) return `::ffff:${ipv4(bytes, at + 12)}`;
  const zeros = longestZeros(groups);
  const hex = (part: number[]) => part.map((group) => group.toString(16)).join(":");
  return zeros.length < 2 ? hex(groups) : `${hex(groups.slice(0, zeros.at))}::${hex(groups.slice(zeros.at + zeros.length))}`;
}

function longestZeros(groups: number[]): { at: number; length: number } {
  let best = { at: 0, length: 0 };
  for (let at = 0; at < 8; at++) {
    let length = 0;
    while (at + length < 8 && groups[at + length] === 0) length++;
    if (length > best.length) best = { at, length };
  }
  return best;
}
