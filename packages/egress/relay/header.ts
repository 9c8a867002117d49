import { EGRESS_HEADER } from "@plastron/contracts";
import { type Address, showAddress } from "../address/address.ts";
import type { Destination } from "../rules/route.ts";
import type { Sandbox } from "../sandbox.ts";

/** What the relay says at the head of a connection (packages/sandbox/native/relay/egress.h). */
export interface Header {
  token: string;
  protocol: "tcp" | "dns";
  address: Address;
  port: number;
}

/** Undefined for anything else: whoever sent it is no relay. */
export function readHeader(bytes: Buffer): Header | undefined {
  const protocol = bytes[1] === 6 ? "tcp" : "dns";
  if (bytes.length !== EGRESS_HEADER || bytes[0] !== 1 || (bytes[1] !== 6 && bytes[1] !== 17)) return undefined;
  return { token: bytes.toString("latin1", 20), protocol, address: bytes.subarray(4, 20), port: bytes.readUInt16LE(2) };
}

/** Undefined for one of our own addresses that stands for nothing: a guess, or one of before a restart. */
export function destinationOf(sandbox: Sandbox, { address, port }: Header): Destination | undefined {
  const name = sandbox.standIns.nameOf(address);
  if (name === null) return undefined;
  return name === undefined ? { name: showAddress(address), literal: Uint8Array.from(address), port } : { name, literal: null, port };
}
