import type { Intent } from "../orders/order.ts";
import type { Cursor } from "./bpf-lsm-layout.ts";

const PORTS_OF_ONE_ENTRY = 16;

/**
 * What follows `rule` and `flags` in struct connect_rule, once for every sixteen port ranges. IPv4 is written as IPv6
 * (::ffff:a.b.c.d), which the programs turn every address into. Throws RangeError for what is no network.
 */
export function bpfConnects({ cidr, ports }: Extract<Intent, { kind: "connect" }>): ((at: Cursor) => void)[] {
  const { address, mask } = cidr === null ? { address: Buffer.alloc(16), mask: Buffer.alloc(16) } : network(cidr);
  const groups = Array.from({ length: Math.max(1, Math.ceil(ports.length / PORTS_OF_ONE_ENTRY)) }, (_, i) =>
    ports.slice(i * PORTS_OF_ONE_ENTRY, (i + 1) * PORTS_OF_ONE_ENTRY),
  );
  return groups.map((group) => (at) => {
    at.u32(group.length).u32(0).raw(address).raw(mask);
    for (let i = 0; i < PORTS_OF_ONE_ENTRY; i++) at.u16(group[i]?.[0] ?? 0).u16(group[i]?.[1] ?? 0);
  });
}

function network(cidr: string): { address: Buffer; mask: Buffer } {
  const [text = "", length] = cidr.split("/");
  const four = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text);
  const address = four ? Buffer.from([...Array(10).fill(0), 255, 255, ...four.slice(1).map(Number)]) : six(text);
  const most = four ? 32 : 128;
  const prefix = length === undefined ? most : Number(length);
  if (!/^\d{1,3}$/.test(length ?? "0") || prefix > most || four?.slice(1).some((part) => Number(part) > 255)) throw notANetwork(cidr);
  const bits = prefix + (four ? 96 : 0);
  const mask = Buffer.from(Array.from({ length: 16 }, (_, i) => (0xff << Math.max(0, 8 - Math.max(0, bits - 8 * i))) & 0xff));
  return { address: Buffer.from(address.map((byte, i) => byte & (mask[i] as number))), mask };
}

/** RFC 4291, 2.2: one `::`, and perhaps an IPv4 address at the end. */
function six(text: string): Buffer {
  const dotted = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(text);
  const pair = (high: number, low: number) => ((high << 8) | low).toString(16);
  const plain = dotted ? `${dotted[1]}${pair(Number(dotted[2]), Number(dotted[3]))}:${pair(Number(dotted[4]), Number(dotted[5]))}` : text;
  const halves = plain.split("::");
  const [left = [], right = []] = halves.map((half) => (half === "" ? [] : half.split(":")));
  const missing = 8 - left.length - right.length;
  const groups = halves.length === 2 ? [...left, ...Array(Math.max(0, missing)).fill("0"), ...right] : left;
  if (halves.length > 2 || groups.length !== 8 || !groups.every((group) => /^[0-9a-f]{1,4}$/i.test(group))) throw notANetwork(text);
  return Buffer.from(groups.flatMap((group) => [Number.parseInt(group, 16) >> 8, Number.parseInt(group, 16) & 0xff]));
}

const notANetwork = (text: string): RangeError => new RangeError(`${JSON.stringify(text.slice(0, 60))} is no network`);
