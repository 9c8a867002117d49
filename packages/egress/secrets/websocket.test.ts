import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import type { IncomingMessage } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import { connect as tlsConnect } from "node:tls";
import { afterAll, afterEach, beforeEach, describe, expect, it } from "vitest";
import { talk, type World, world } from "../testing/world.ts";

const SECRET = "websocket-s3cret-value";
const PLACEHOLDER = `plastron-secret-${"c".repeat(32)}`;
const home = mkdtempSync(join(tmpdir(), "plastron-ws-"));
mkdirSync(join(home, "acme/api"), { recursive: true });
writeFileSync(join(home, "acme/api/token"), SECRET);
afterAll(() => rmSync(home, { recursive: true, force: true }));

/** A text frame of a server (RFC 6455, 5.2). */
const frame = (text: string) => Buffer.concat([Buffer.from([0x81, text.length]), Buffer.from(text)]);

describe("a WebSocket with a secret", () => {
  let use: World;
  let upgraded: (request: IncomingMessage, socket: Duplex) => void;
  beforeEach(async () => {
    const match = { hosts: ["api.test"], ports: [], paths: [], methods: [] };
    use = await world({
      http: [{ rule: 1, verdict: "allow", audit: false, match }],
      mitm: { domains: ["api.test"], mutations: [] },
      secrets: home,
      placed: [{ placeholder: PLACEHOLDER, name: "api", key: "token", hosts: ["api.test"] }],
      upgrade: (request, socket) => upgraded(request, socket),
    });
  });
  afterEach(() => use.close());

  const head = (request: IncomingMessage, more: string) =>
    `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nX-Extensions: ${request.headers["sec-websocket-extensions"]}\r\n${more}\r\n`;
  async function open(): Promise<string> {
    const socket = tlsConnect({ socket: use.dial("api.test", use.https), servername: "api.test", rejectUnauthorized: false });
    await once(socket, "secureConnect");
    const lines = [
      "GET /ws HTTP/1.1",
      `Host: api.test:${use.https}`,
      "Connection: Upgrade",
      "Upgrade: websocket",
      "Sec-WebSocket-Key: eA==",
      "Sec-WebSocket-Version: 13",
    ];
    return talk(socket, `${[...lines, "Sec-WebSocket-Extensions: permessage-deflate", `X-Key: ${PLACEHOLDER}`].join("\r\n")}\r\n\r\n`, 1000);
  }

  it("has it in its request, and not in the answer's head", async () => {
    let got = "";
    upgraded = (request, socket) => {
      got = String(request.headers["x-key"]);
      socket.write(head(request, `X-Echo: ${got}\r\n`));
      socket.end(frame("hello"));
    };
    const heard = await open();
    expect(got).toBe(SECRET);
    expect(heard).toContain(`X-Echo: ${PLACEHOLDER}`);
    expect(heard).toContain("X-Extensions: undefined"); // nothing is compressed
    expect(heard).toContain("hello");
    expect(heard).not.toContain(SECRET);
  });

  it("ends where the server sends it back: in a frame it cannot be exchanged", async () => {
    upgraded = async (request, socket) => {
      socket.on("error", () => {}).write(head(request, ""));
      socket.write(frame("before"));
      await new Promise((later) => setTimeout(later, 30));
      const bytes = frame(`<${request.headers["x-key"]}>`);
      socket.write(bytes.subarray(0, 12));
      await new Promise((later) => setTimeout(later, 30));
      socket.write(bytes.subarray(12));
      socket.write(frame("after"));
    };
    const heard = await open();
    expect(heard).toContain("before");
    expect(heard).not.toContain("after");
    expect(heard).not.toContain("s3cret");
    expect(use.told).toMatchObject([{ rule_id: "secrets", action: "DENIED" }]);
  });

  it("that the server does not want is answered, without it", async () => {
    upgraded = (request, socket) => {
      const body = `no ${request.headers["x-key"]}`;
      socket.end(`HTTP/1.1 401 No\r\nContent-Length: ${body.length}\r\nX-Echo: ${request.headers["x-key"]}\r\n\r\n${body}`);
    };
    const heard = await open();
    expect(heard).toMatch(new RegExp(`^HTTP/1.1 401 No\r\n[\\s\\S]*X-Echo: ${PLACEHOLDER}[\\s\\S]*no ${PLACEHOLDER}$`));
  });
});
