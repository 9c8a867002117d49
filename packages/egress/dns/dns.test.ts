import type { FromEgress } from "@plastron/contracts";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseAddress, showAddress } from "../address/address.ts";
import { Sandbox } from "../sandbox.ts";
import { network } from "../testing/rules.ts";
import { answerQuestion } from "./answer.ts";
import { readQuestion } from "./message.ts";
import { StandIns, slotAddress } from "./stand-ins.ts";

function question(name: string, type = 1, more: { flags?: number; count?: number; tail?: Buffer } = {}): Buffer {
  const head = Buffer.alloc(12);
  head.writeUInt16BE(0xbeef, 0);
  head.writeUInt16BE(more.flags ?? 0x0100, 2);
  head.writeUInt16BE(more.count ?? 1, 4);
  const labels = name.split(".").flatMap((label) => [Buffer.from([label.length]), Buffer.from(label, "latin1")]);
  const rest = Buffer.from([0, 0, type, 0, 1]);
  return Buffer.concat([head, ...labels, rest, more.tail ?? Buffer.alloc(0)]);
}

function sandbox(): { box: Sandbox; told: FromEgress[] } {
  const told: FromEgress[] = [];
  const http = [{ rule: 0, verdict: "allow" as const, audit: false, match: { hosts: ["*.api.test"], ports: [], paths: [], methods: [] } }];
  return { box: new Sandbox("t", { ...network, http }, [{ id: "default", path: "" }], (message) => told.push(message)), told };
}

const code = (answer: Uint8Array | undefined) => ((answer as Uint8Array)[3] as number) & 15;
const count = (answer: Uint8Array | undefined) => Buffer.from(answer as Uint8Array).readUInt16BE(6);

describe("a question for a name", () => {
  it("that could be allowed gets an address that stands for it, in both families, and the same again", () => {
    const { box } = sandbox();
    const four = Buffer.from(answerQuestion(box, question("V1.Api.test")) as Uint8Array);
    const six = Buffer.from(answerQuestion(box, question("v1.api.test", 28)) as Uint8Array);
    expect([code(four), count(four), four.readUInt16BE(0)]).toEqual([0, 1, 0xbeef]);
    const literal = parseAddress([...four.subarray(-4)].join(".")) as Uint8Array;
    expect(showAddress(literal)).toMatch(/^198\.1[89]\./);
    expect(box.standIns.nameOf(literal)).toBe("v1.api.test");
    expect(box.standIns.nameOf(six.subarray(-16))).toBe("v1.api.test");
    expect([...(answerQuestion(box, question("v1.api.test")) as Uint8Array)].slice(-4)).toEqual([...four.subarray(-4)]);
  });

  it("that nothing allows does not exist, and that is recorded once, however often it is asked", () => {
    const { box, told } = sandbox();
    for (const type of [1, 28, 16, 1]) expect(code(answerQuestion(box, question("c2VjcmV0.evil.test", type)))).toBe(3);
    expect(told).toMatchObject([{ type: "violation", action: "DENIED", event: { host: "c2vjcmv0.evil.test", port: 53 } }]);
  });

  it("has no other records: no HTTPS record offers QUIC, no TXT brings anything in", () => {
    const { box } = sandbox();
    for (const type of [65, 64, 16, 5, 255])
      expect([code(answerQuestion(box, question("v1.api.test", type))), count(answerQuestion(box, question("v1.api.test", type)))]).toEqual([0, 0]);
  });

  it("fails when a sandbox has used up its names, and the first of them still stand", () => {
    const { box } = sandbox();
    for (let i = 0; i < 1024; i++) expect(code(answerQuestion(box, question(`n${i}.api.test`)))).toBe(0);
    expect(code(answerQuestion(box, question("more.api.test")))).toBe(2);
    expect(count(answerQuestion(box, question("n0.api.test")))).toBe(1);
  });
});

describe("a packet that is no plain question", () => {
  it("gets no answer", () => {
    const { box } = sandbox();
    const good = question("v1.api.test");
    const bad = [
      question("v1.api.test", 1, { flags: 0x8180 }), // an answer
      question("v1.api.test", 1, { flags: 0x2800 }), // an update
      question("v1.api.test", 1, { count: 2 }),
      question("v1.a\x00pi.test"),
      question("a".repeat(63).concat(".").repeat(5).slice(0, -1)),
      Buffer.concat([good.subarray(0, 12), Buffer.from([0xc0, 12, 0, 1, 0, 1])]), // a pointer to itself
      good.subarray(0, -1),
      Buffer.alloc(12),
    ];
    for (const packet of bad) expect(answerQuestion(box, packet)).toBeUndefined();
    expect(answerQuestion(box, question("v1.api.test", 1, { tail: Buffer.from([0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 0]) }))).toBeDefined(); // EDNS
  });

  it("does no harm, whatever its bytes", () => {
    const { box } = sandbox();
    fc.assert(fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) => void answerQuestion(box, Buffer.from(bytes))));
    fc.assert(
      fc.property(fc.nat(40), fc.nat(255), (at, value) => {
        const packet = question("v1.api.test");
        packet[at % packet.length] = value;
        expect(() => readQuestion(packet)).not.toThrow();
      }),
    );
  });
});

describe("a stand-in", () => {
  it("of another sandbox, or of none, is no name", () => {
    const [mine, other] = [new StandIns(), new StandIns()];
    const slot = mine.slotOf("api.test") as number;
    const mapped = Uint8Array.from([...Buffer.alloc(10), 255, 255, ...slotAddress(slot, 4)]);
    expect(mine.nameOf(mapped)).toBe("api.test");
    expect(mine.nameOf(slotAddress(slot, 6))).toBe("api.test");
    expect(other.nameOf(mapped)).toBeNull();
    expect(mine.nameOf(parseAddress("198.18.0.1") as Uint8Array)).toBeNull();
    expect(mine.nameOf(parseAddress("8.8.8.8") as Uint8Array)).toBeUndefined();
  });
});

describe("questions without end", () => {
  const long = (i: number) => `${"0123456789abcdefghjkmnpqrstvwxyz".slice(i % 32)}${i.toString(32).padStart(4, "q7")}${"h4k2m9x3".repeat(3)}.tunnel.api.test`;

  it("that carry something out are flagged, recorded, and in the end refused", () => {
    const { box, told } = sandbox();
    const codes = Array.from({ length: 400 }, (_, i) => code(answerQuestion(box, question(long(i)))));
    expect(codes[0]).toBe(0);
    expect(codes.at(-1)).toBe(5);
    expect(codes.filter((one) => one === 0).length).toBeLessThan(200);
    expect(box.account.tell().flags).toEqual(["dns_tunnel"]);
    const records = told.flatMap((message) => (message.type === "violation" ? [[message.rule_id, message.action]] : []));
    expect(records[0]).toEqual(["egress/dns-tunnel", "AUDIT"]);
    expect(records).toContainEqual(["egress/dns-tunnel", "DENIED"]);
    expect(code(answerQuestion(box, question(long(0))))).toBe(0); // what was answered once carries nothing new
    expect(code(answerQuestion(box, question("v1.api.test")))).toBe(5);
  });

  it("are counted by name, type and answer", () => {
    const { box } = sandbox();
    for (const [name, type] of [
      ["v1.api.test", 1],
      ["v1.api.test", 1],
      ["v1.api.test", 65],
      ["no.test", 28],
      ["v1.api.test", 200],
    ] as const)
      answerQuestion(box, question(name, type));
    expect(box.account.tell().names.map(({ name, type, answer, count }) => [name, type, answer, count])).toEqual([
      ["v1.api.test", "A", "allowed", 2],
      ["v1.api.test", "HTTPS", "allowed", 1],
      ["no.test", "AAAA", "denied", 1],
      ["v1.api.test", "TYPE200", "allowed", 1],
    ]);
  });
});
