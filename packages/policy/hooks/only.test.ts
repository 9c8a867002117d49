import { BlockList } from "node:net";
import { SPECIAL_ADDRESSES } from "@plastron/contracts";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { PortRange } from "../orders/order.ts";
import { complaints, decode, execute, type World } from "../testing/extended-bpf.ts";
import { assembleHooks, type HookRules } from "./hooks.ts";

const WORLD: World = { pid: 1, cgroup: 2n, comm: "python3", socket: new Uint8Array(80) };
type Only = NonNullable<HookRules["only"]>;
type Allowed = Only["allowed"];

/** struct bpf_sock_addr; the address as text, an IPv4 one also as a mapped one. */
function contextOf(bytes: readonly number[], port: number): Uint8Array {
  const view = new DataView(new ArrayBuffer(72));
  bytes.forEach((byte, i) => view.setUint8((bytes.length === 4 ? 4 : 8) + i, byte));
  view.setUint16(24, port, false);
  return new Uint8Array(view.buffer);
}

const bytesOf = (text: string): number[] => {
  if (!text.includes(":")) return text.split(".").map(Number);
  const [head = "", tail] = text.split("::");
  const words = (part: string | undefined) => (part ? part.split(":").map((word) => Number.parseInt(word, 16)) : []);
  const [first, last] = [words(head), words(tail)];
  return [...first, ...Array<number>(8 - first.length - last.length).fill(0), ...last].flatMap((word) => [word >> 8, word & 255]);
};
const mapped = (text: string) => [...Array<number>(10).fill(0), 255, 255, ...bytesOf(text)];

function answers(allowed: Allowed, connects: HookRules["connects"] = []) {
  const hooks = assembleHooks({ connects, sockets: [], binds: [], devices: false, only: { rule: 9, allowed } });
  const programs = new Map(hooks?.programs.map(({ at, code }) => [at, decode(Buffer.from(code, "base64"))]));
  for (const program of programs.values()) expect(complaints(program)).toEqual([]);
  return (bytes: readonly number[], port: number, point = "connect") => {
    const { answer, records } = execute(programs.get(`${point}${bytes.length === 4 ? 4 : 6}` as never) ?? [], contextOf(bytes, port), WORLD, true);
    const rule = records[0] === undefined ? null : new DataView(records[0].buffer).getUint32(0, true);
    return { open: answer === 1, rule };
  };
}

const list = (cidrs: readonly string[]): BlockList => {
  const found = new BlockList();
  for (const cidr of cidrs) found.addSubnet(cidr.split("/")[0] as string, Number(cidr.split("/")[1]), cidr.includes(":") ? "ipv6" : "ipv4");
  return found;
};
const OWN = list(["127.0.0.0/8", "0.0.0.0/32", "::1/128", "::/128", "198.18.0.0/15", "fd70:6c61:7374:726f::/64"]);
const family = (text: string) => (text.includes(":") ? "ipv6" : "ipv4");

/** One entry after the other; a special range is open only to an entry that lies inside of it. */
function isOpen(allowed: Allowed, text: string, port: number): boolean {
  if (OWN.check(text, family(text))) return true;
  return allowed.some(({ cidr, ports }) => {
    if (!list([cidr]).check(text, family(text)) || !(ports.length === 0 || ports.some(([a, b]) => port >= a && port <= b))) return false;
    const around = SPECIAL_ADDRESSES.filter((special) => family(special) === family(text) && list([special]).check(text, family(text)));
    return around.every((special) => Number(special.split("/")[1]) <= Number(cidr.split("/")[1]));
  });
}

const octet = fc.constantFrom(0, 8, 10, 100, 127, 169, 192, 198);
const v4 = fc.tuple(octet, fc.constantFrom(0, 18, 64, 168, 254), fc.constantFrom(0, 1), fc.constantFrom(0, 1, 255)).map((bytes) => bytes.join("."));
const v6 = fc
  .tuple(fc.constantFrom("2606", "fd70", "2001", "fe80"), fc.constantFrom("6c61", "db8", "0"), fc.constantFrom("7374", "1"), fc.constantFrom("726f", "2"))
  .map((words) => `${words.join(":")}::1`);
const port = fc.constantFrom(1, 79, 80, 443, 5432, 65535);
const ports = fc.array(
  fc.tuple(port, port).map(([a, b]): PortRange => [Math.min(a, b), Math.max(a, b)]),
  { maxLength: 2 },
);
const cidr = fc.oneof(
  fc.tuple(v4, fc.constantFrom(6, 8, 12, 24, 31, 32)).map(([text, length]) => `${text}/${length}`),
  fc.tuple(v6, fc.constantFrom(16, 48, 64, 128)).map(([text, length]) => `${text}/${length}`),
);

describe("hooks that let through what is listed and nothing else", () => {
  it("decide what a plain reading of the list says, for any list, address and port, mapped or not", () => {
    fc.assert(
      fc.property(fc.array(fc.record({ cidr, ports }), { maxLength: 6 }), fc.oneof(v4, v6), port, (allowed, text, at) => {
        const open = isOpen(allowed, text, at);
        const ask = answers(allowed);
        expect(ask(bytesOf(text), at)).toEqual({ open, rule: open ? null : 9 });
        if (family(text) === "ipv4") expect(ask(mapped(text), at)).toEqual({ open, rule: open ? null : 9 });
      }),
      { numRuns: 500 },
    );
  });

  it("close every other spelling of an address, UDP as well as TCP, and sockets that ask nobody", () => {
    const ask = answers([{ cidr: "8.8.8.8/32", ports: [[443, 443]] }]);
    expect(ask(bytesOf("8.8.8.8"), 443).open).toBe(true);
    for (const point of ["connect", "sendmsg"]) {
      for (const text of ["8.8.8.9", "169.254.169.254", "10.0.0.1", "255.255.255.255", "2606::1", "64:ff9b::808:808", "::808:808", "::ffff:0:808:808"])
        expect(ask(bytesOf(text), 443, point), text).toEqual({ open: false, rule: 9 });
      expect(ask(bytesOf("8.8.8.8"), 53, point).open).toBe(false);
      expect(ask(mapped("8.8.8.8"), 443, point).open).toBe(true);
    }
    const points = assembleHooks({ connects: [], sockets: [], binds: [], devices: false, only: { rule: 9, allowed: [] } })?.programs.map(({ at }) => at);
    expect(points).toEqual(["connect4", "sendmsg4", "connect6", "sendmsg6", "sock_create"]);
  });

  it("leave what other rules deny denied, by their own name", () => {
    const metadata = { rule: 3, cidr: "8.8.4.4/32", ports: [], deny: true, report: true };
    const ask = answers([{ cidr: "8.8.0.0/16", ports: [] }], [metadata]);
    expect([ask(bytesOf("8.8.4.4"), 80), ask(bytesOf("8.8.4.5"), 80), ask(bytesOf("9.9.9.9"), 80)]).toEqual([
      { open: false, rule: 3 },
      { open: true, rule: null },
      { open: false, rule: 9 },
    ]);
  });
});
