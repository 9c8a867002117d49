import { createSocket, type Socket as Udp } from "node:dgram";
import { once } from "node:events";
import { connect as tlsConnect } from "node:tls";
import type { NetworkRules } from "@plastron/contracts";
import { afterEach, describe, expect, it } from "vitest";
import { Names } from "../dns/resolve.ts";
import { talk, type World, world } from "../testing/world.ts";

/** One name said and another one meant; and names whose owner says that they lead inwards. */
type Http = NetworkRules["http"][number];
const allow = (...hosts: string[]): Http => ({ rule: 1, verdict: "allow", audit: false, match: { hosts, ports: [], paths: [], methods: [] } });
const mitm = { domains: ["api.test"], mutations: [] };

let use: World;
afterEach(() => use.close());
const denials = () => use.told.flatMap((message) => (message.type === "violation" && message.action === "DENIED" ? [message.rule_id] : []));
const flags = () => use.sandbox.account.tell().flags;
const tls = async (to: string, servername: string) => {
  const socket = tlsConnect({ socket: use.dial(to, use.https), servername, rejectUnauthorized: false });
  return once(socket, "secureConnect").then(
    () => socket.on("error", () => {}),
    (error: Error) => error.message,
  );
};
const get = (host: string, line = "GET / HTTP/1.1") => `${line}\r\nHost: ${host}\r\nConnection: close\r\n\r\n`;

describe("domain fronting", () => {
  it("by the name in TLS is refused with an alert, recorded and flagged", async () => {
    use = await world({ http: [allow("api.test", "cdn.test")] });
    expect(await tls("cdn.test", "cdn.test")).not.toBeTypeOf("string");
    expect(flags()).toEqual([]);
    expect(await tls("cdn.test", "api.test")).toMatch(/alert access denied/);
    expect([denials(), flags()]).toEqual([["egress/name-mismatch"], ["domain_fronting"]]);
  });

  it.each([
    ["another allowed name", (port: number) => get(`cdn.test:${port}`), true],
    ["a name that nothing allows", (port: number) => get(`evil.test:${port}`), true],
    ["an address", (port: number) => get(`127.0.0.1:${port}`), true],
    ["an absolute URL", (port: number) => get(`api.test:${port}`, `GET https://cdn.test:${port}/ HTTP/1.1`), true],
    ["two Hosts", (port: number) => `GET / HTTP/1.1\r\nHost: api.test:${port}\r\nHost: cdn.test:${port}\r\n\r\n`, true],
    ["another port alone", () => get("api.test:1"), false],
    ["no Host", () => "GET / HTTP/1.1\r\n\r\n", false],
  ])("inside of TLS by %s is refused, recorded, and flagged where it names another host", async (_, text, isFronting) => {
    use = await world({ http: [allow("api.test", "cdn.test")], mitm });
    const socket = await tls("api.test", "api.test");
    expect(await talk(socket as never, text(use.https), 5000)).toMatch(/^HTTP\/1.1 403 /);
    expect(use.reached).toEqual([]);
    expect(denials()).toHaveLength(1);
    expect(flags()).toEqual(isFronting ? ["domain_fronting"] : []);
  });

  it("is not what a name in other letters, with a dot or with its port is", async () => {
    use = await world({ http: [allow("api.test")], mitm });
    for (const host of ["API.Test", "api.test.", "Api.TEST."]) {
      const socket = await tls("api.test", "api.test");
      expect(await talk(socket as never, get(`${host}:${use.https}`), 5000), host).toContain("200 OK");
    }
    expect([denials(), flags()]).toEqual([[], []]);
  });

  it("by a hello whose name is encrypted, or by none, is refused with an alert", async () => {
    use = await world({ http: [allow("api.test")] });
    expect(await talk(use.dial("api.test", use.https), hello(0xfe0d), 2000)).toBe("\x15\x03\x03\0\x02\x02\x31");
    expect(await tls("api.test", "")).toMatch(/alert access denied/);
    expect(denials()).toEqual(["egress/encrypted-hello", "rule0"]);
    expect(use.reached).toEqual([]);
  });
});

describe("what is neither TLS nor HTTP", () => {
  it.each(["SSH-2.0-OpenSSH_9\r\n", "\0\0\0\x08\x04\xd2\x16\x2f", "EHLO x\r\n", "\x05\x01\0", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"])(
    "(%j) does not get through by a rule on hosts, on any port",
    async (bytes) => {
      use = await world({ http: [allow("api.test")] });
      await talk(use.dial("api.test", use.raw), bytes, 1000);
      await talk(use.dial("api.test", use.https), bytes, 1000);
      expect(use.reached).toEqual([]);
      expect(denials()).toHaveLength(2);
    },
  );

  it("is told in words to whoever speaks HTTP, and by an alert in TLS, also where nothing said could have allowed it", async () => {
    use = await world({ http: [allow("api.test")] });
    const said = await talk(use.dial("8.8.8.8", 80), get("8.8.8.8"), 2000);
    expect(said).toMatch(/^HTTP\/1.1 403 Forbidden\r\n[\s\S]*Plastron: a connection to 8.8.8.8:80 was denied: rule0[\s\S]*--allow-net 8.8.8.8/);
    expect(await talk(use.dial("8.8.8.8", 443), hello(0), 2000)).toBe("\x15\x03\x03\0\x02\x02\x31");
    expect(denials()).toEqual(["rule0", "rule0"]);
  });
});

describe("names that lead inwards", () => {
  const INWARD = `0.0.0.0 0.1.2.3 10.1.2.3 100.64.0.1 100.100.100.200 127.0.0.53 169.254.170.2 172.31.255.255 192.0.0.192 192.168.0.1 198.18.0.1 203.0.113.1
    224.0.0.1 255.255.255.255 :: ::1 ::7f00:1 ::ffff:10.0.0.1 64:ff9b::a00:1 64:ff9b:1::a00:1 2001::1 2002:7f00:1:: 2002:a00:1::1 fe80::1 fec0::1 fc00::1 ff02::1`;

  it("are refused, each of them", async () => {
    let next = "";
    use = await world({ http: [allow("rebind.test")], resolve: () => [next] });
    for (next of INWARD.split(/\s+/)) expect(await talk(use.dial("rebind.test", use.http), get(`rebind.test:${use.http}`), 3000), next).toContain("egress");
    expect(denials()).toEqual(INWARD.split(/\s+/).map(() => "egress/forbidden-address"));
    expect(use.reached).toEqual([]);
  });

  it("by a CNAME, by an answer that is never to be kept, or by one address among good ones give only what may be had", async () => {
    const server = await nameserver({ "alias.test": ["10.0.0.1"], "mixed.test": ["192.168.1.1", "8.8.8.8"], "v6.test": ["fd00::1"] });
    const names = new Names({}, [`127.0.0.1:${server.address().port}`]);
    use = await world({ http: [allow("*.test")], names });
    for (const name of ["alias.test", "v6.test"]) expect(await talk(use.dial(name, use.http), get(`${name}:${use.http}`), 3000)).toContain("private");
    expect(denials()).toEqual(["egress/forbidden-address", "egress/forbidden-address"]);
    expect((await names.resolve("mixed.test")).addresses).toHaveLength(2);
    expect(await talk(use.dial("none.test", use.http), get(`none.test:${use.http}`), 6000)).toMatch(
      /^HTTP\/1.1 502 [\s\S]*GET http:\/\/none.test:\d+\/ cannot be reached: [\s\S]*leads nowhere[\s\S]*No rule forbids it/,
    );
    /* unrecognized_name, and not access_denied. */
    expect(await tls("none.test", "none.test")).toMatch(/unrecognized name/);
    expect(use.told.at(-1)).toMatchObject({ rule_id: "egress/unknown-name", hint: expect.stringContaining("No rule forbids it") });
    server.close();
  });
});

/** A hello without a name, with one further extension where it is not 0. */
function hello(extension: number): Buffer {
  const extensions = extension === 0 ? Buffer.alloc(0) : Buffer.from([extension >> 8, extension & 255, 0, 1, 0]);
  const body = Buffer.concat([Buffer.from([3, 3]), Buffer.alloc(32), Buffer.from([0, 0, 2, 0x13, 1, 1, 0, 0, extensions.length]), extensions]);
  const message = Buffer.concat([Buffer.from([1, 0, 0, body.length]), body]);
  return Buffer.concat([Buffer.from([22, 3, 1, 0, message.length]), message]);
}

/** Answers every question with a CNAME to a name inside and that name's addresses, to be kept for no time. */
async function nameserver(zone: Record<string, string[]>): Promise<Udp> {
  const server = createSocket("udp4");
  server.on("message", (question, { port, address }) => {
    const labels: string[] = [];
    let at = 12;
    for (; question[at] !== 0; at += (question[at] as number) + 1) labels.push(question.toString("latin1", at + 1, at + 1 + (question[at] as number)));
    const type = question.readUInt16BE(at + 1);
    const addresses = (zone[labels.join(".")] ?? []).filter((one) => one.includes(":") === (type === 28));
    const alias = Buffer.from("\x05inner\x04test\0", "latin1");
    const record = (name: Buffer, kind: number, data: Buffer) => Buffer.concat([name, Buffer.from([0, kind, 0, 1, 0, 0, 0, 0, 0, data.length]), data]);
    const data = (text: string) => (text.includes(":") ? Buffer.from([0xfd, 0, ...Array(13).fill(0), 1]) : Buffer.from(text.split(".").map(Number)));
    const head = Buffer.alloc(12);
    head.set([question[0] as number, question[1] as number, 0x81, 0x80, 0, 1, 0, addresses.length && addresses.length + 1]);
    const answers = addresses.length > 0 ? [record(Buffer.from([0xc0, 12]), 5, alias), ...addresses.map((one) => record(alias, type, data(one)))] : [];
    server.send(Buffer.concat([head, question.subarray(12, at + 5), ...answers]), port, address);
  });
  server.bind(0, "127.0.0.1");
  await once(server, "listening");
  return server;
}
