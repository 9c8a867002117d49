import { once } from "node:events";
import { createServer } from "node:net";
import { connect } from "node:tls";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readHello } from "./hello.ts";

/** What a real client says first. */
async function helloOf(servername: string): Promise<Buffer> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const client = connect({ port: (server.address() as { port: number }).port, host: "127.0.0.1", servername }).on("error", () => {});
  const [socket] = await once(server, "connection");
  const [bytes] = await once(socket, "data");
  client.destroy();
  server.close();
  return bytes as Buffer;
}

/** The same message in records of `size` bytes. */
function inRecords(bytes: Buffer, size: number): Buffer {
  const message = bytes.subarray(5);
  const parts: Buffer[] = [];
  for (let at = 0; at < message.length; at += size) {
    const part = message.subarray(at, at + size);
    parts.push(Buffer.from([22, 3, 1, part.length >> 8, part.length & 255]), part);
  }
  return Buffer.concat(parts);
}

function withExtension(bytes: Buffer, type: number, body: Buffer): Buffer {
  const extension = Buffer.concat([Buffer.from([type >> 8, type & 255, body.length >> 8, body.length & 255]), body]);
  const made = Buffer.concat([bytes, extension]);
  let at = 43; // record 5, handshake 4, version and random 34
  at += 1 + (made[at] as number);
  at += 2 + made.readUInt16BE(at);
  at += 1 + (made[at] as number);
  for (const [place, width] of [
    [at, 2],
    [3, 2],
    [6, 3],
  ] as const)
    made.writeUIntBE(made.readUIntBE(place, width) + extension.length, place, width);
  return made;
}

describe("the first bytes of TLS", () => {
  it("name the server, whole, in many records, and a byte at a time", async () => {
    const bytes = await helloOf("Api.Test");
    const named = { kind: "hello", name: "api.test", encrypted: false };
    expect(readHello(bytes)).toEqual(named);
    expect(readHello(inRecords(bytes, 100))).toEqual(named);
    for (let n = 0; n < bytes.length; n++) expect(readHello(bytes.subarray(0, n))).toEqual({ kind: "more" });
    expect(readHello(await helloOf(""))).toMatchObject({ name: null });
  });

  it("that two servers could read in two ways are none", async () => {
    const bytes = await helloOf("api.test");
    const name = (text: string) => Buffer.concat([Buffer.from([0, text.length + 3, 0, 0, text.length]), Buffer.from(text)]);
    expect(readHello(withExtension(bytes, 0, name("evil.test")))).toMatchObject({ kind: "bad" });
    const none = await helloOf("");
    expect(readHello(withExtension(none, 0, name("api.test")))).toMatchObject({ name: "api.test" });
    const two = Buffer.concat([Buffer.from([0, 18, 0, 0, 6]), Buffer.from("a.test"), Buffer.from([0, 0, 6]), Buffer.from("b.test")]);
    expect(readHello(withExtension(none, 0, two))).toMatchObject({ kind: "bad" });
    expect(readHello(withExtension(none, 0, name("a\0b.test")))).toMatchObject({ kind: "bad" });
    expect(readHello(inRecords(bytes, 1))).toEqual({ kind: "bad", why: "too many records" });
  });

  it("show that a name is encrypted", async () => {
    expect(readHello(withExtension(await helloOf("outer.test"), 0xfe0d, Buffer.alloc(40)))).toMatchObject({ name: "outer.test", encrypted: true });
  });

  it("do no harm, whatever they are", async () => {
    const bytes = await helloOf("api.test");
    fc.assert(fc.property(fc.uint8Array({ maxLength: 400 }), (tail) => void readHello(Buffer.concat([Buffer.from([22, 3, 1]), tail]))));
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.nat(255), (at, value) => {
        const changed = Buffer.from(bytes);
        changed[at] = value;
        expect(() => readHello(changed)).not.toThrow();
      }),
    );
  });
});
