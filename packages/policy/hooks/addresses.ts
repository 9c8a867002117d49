import { parseAddress, parseCidr } from "../raw/address.ts";

/** A range of addresses as numbers. Inclusive. */
export interface AddressRange {
  family: 4 | 6;
  first: bigint;
  last: bigint;
}

const BITS = { 4: 32, 6: 128 } as const;

/** `192.168.1.0/24`, or one address; IPv4-mapped ones are those of IPv4. Throws RangeError, naming the text. */
export function rangeOf(text: string): AddressRange {
  const network = text.includes("/") ? parseCidr(text) : parseAddress(text);
  if (!network) throw new RangeError(`${text} is not an address or a range of addresses`);
  const { family, base, length } = network;
  return { family, first: base, last: base + (1n << BigInt(BITS[family] - length)) - 1n };
}

/** Whether two ranges of the same family have an address in common. */
export function overlap(a: AddressRange, b: AddressRange): boolean {
  return a.family === b.family && a.first <= b.last && b.first <= a.last;
}
