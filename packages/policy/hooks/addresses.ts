/** A range of addresses as numbers. Inclusive. */
export interface AddressRange {
  family: 4 | 6;
  first: bigint;
  last: bigint;
}

const BITS = { 4: 32, 6: 128 } as const;
/** RFC 4291 §2.5.5.2: what an IPv6 socket calls an IPv4 address. */
const MAPPED = 0xffffn << 32n;

/**
 * `192.168.1.0/24`, `2001:db8::/31`, or one address. Bits behind the prefix are of no account. IPv4-mapped prefixes become those
 * of IPv4: the kernel treats both alike. Throws RangeError, naming the text.
 */
export function parseCidr(text: string): AddressRange {
  const [address = "", prefix, ...rest] = text.split("/");
  const parsed = parseAddress(address);
  const bits = parsed && BITS[parsed.family];
  if (!parsed || !bits || rest.length > 0 || (prefix !== undefined && !/^(0|[1-9][0-9]{0,2})$/.test(prefix)) || Number(prefix ?? 0) > bits)
    throw new RangeError(`${text} is not an address or a range of addresses`);
  const size = 1n << BigInt(bits - Number(prefix ?? bits));
  const first = (parsed.value / size) * size;
  if (parsed.family === 6 && size <= 1n << 32n && first >> 32n === 0xffffn) return { family: 4, first: first - MAPPED, last: first - MAPPED + size - 1n };
  return { family: parsed.family, first, last: first + size - 1n };
}

/** Whether two ranges of the same family have an address in common. */
export function overlap(a: AddressRange, b: AddressRange): boolean {
  return a.family === b.family && a.first <= b.last && b.first <= a.last;
}

function parseAddress(text: string): { family: 4 | 6; value: bigint } | null {
  const v4 = parseV4(text);
  if (v4 !== null) return { family: 4, value: v4 };
  const v6 = parseV6(text);
  return v6 === null ? null : { family: 6, value: v6 };
}

/** Four decimal numbers without leading zeros, which others read as octal. */
function parseV4(text: string): bigint | null {
  const parts = text.split(".");
  if (parts.length !== 4 || !parts.every((part) => /^(0|[1-9][0-9]{0,2})$/.test(part) && Number(part) < 256)) return null;
  return parts.reduce((value, part) => (value << 8n) | BigInt(part), 0n);
}

function parseV6(text: string): bigint | null {
  const [left, right, ...rest] = withoutV4(text)?.split("::") ?? [];
  if (left === undefined || rest.length > 0) return null;
  const head = left === "" ? [] : left.split(":");
  const tail = right === undefined || right === "" ? [] : right.split(":");
  const missing = 8 - head.length - tail.length;
  if (right === undefined ? missing !== 0 : missing < 1) return null;
  const groups = [...head, ...Array<string>(missing).fill("0"), ...tail];
  if (!groups.every((group) => /^[0-9a-fA-F]{1,4}$/.test(group))) return null;
  return groups.reduce((value, group) => (value << 16n) | BigInt(`0x${group}`), 0n);
}

/** The last 32 bits may be written as an IPv4 address. */
function withoutV4(text: string): string | null {
  const cut = text.lastIndexOf(":");
  if (cut < 0) return null;
  const v4 = parseV4(text.slice(cut + 1));
  return v4 === null ? text : `${text.slice(0, cut + 1)}${(v4 >> 16n).toString(16)}:${(v4 & 0xffffn).toString(16)}`;
}
