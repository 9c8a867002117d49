import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { talk, type World, world } from "../testing/world.ts";

/**
 * What a program can say on a connection that it may have, in order to get what it may not. Each is first sent to the server
 * itself: there it works.
 */
const match = { hosts: ["api.test"], ports: [], paths: [], methods: [] };
const http = [
  { rule: 1, verdict: "allow" as const, audit: false, match: { ...match, paths: [{ kind: "prefix" as const, path: "/get" }], methods: ["GET", "POST"] } },
  { rule: 2, verdict: "deny" as const, audit: true, match: { ...match, paths: [{ kind: "prefix" as const, path: "/admin/" }] } },
];

describe("a request", () => {
  let use: World;
  beforeAll(async () => {
    use = await world({ http });
  });
  afterAll(() => use.close());

  const straight = (bytes: string, port = use.http) => talk(connect(port, "127.0.0.1"), bytes, port === use.raw ? 60 : 400);
  const through = (bytes: string, port = use.http) => talk(use.dial("api.test", port), bytes);
  const host = () => `Host: api.test:${use.http}\r\n`;
  const fresh = () => use.reached.splice(0);

  it("that is allowed goes on, and the next on the same connection is judged by itself", async () => {
    const two = `GET /get HTTP/1.1\r\n${host()}\r\nGET /admin/x HTTP/1.1\r\n${host()}\r\n`;
    expect((await straight(two)).match(/HTTP\/1.1 200/g)).toHaveLength(2);
    expect(fresh()).toHaveLength(2);
    const answer = await through(two);
    expect(answer.match(/HTTP\/1.1 \d+/g)).toEqual(["HTTP/1.1 200", "HTTP/1.1 403"]);
    expect(answer).toContain("was denied: rule2 (spec[2])");
    expect(fresh()).toEqual([`GET api.test:${use.http} /get`]);
  });

  /** What a second server could take for a request of its own, and the status that we answer. */
  it.each([
    ["two lengths", "POST /get HTTP/1.1\r\nHOSTContent-Length: 4\r\nContent-Length: 0\r\n\r\nGET /admin/x HTTP/1.1\r\nHOST\r\n", 400],
    ["a length and chunks", "POST /get HTTP/1.1\r\nHOSTContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /admin/x HTTP/1.1\r\nHOST\r\n", 400],
    ["chunks in disguise", "POST /get HTTP/1.1\r\nHOSTTransfer-Encoding: xchunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\nGET /admin/x HTTP/1.1\r\nHOST\r\n", 400],
    ["chunks before another coding", "POST /get HTTP/1.1\r\nHOSTTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\nGET /admin/x HTTP/1.1\r\nHOST\r\n", 400],
    ["a bare carriage return", "GET /get HTTP/1.1\r\nHOSTX: a\rGET /admin/x HTTP/1.1\r\n\r\n", 400],
    ["a space before the colon", "POST /get HTTP/1.1\r\nHOSTContent-Length : 4\r\n\r\nabcdGET /admin/x HTTP/1.1\r\nHOST\r\n", 400],
    ["a length with a sign", "POST /get HTTP/1.1\r\nHOSTContent-Length: +4\r\n\r\nabcd", 400],
    ["a chunk size that overflows", "POST /get HTTP/1.1\r\nHOSTTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff1\r\nx", 400],
    ["two hosts", "GET /get HTTP/1.1\r\nHOSTHost: evil.test\r\n\r\n", 403],
    ["no host", "GET /get HTTP/1.1\r\n\r\n", 403],
    ["an empty host", "GET /get HTTP/1.1\r\nHost:\r\n\r\n", 403],
    ["a user in the host", "GET /get HTTP/1.1\r\nHost: api.test@evil.test\r\n\r\n", 403],
    ["another host", "GET /get HTTP/1.1\r\nHost: evil.test\r\n\r\n", 403],
    ["another port", "GET /get HTTP/1.1\r\nHost: api.test:1\r\n\r\n", 403],
    ["a line that names another host", "GET http://evil.test/get HTTP/1.1\r\nHOST\r\n", 403],
    ["a line that names another scheme", "GET ftp://api.test/get HTTP/1.1\r\nHOST\r\n", 403],
    ["CONNECT", "CONNECT evil.test:443 HTTP/1.1\r\nHOST\r\n", 403],
    ["CONNECT to the same host", "CONNECT api.test:443 HTTP/1.1\r\nHOST\r\n", 403],
    ["an upgrade to HTTP/2", "GET /get HTTP/1.1\r\nHOSTConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n", 403],
    ["HTTP/2 from the start", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400],
    ["a method in other letters", "get /get HTTP/1.1\r\nHOST\r\n", 400],
    ["HTTP/0.9", "GET /get\r\n\r\n", 403],
    ["a path without end", `GET /get/${"%252e".repeat(1000)} HTTP/1.1\r\nHOST\r\n`, 403],
    ["a proxy's own header", "GET /elsewhere HTTP/1.1\r\nHOSTX-Original-URL: /get\r\nX-HTTP-Method-Override: GET\r\n\r\n", 403],
  ])("with %s reaches a server that parses nothing, and none through the proxy", async (_, template, status) => {
    const bytes = template.replaceAll("HOST", host());
    await straight(bytes, use.raw);
    expect(fresh().join("")).toBe(bytes);
    const answer = await through(bytes);
    expect(answer.match(/HTTP\/1.1 \d+/g) ?? ["nothing"]).toEqual([`HTTP/1.1 ${status}`]);
    expect(fresh()).toEqual([]);
    expect(use.told.at(-1)).toMatchObject({ type: "violation", action: "DENIED" });
  });

  it.each([
    "/get/../admin/x",
    "/get/%2e%2e/admin/x",
    "/get/..;/admin/x",
    "//admin/x",
    "/ADMIN/x",
    "/get/..%2fadmin/x",
    "/get\\..\\admin\\x",
    "/%61dmin/x",
    "http://api.test:PORT/admin/x",
  ])("for %s reaches a server that takes it for the denied place, and none through the proxy", async (path) => {
    const bytes = `GET ${path.replace("PORT", String(use.http))} HTTP/1.1\r\n${host()}Connection: close\r\n\r\n`;
    expect(await straight(bytes)).toContain("HTTP/1.1 200");
    expect(fresh()).toHaveLength(1);
    expect(await through(bytes)).toContain("HTTP/1.1 403");
    expect(fresh()).toEqual([]);
  });

  it("goes on as it was meant: body, length, chunks, absolute form, and nothing of the last hop", async () => {
    const post = `POST http://api.test:${use.http}/get?a=%2F HTTP/1.1\r\n${host()}Connection: close, X-Secret-Hop\r\nX-Secret-Hop: 1\r\nProxy-Authorization: Basic x\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n5\r\nhello\r\n0\r\n\r\n`;
    const answer = await through(post);
    expect(answer).toMatch(/HTTP\/1.1 100[\s\S]*HTTP\/1.1 200/);
    expect(fresh()).toEqual([`POST api.test:${use.http} /get?a=%2F`]);
    expect(answer).toContain('"transfer-encoding":"chunked"');
    for (const gone of ["x-secret-hop", "proxy-authorization", "expect"]) expect(answer).not.toContain(gone);
  });

  it("for a WebSocket is allowed where its path is, and carries bytes both ways", async () => {
    const ask = (path: string) =>
      `GET ${path} HTTP/1.1\r\n${host()}Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: eA==\r\nSec-WebSocket-Version: 13\r\n\r\n`;
    const socket = use.dial("api.test", use.http);
    socket.once("data", () => socket.write("frame"));
    expect(await talk(socket, ask("/get/ws"))).toMatch(/101 Switching Protocols[\s\S]*frame$/);
    expect(fresh()).toEqual(["UPGRADE websocket /get/ws"]);
    expect(await through(ask("/admin/ws"))).toContain("403");
    expect(fresh()).toEqual([]);
  });

  it("that comes a byte at a time is judged the same", async () => {
    const socket = use.dial("api.test", use.http);
    const answer = talk(socket, "G");
    for (const byte of `ET /admin/x HTTP/1.1\r\n${host()}\r\n`) {
      socket.write(byte);
      await new Promise((later) => setTimeout(later, 1));
    }
    expect(await answer).toContain("403");
  });

  it("whose header never ends is given up", async () => {
    const slow = await world({ http, headersMs: 300 });
    const socket = slow.dial("api.test", slow.http);
    const begun = performance.now();
    const drip = setInterval(() => socket.write("X: y\r\n"), 50);
    const answer = await talk(socket, `GET /get HTTP/1.1\r\nHost: api.test:${slow.http}\r\n`, 15_000);
    clearInterval(drip);
    expect(answer).toContain("408");
    expect(performance.now() - begun).toBeLessThan(10_000);
    await slow.close();
  });
});
