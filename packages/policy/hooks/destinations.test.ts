import { BlockList } from "node:net";
import type { HookPoint } from "@plastron/contracts";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { PortRange } from "../orders/order.ts";
import { complaints, decode, execute, type World } from "../testing/extended-bpf.ts";
import { assembleHooks, type HookRules } from "./hooks.ts";

type Connect = HookRules["connects"][number];
const WORLD: World = { pid: 4711, cgroup: 99n, comm: "python3" };
const NONE: HookRules = { connects: [], sockets: [], binds: [], devices: false };

/** An address as it is asked for, and the IPv4 address that it is a spelling of. */
interface Asked {
  text: string;
  bytes: number[];
  v4: string | null;
}

const octets = fc.tuple(
  fc.constantFrom(0, 10, 127, 169, 192),
  fc.constantFrom(0, 1, 254, 255),
  fc.constantFrom(0, 1),
  fc.constantFrom(0, 1, 2, 127, 128, 254, 255),
);
const v4 = octets.map((bytes): Asked => ({ text: bytes.join("."), bytes, v4: bytes.join(".") }));
const group = fc.constantFrom(0, 1, 2, 0xdb8, 0x2001, 0xffff);
const textOf = (groups: number[]) => groups.map((each) => each.toString(16)).join(":");
const plain6 = fc
  .tuple(fc.constantFrom(0x2001, 0xfd00, 0xfe80), ...Array.from({ length: 7 }, () => group))
  .map((groups): Asked => ({ text: textOf(groups), bytes: groups.flatMap((each) => [each >> 8, each & 255]), v4: null }));
const SPELLINGS = [
  [0, 0, 0, 0, 0, 0xffff],
  [0, 0, 0, 0, 0xffff, 0],
  [0x64, 0xff9b, 0, 0, 0, 0],
  [0, 0, 0, 0, 0, 0],
];
const spelled = fc
  .tuple(fc.constantFrom(...SPELLINGS), octets)
  .map(([prefix, bytes]): Asked => {
    const groups = [...prefix, (bytes[0] << 8) | bytes[1], (bytes[2] << 8) | bytes[3]];
    return { text: textOf(groups), bytes: groups.flatMap((each) => [each >> 8, each & 255]), v4: bytes.join(".") };
  })
  .map((asked) => (asked.text === "0:0:0:0:0:0:0:1" ? { ...asked, v4: null } : asked));
const v6 = fc.oneof(plain6, spelled);

const port = fc.constantFrom(0, 1, 79, 80, 81, 443, 8080, 65534, 65535);
const ports = fc.array(
  fc.tuple(port, port).map(([a, b]): PortRange => [Math.max(1, Math.min(a, b)), Math.max(1, a, b)]),
  { maxLength: 3 },
);
const cidr = fc.option(
  fc.oneof(
    fc.tuple(v4, fc.constantFrom(0, 1, 8, 11, 24, 31, 32)).map(([{ text }, length]) => `${text}/${length}`),
    fc.tuple(plain6, fc.constantFrom(0, 7, 31, 48, 64, 65, 96, 127, 128)).map(([{ text }, length]) => `${text}/${length}`),
    fc.constantFrom("::1", "::", "127.0.0.1", "0.0.0.0", "::ffff:10.0.0.0/104"),
  ),
);
const connects = fc.array(fc.record({ rule: fc.integer({ min: 0, max: 20 }), cidr, ports, deny: fc.boolean(), report: fc.boolean() }), { maxLength: 12 });

/** Read from the words alone: Node's own comparison of addresses, one rule after the other. */
function holds(rule: Connect, asked: Asked, at: number): boolean {
  const inPorts = rule.ports.length === 0 || rule.ports.some(([first, last]) => at >= first && at <= last);
  if (!inPorts || rule.cidr === null) return inPorts;
  const [base = "", length] = rule.cidr.replace("::ffff:10.0.0.0/104", "10.0.0.0/8").split("/");
  const list = new BlockList();
  if (length === undefined) list.addAddress(base, base.includes(":") ? "ipv6" : "ipv4");
  else list.addSubnet(base, Number(length), base.includes(":") ? "ipv6" : "ipv4");
  const isSix = (text: string) => text.includes(":");
  const covers = (text: string) => isSix(text) === isSix(base) && list.check(text, isSix(text) ? "ipv6" : "ipv4");
  if (asked.v4 === "0.0.0.0" && base.startsWith("127.")) return true;
  if (/^[0:]+$/.test(asked.text) && covers("::1")) return true;
  return covers(asked.text) || (asked.v4 !== null && covers(asked.v4));
}

/** From a bound socket 0.0.0.0 reaches what it is bound to. */
function expected(rules: readonly Connect[], asked: Asked, at: number, bound: string) {
  const reached = asked.v4 === "0.0.0.0" && bound !== "0.0.0.0" ? { ...asked, text: bound, v4: bound } : asked;
  const matching = rules.filter((rule) => holds(rule, asked, at) || holds(rule, reached, at));
  const denied = matching.some(({ deny }) => deny);
  const reported = matching.filter(({ report }) => report).toSorted((a, b) => Number(b.deny) - Number(a.deny) || a.rule - b.rule);
  return { answer: denied ? 0 : 1, rule: reported[0]?.rule ?? null };
}

/** struct bpf_sock_addr */
function contextOf(family: 4 | 6, asked: Asked, at: number): Uint8Array {
  const view = new DataView(new ArrayBuffer(72));
  asked.bytes.forEach((byte, i) => {
    view.setUint8((family === 4 ? 4 : 8) + i, byte);
  });
  view.setUint16(24, at, false);
  view.setUint32(28, family === 4 ? 2 : 10, true);
  view.setUint32(32, 1, true);
  view.setUint32(36, 6, true);
  return new Uint8Array(view.buffer);
}

function programs(rules: HookRules): Map<HookPoint, ReturnType<typeof decode>> {
  return new Map(assembleHooks(rules)?.programs.map(({ at, code }) => [at, decode(Buffer.from(code, "base64"))]) ?? []);
}

/** struct bpf_sock */
function socketAt(source: string): Uint8Array {
  const bytes = new Uint8Array(80);
  bytes.set(source.split(".").map(Number), 24);
  return bytes;
}

function run(rules: readonly Connect[], family: 4 | 6, asked: Asked, at: number, room = true, bound = "0.0.0.0", point: "connect" | "sendmsg" = "connect") {
  const program = programs({ ...NONE, connects: rules }).get(`${point}${family}`);
  if (!program) return { answer: 1, records: [], steps: 0 };
  expect(complaints(program)).toEqual([]);
  const context = contextOf(family, asked, at);
  /* Where a datagram says its own source, the socket's does not count. */
  const inMessage = point === "sendmsg" && family === 4;
  if (inMessage) context.set(bound.split(".").map(Number), 40);
  return execute(program, context, { ...WORLD, socket: socketAt(inMessage ? "0.0.0.0" : bound) }, room);
}

describe("address hooks", () => {
  it.each([
    ["connect", 4],
    ["sendmsg", 4],
    ["connect", 6],
    ["sendmsg", 6],
  ] as const)("%s%i: decide and record what a plain reading of the rules says, for any rules, address and port", (point, family) => {
    fc.assert(
      fc.property(connects, family === 4 ? v4 : v6, port, v4, (rules, asked, at, { text: bound }) => {
        const { answer, records } = run(rules, family, asked, at, true, bound, point);
        const rule = records[0] === undefined ? null : new DataView(records[0].buffer).getUint32(0, true);
        expect({ answer, rule }).toEqual(expected(rules, asked, at, bound));
        expect(records.length).toBeLessThan(2);
      }),
      { numRuns: 600 },
    );
  });

  const deny = (rule: number, of: string | null, ...given: PortRange[]): Connect => ({ rule, cidr: of, ports: given, deny: true, report: true });
  const asked4 = (text: string): Asked => ({ text, bytes: text.split(".").map(Number), v4: text });
  const mapped = (text: string): Asked => ({ text, bytes: [...Array<number>(10).fill(0), 255, 255, ...text.split(".").map(Number)], v4: text });

  it("write what was asked for, by whom, and what became of it", () => {
    const [record] = run([deny(7, "10.0.0.0/8", [443, 443])], 6, mapped("10.1.2.3"), 443).records;
    const view = new DataView((record as Uint8Array).buffer);
    const words = [0, 4, 8, 12, 16, 20, 24, 28].map((offset) => view.getUint32(offset, true));
    expect(words).toEqual([7, 1, 4711, 10, 1, 6, 443, 0]);
    expect([...(record as Uint8Array).subarray(32, 48)]).toEqual(mapped("10.1.2.3").bytes);
    expect(view.getBigUint64(48, true)).toBe(99n);
    expect(new TextDecoder().decode((record as Uint8Array).subarray(56))).toBe("python3".padEnd(16, "\0"));
  });

  it("answer the same when there is no room for the record", () => {
    expect(run([deny(0, null)], 4, asked4("10.0.0.1"), 80, false)).toMatchObject({ answer: 0, records: [] });
    expect(run([{ ...deny(0, null), deny: false }], 4, asked4("10.0.0.1"), 80, false)).toMatchObject({ answer: 1, records: [] });
  });

  it("hold for 0.0.0.0 and :: where they hold for loopback, unless told not to; never the other way round", () => {
    const answers = (rule: Connect) => [
      run([rule], 4, asked4("0.0.0.0"), 80).answer,
      run([rule], 6, { text: "::", bytes: Array(16).fill(0), v4: "0.0.0.0" }, 80).answer,
      run([rule], 4, asked4("127.0.0.1"), 80).answer,
    ];
    expect(answers(deny(0, "127.0.0.0/8"))).toEqual([0, 0, 0]);
    expect(answers({ ...deny(0, "127.0.0.0/8"), unspecified: false })).toEqual([1, 1, 0]);
    expect(answers(deny(0, "::1"))).toEqual([1, 0, 1]);
    expect(answers(deny(0, "0.0.0.0/32"))).toEqual([0, 0, 1]);
  });

  it("take few steps and a length that grows with the rules, however these lie over each other", () => {
    const nested = Array.from({ length: 2000 }, (_, i) => deny(i, `10.${i >> 3}.0.0/${8 + (i % 25)}`, [i + 1, i + 1], [i + 3, i + 9]));
    const anywhere = Array.from({ length: 500 }, (_, i) => deny(i, null, [i * 100 + 1, i * 100 + 50]));
    const lengths = [nested, [...nested, ...anywhere]].map((rules) => programs({ ...NONE, connects: rules }).get("connect6")?.length ?? 0);
    expect(lengths[0]).toBeLessThan(2000 * 40);
    expect(lengths[1]).toBeLessThan(2600 * 40);
    expect(run([...nested, ...anywhere], 4, asked4("10.0.0.1"), 444).steps).toBeLessThan(500);
  });

  it("jump over any distance, by way of islands", () => {
    const far = Array.from({ length: 6000 }, (_, i) => deny(i, `10.${i >> 8}.${i & 255}.0/24`, [i + 1, i + 1]));
    const all = programs({ ...NONE, connects: far });
    const answer = (family: 4 | 6, asked: Asked, at: number) =>
      execute(all.get(`connect${family}`) ?? [], contextOf(family, asked, at), { ...WORLD, socket: socketAt("0.0.0.0") }).answer;
    for (const program of all.values()) expect(complaints(program)).toEqual([]);
    for (const i of [0, 1, 2999, 5998, 5999]) {
      const text = `10.${i >> 8}.${i & 255}.9`;
      expect([answer(4, asked4(text), i + 1), answer(4, asked4(text), i + 2), answer(6, mapped(text), i + 1)], text).toEqual([0, 1, 0]);
    }
  });

  it("are asked of unconnected datagrams as of connections, and none are made where no rule has an effect", () => {
    const points = assembleHooks({ ...NONE, connects: [deny(0, null)] })?.programs.map(({ at }) => at);
    expect(points).toEqual(["connect4", "sendmsg4", "connect6", "sendmsg6", "sock_create"]);
    expect(assembleHooks({ ...NONE, connects: [{ ...deny(0, null), deny: false, report: false }] })).toBeNull();
    expect(assembleHooks(NONE)).toBeNull();
    expect(() => assembleHooks({ ...NONE, connects: [deny(0, "10.0.0.256")] })).toThrow("10.0.0.256 is not an address");
  });
});
