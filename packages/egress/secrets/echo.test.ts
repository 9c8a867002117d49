import { once } from "node:events";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect as tlsConnect } from "node:tls";
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from "node:zlib";
import { afterAll, afterEach, beforeEach, describe, expect, it } from "vitest";
import { talk, type World, world } from "../testing/world.ts";

/** A server that has got a secret and sends it back in every way that a server does without wanting to: the program sees a placeholder. */
const SECRET = 's3cr&t/K"9=x+Zq4<v>7';
const PLACEHOLDER = `plastron-secret-${"0123456789abcdef".repeat(2)}`;
const home = mkdtempSync(join(tmpdir(), "plastron-echo-"));
mkdirSync(join(home, "acme/api"), { recursive: true });
writeFileSync(join(home, "acme/api/token"), `${SECRET}\n`);
chmodSync(home, 0o755);
afterAll(() => rmSync(home, { recursive: true, force: true }));

const match = { hosts: ["api.test", "other.test"], ports: [], paths: [], methods: [] };
const http = [{ rule: 1, verdict: "allow" as const, audit: false, match }];
const mitm = { domains: ["api.test", "other.test"], mutations: [] };
const placed = [{ placeholder: PLACEHOLDER, name: "api", key: "token", hosts: ["api.test"] }];

let use: World;
let answer: RequestListener;
let seen: { headers: IncomingMessage["headers"]; url: string; body: string }[];
beforeEach(async () => {
  seen = [];
  use = await world({
    http,
    mitm,
    secrets: home,
    placed,
    async answer(request, response) {
      const parts: Buffer[] = [];
      for await (const chunk of request) parts.push(chunk as Buffer);
      seen.push({ headers: request.headers, url: request.url ?? "", body: Buffer.concat(parts).toString("latin1") });
      answer(request, response);
    },
  });
});
afterEach(() => use.close());

/** All bytes that come back to the program, whatever they mean. */
async function heard(text: string, host = "api.test"): Promise<string> {
  const socket = tlsConnect({ socket: use.dial(host, use.https), servername: host, rejectUnauthorized: false });
  await once(socket, "secureConnect");
  return talk(socket, text.replaceAll("HOST", `Host: ${host}:${use.https}\r\n`), 5000);
}
const GET = `GET / HTTP/1.1\r\nHOSTAuthorization: Bearer ${PLACEHOLDER}\r\nConnection: close\r\n\r\n`;

/** The secret as the server has got it, so that nothing comes back that was not there. */
const got = () => seen.at(-1)?.headers.authorization?.replace(/^Bearer /, "") as string;
const bodyOf = (raw: string) => raw.slice(raw.indexOf("\r\n\r\n") + 4);
function expectNone(raw: string): void {
  expect(got()).toBe(SECRET);
  for (const form of [SECRET, encodeURIComponent(SECRET), JSON.stringify(SECRET).slice(1, -1), Buffer.from(SECRET).toString("hex"), "s3cr", "Zq4<v>7", "Zq4"])
    expect(raw).not.toContain(form);
}
const end =
  (body: string | Buffer, headers: Record<string, string> = {}) =>
  (_: IncomingMessage, response: ServerResponse) =>
    void response.writeHead(200, headers).end(body);

describe("a secret that a server sends back", () => {
  it("in headers, in the status line or as a header's name is a placeholder again", async () => {
    answer = (_, response) =>
      response
        .writeHead(200, `OK ${got()}`.replaceAll("\\n", ""), { "X-Echo": `Bearer ${got()}`, "Set-Cookie": [`a=${got()}; b`, encodeURIComponent(got())] })
        .end("x");
    const raw = await heard(GET);
    expectNone(raw);
    expect(raw).toContain(`HTTP/1.1 200 OK ${PLACEHOLDER}\r\n`);
    expect(raw).toContain(`X-Echo: Bearer ${PLACEHOLDER}\r\n`);
    expect(raw).toContain(`Set-Cookie: a=${PLACEHOLDER}; b\r\nSet-Cookie: ${PLACEHOLDER}\r\n`);
  });

  it.each([
    ["as it is", (s: string) => s],
    ["twice, side by side", (s: string) => s + s],
    ["in JSON", (s: string) => JSON.stringify({ s })],
    ["in JSON that escapes slashes", (s: string) => JSON.stringify({ s }).replaceAll("/", "\\/")],
    ["in JSON that escapes angles", (s: string) => JSON.stringify({ s }).replace(/[<>&]/g, (one) => `\\u00${one.charCodeAt(0).toString(16)}`)],
    ["in a URL", (s: string) => `?a=${encodeURIComponent(s)}`],
    ["in a URL in small letters", (s: string) => `?a=${encodeURIComponent(s).replace(/%../g, (code) => code.toLowerCase())}`],
    ["in HTML", (s: string) => s.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;")],
    ["in hexadecimal", (s: string) => Buffer.from(s).toString("hex")],
    ["in base64", (s: string) => Buffer.from(s).toString("base64")],
    ["in base64 after one byte", (s: string) => Buffer.from(`:${s}`).toString("base64")],
    ["in base64 of a URL after two bytes", (s: string) => Buffer.from(`u:${s}`).toString("base64url")],
    ["in UTF-16", (s: string) => Buffer.from(s, "utf16le").toString("latin1")],
  ])("%s in a body is a placeholder again", async (_, write) => {
    answer = (_request, response) => response.end(Buffer.from(`before ${write(got())} after`, "latin1"));
    const raw = await heard(GET);
    expectNone(raw);
    expect(raw).toMatch(/before [\s\S]+ after/);
    const text = bodyOf(raw)
      .replace(/\r\n[0-9a-f]*\r\n|^[0-9a-f]+\r\n/g, "")
      .replace(/^before | after[\s\S]*$/g, "");
    for (const form of [Buffer.from(text, "base64"), Buffer.from(text, "hex"), Buffer.from(text, "latin1")]) {
      for (const encoding of ["latin1", "utf16le"] as const) expect(form.toString(encoding)).not.toContain(SECRET.slice(3, 15));
    }
  });

  it.each([
    ["gzip", gzipSync],
    ["br", brotliCompressSync],
    ["deflate", deflateSync],
    ["zstd", zstdCompressSync],
    ["gzip, br", (text: string) => brotliCompressSync(gzipSync(text))],
  ])("compressed with %s, though nobody asked for that, is a placeholder again", async (coding, compress) => {
    answer = (request, response) =>
      end(compress(`{"token":"${got()}"}`), { "Content-Encoding": coding, Vary: String(request.headers["accept-encoding"]) })(request, response);
    const raw = await heard(GET.replace("Connection", "Accept-Encoding: gzip, br\r\nConnection"));
    expectNone(raw);
    expect(raw).toContain(`{"token":"${PLACEHOLDER}"}`);
    expect(raw).toContain("Vary: identity");
    expect(raw).not.toMatch(/content-encoding/i);
  });

  it.each(["compress", "gzip, gzip, gzip", "exi"])("in a coding that is not known (%s) does not come at all", async (coding) => {
    answer = (request, response) => end(got(), { "Content-Encoding": coding })(request, response);
    const raw = await heard(GET);
    expectNone(raw);
    expect(raw).toMatch(/^HTTP\/1.1 502 [\s\S]*secrets cannot be looked for/);
  });

  it("in a compressed body that breaks off ends the answer, and nothing of it", async () => {
    answer = (request, response) => end(gzipSync(got().repeat(50)).subarray(0, 40), { "Content-Encoding": "gzip" })(request, response);
    expectNone(await heard(GET));
  });

  it("a byte at a time is a placeholder again", async () => {
    answer = async (_, response) => {
      for (const byte of `<${got()}>`) {
        response.write(byte);
        await new Promise((later) => setTimeout(later, 2));
      }
      response.end();
    };
    const raw = await heard(GET);
    expectNone(raw);
    expect(raw.replace(/\r\n[0-9a-f]+\r\n/g, "")).toContain(`<${PLACEHOLDER}>`);
  });

  it("in a length of its own, an error page, a redirect, early hints and trailers is a placeholder again", async () => {
    answer = (_, response) => {
      response.writeEarlyHints({ link: `</${encodeURIComponent(got())}>; rel=preload` });
      response.writeHead(302, { Location: `https://other.test/?t=${encodeURIComponent(got())}`, "Content-Length": String(got().length + 2) });
      response.end(`<${got()}>`);
    };
    const raw = await heard(GET);
    expectNone(raw);
    expect(raw).toContain(`Location: https://other.test/?t=${PLACEHOLDER}\r\n`);
    expect(bodyOf(raw)).toContain(`<${PLACEHOLDER}>`);
    answer = (_, response) => {
      response.writeHead(500, { Trailer: "X-Trailer" });
      response.write(`no such token: ${got()}`);
      response.addTrailers({ "X-Trailer": got() });
      response.end();
    };
    const page = await heard(GET);
    expectNone(page);
    expect(page).toMatch(/^HTTP\/1.1 500[\s\S]*no such token: plastron-secret/);
  });

  it("to HTTP/1.0, to HEAD, and to requests sent ahead is a placeholder again", async () => {
    answer = (_, response) => response.writeHead(200, { "X-Echo": got() }).end(got());
    const old = await heard(GET.replace("HTTP/1.1", "HTTP/1.0"));
    expectNone(old);
    expect(old).toMatch(new RegExp(`\r\n\r\n${PLACEHOLDER}$`));
    expectNone(await heard(GET.replace("GET", "HEAD")));
    const two = await heard(GET.replace("Connection: close\r\n", "") + GET);
    expectNone(two);
    expect(two.split(PLACEHOLDER)).toHaveLength(5);
  });

  it("of before it was changed is one, too, and so is one that another host sends", async () => {
    answer = end("x");
    await heard(GET);
    const old = got();
    writeFileSync(join(home, "acme/api/token"), "another-value-1\n");
    answer = (_, response) => response.end(`${old} another-value-1`);
    const raw = await heard(GET);
    expect(got()).toBe("another-value-1");
    expect(raw).toContain(`${PLACEHOLDER} ${PLACEHOLDER}`);
    expect(bodyOf(await heard(GET, "other.test"))).toContain(`${PLACEHOLDER} ${PLACEHOLDER}`);
    expect(got()).toBe(PLACEHOLDER);
    writeFileSync(join(home, "acme/api/token"), `${SECRET}\n`);
  });

  it("cannot be had piece by piece: the server is asked for no part", async () => {
    answer = (request, response) => end(String(request.headers.range))(request, response);
    expect(await heard(GET.replace("Connection", "Range: bytes=0-3\r\nIf-Range: x\r\nConnection"))).toContain("undefined");
  });

  it("in a file that is larger than any buffer leaves all else as it was", async () => {
    const block = Buffer.alloc(70_001, "abcdefs3");
    answer = (_, response) => {
      for (let i = 0; i < 20; i++) response.write(block);
      response.write(got());
      response.end(block);
    };
    const raw = await heard(GET.replace("HTTP/1.1", "HTTP/1.0"));
    const body = Buffer.from(bodyOf(raw), "latin1");
    expect(body.length).toBe(21 * block.length + PLACEHOLDER.length);
    expect(body.equals(Buffer.concat([...Array(20).fill(block), Buffer.from(PLACEHOLDER), block]))).toBe(true);
  });
});
