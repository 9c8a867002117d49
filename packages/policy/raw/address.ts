/** An IPv4 or IPv6 network: `base` has no bits beyond `length`. */
export interface Network {
  family: 4 | 6;
  base: bigint;
  /** Of the prefix, in bits. */
  length: number;
}

/**
 * Text from a policy → one address, or null. Strict, so that nobody reads another address than we do: no leading zeros (which
 * some take for octal), no zone, no shortened IPv4. `::ffff:1.2.3.4` is the IPv4 address that the kernel connects to.
 */
export function parseAddress(text: string): Network | null {
  const four = parseFour(text);
  if (four !== null) return { family: 4, base: four, length: 32 };
  const six = parseSix(text);
  if (six === null) return null;
  return six >> 32n === 0xffffn ? { family: 4, base: six & 0xffffffffn, length: 32 } : { family: 6, base: six, length: 128 };
}

/** `192.168.1.1/24`, with host bits or without. A mapped IPv4 network, `::ffff:10.0.0.0/104`, is that IPv4 network. */
export function parseCidr(text: string): Network | null {
  const [, address = "", digits = ""] = /^([^/]*)\/(0|[1-9][0-9]{0,2})$/.exec(text) ?? [];
  const found = parseAddress(address);
  if (!found) return null;
  const mapped = found.family === 4 && address.includes(":");
  const length = Number(digits) - (mapped ? 96 : 0);
  const bits = found.family === 4 ? 32 : 128;
  if (length < 0 || length > bits) return null;
  const host = BigInt(bits - length);
  return { family: found.family, base: (found.base >> host) << host, length };
}

/** Canonical, with its length always: `10.0.0.1/32`, `2001:db8::/32` (RFC 5952). Equal networks have equal text. */
export function cidrText({ family, base, length }: Network): string {
  return `${family === 4 ? fourText(base) : sixText(base)}/${length}`;
}

export function addressText({ family, base }: Network): string {
  return family === 4 ? fourText(base) : sixText(base);
}

function parseFour(text: string): bigint | null {
  const parts = text.split(".");
  if (parts.length !== 4 || !parts.every((part) => /^(0|[1-9][0-9]{0,2})$/.test(part) && Number(part) <= 255)) return null;
  return parts.reduce((sum, part) => (sum << 8n) | BigInt(part), 0n);
}

function parseSix(text: string): bigint | null {
  if (text.length > 45) return null;
  const [, front = "", four] = /^(.*:)([0-9]+\.[0-9.]+)$/.exec(text) ?? [];
  const tail = four === undefined ? null : parseFour(four);
  if (four !== undefined && tail === null) return null;
  const words = tail === null ? text : `${front}${(tail >> 16n).toString(16)}:${(tail & 0xffffn).toString(16)}`;
  const halves = words.split("::");
  if (halves.length > 2) return null;
  const [left = [], right = []] = halves.map((half) => (half === "" ? [] : half.split(":")));
  const missing = 8 - left.length - right.length;
  if (halves.length === 1 ? missing !== 0 : missing < 1) return null;
  const all = [...left, ...Array<string>(halves.length === 1 ? 0 : missing).fill("0"), ...right];
  if (!all.every((word) => /^[0-9a-fA-F]{1,4}$/.test(word))) return null;
  return all.reduce((sum, word) => (sum << 16n) | BigInt(`0x${word}`), 0n);
}

function fourText(base: bigint): string {
  return [24n, 16n, 8n, 0n].map((shift) => (base >> shift) & 0xffn).join(".");
}

function sixText(base: bigint): string {
  const words = Array.from({ length: 8 }, (_, i) => ((base >> BigInt(112 - 16 * i)) & 0xffffn).toString(16));
  const runs = [
    ...words
      .map((word) => (word === "0" ? "0" : "x"))
      .join("")
      .matchAll(/0{2,}/g),
  ];
  const longest = runs.reduce<RegExpExecArray | null>((best, run) => (best && best[0].length >= run[0].length ? best : run), null);
  if (!longest) return words.join(":");
  return `${words.slice(0, longest.index).join(":")}::${words.slice(longest.index + longest[0].length).join(":")}`;
}
