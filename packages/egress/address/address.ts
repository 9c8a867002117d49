import { isIP } from "node:net";

/** Sixteen bytes; IPv4 as ::ffff:a.b.c.d, so that one address has one form however a program spells it. */
export type Address = Uint8Array;

/** An IPv4 or IPv6 address as text, without brackets or zone. Undefined where it is none. */
export function parseAddress(text: string): Address | undefined {
  const kind = text.includes("%") ? 0 : isIP(text);
  if (kind === 4) return mapped(text.split(".").map(Number));
  return kind === 6 ? parseV6(text) : undefined;
}

function mapped(octets: number[]): Address {
  return Uint8Array.from([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, ...octets]);
}

function parseV6(text: string): Address {
  const dotted = text.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_, a, b, c, d) => `${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`);
  const [head = "", tail] = dotted.split("::");
  const words = (part: string | undefined) => (part ? part.split(":").map((word) => Number.parseInt(word, 16)) : []);
  const [first, last] = [words(head), words(tail)];
  const all = [...first, ...Array<number>(8 - first.length - last.length).fill(0), ...last];
  return Uint8Array.from(all.flatMap((word) => [word >> 8, word & 0xff]));
}

export function isV4(address: Address): boolean {
  return address.subarray(0, 10).every((byte) => byte === 0) && address[10] === 0xff && address[11] === 0xff;
}

export function showAddress(address: Address): string {
  if (isV4(address)) return [...address.subarray(12)].join(".");
  const words = Array.from({ length: 8 }, (_, i) => (((address[2 * i] as number) << 8) | (address[2 * i + 1] as number)).toString(16));
  return new URL(`http://[${words.join(":")}]`).hostname.slice(1, -1);
}

/** `bits` counts in the sixteen bytes: an IPv4 prefix is 96 longer. */
export interface Range {
  base: Address;
  bits: number;
}

/** `10.0.0.0/8`, `2001:db8::/32`, or one address. Throws RangeError: rules were checked when the policy was compiled. */
export function parseRange(text: string): Range {
  const [address = "", length] = text.split("/");
  const base = parseAddress(address);
  if (!base) throw new RangeError(`${text} is no range of addresses`);
  const shift = isIP(address) === 4 ? 96 : 0;
  return { base, bits: length === undefined ? 128 : shift + Number(length) };
}

/** An IPv6 range never holds an IPv4 address (`::/0` is all of IPv6), unless it is written as a mapped one. */
export function contains(range: Range, address: Address): boolean {
  if (isV4(address) !== isV4(range.base)) return false;
  const whole = range.bits >> 3;
  for (let i = 0; i < whole; i++) if (range.base[i] !== address[i]) return false;
  const mask = 0xff00 >> (range.bits & 7);
  return (range.bits & 7) === 0 || ((range.base[whole] as number) & mask & 0xff) === ((address[whole] as number) & mask & 0xff);
}
