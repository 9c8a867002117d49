import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { talk, type World, world } from "../testing/world.ts";

/** Requests on one connection that do not wait for the answers: each costs us memory, and could cost a connection onward. */
let use: World;
afterEach(() => use.close());

const http = [{ rule: 1, verdict: "allow" as const, audit: false, match: { hosts: ["api.test"], ports: [], paths: [], methods: [] } }];
const host = (port: number) => `Host: api.test:${port}\r\n`;
const later = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** It never answers, and counts. */
async function silent() {
  const sockets: Socket[] = [];
  let heard = "";
  const server = createServer((socket) => {
    sockets.push(socket.on("error", () => {}));
    socket.on("data", (bytes) => (heard += bytes.toString("latin1")));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as { port: number }).port,
    sockets,
    requests: () => heard.split("GET /").length - 1,
    close() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

describe("many requests at once", () => {
  it("go on one after another, on one connection onward, and are answered in order", async () => {
    use = await world({ http });
    const ask = (i: number, more = "") => `GET /${i} HTTP/1.1\r\n${host(use.http)}${more}\r\n`;
    const answer = await talk(use.dial("api.test", use.http), ask(1) + ask(2) + ask(3) + ask(4, "Connection: close\r\n"));
    expect(answer.match(/HTTP\/1.1 200/g)).toHaveLength(4);
    expect(use.reached.map((line) => line.split(" ")[2])).toEqual(["/1", "/2", "/3", "/4"]);
  });

  it("that are not answered use one connection onward, where a request each would use as many, and end when they are too many", async () => {
    use = await world({ http });
    const server = await silent();
    const few = use.dial("api.test", server.port);
    few.write(`GET /x HTTP/1.1\r\n${host(server.port)}\r\n`.repeat(20));
    await later(300);
    expect([server.sockets.length, server.requests()]).toEqual([1, 1]);
    few.destroy();
    await later(100);
    expect(server.sockets.length).toBe(1);
    const many = use.dial("api.test", server.port).resume();
    const gone = new Promise((closed) => many.once("close", closed));
    many.write(`GET /x HTTP/1.1\r\n${host(server.port)}\r\n`.repeat(3000));
    await gone;
    await later(50);
    expect(server.sockets.length).toBeLessThanOrEqual(2);
    expect(use.told).toMatchObject([{ type: "violation", rule_id: "egress/too-many-requests" }]);
    server.close();
  });

  it("of many connections together are bounded, and come back when they are gone", async () => {
    use = await world({ http });
    const server = await silent();
    const sockets = Array.from({ length: 30 }, () => use.dial("api.test", server.port).resume());
    for (const socket of sockets) socket.write(`GET /x HTTP/1.1\r\n${host(server.port)}\r\n`.repeat(25));
    await expect.poll(() => use.told.length, { timeout: 5000 }).toBeGreaterThan(0);
    await later(200);
    expect(use.sandbox.waiting).toBeGreaterThan(300);
    expect(use.sandbox.waiting).toBeLessThanOrEqual(512);
    expect(use.told[0]).toMatchObject({ rule_id: "egress/too-many-requests" });
    for (const socket of sockets) socket.destroy();
    await expect.poll(() => use.sandbox.waiting, { timeout: 5000 }).toBe(0);
    server.close();
  });

  it("whose program goes while their name is looked up open nothing that nobody would end", async () => {
    const server = await silent();
    const reach = { rule: 2, verdict: "allow" as const, audit: false, cidr: "127.0.0.0/8", ports: [] };
    use = await world({ http, addresses: [reach], resolve: () => ["127.0.0.1"], resolveMs: 200 });
    const ask = (socket: Socket) => void socket.write(`GET /x HTTP/1.1\r\n${host(server.port)}\r\n`);
    const gone = use.dial("api.test", server.port);
    ask(gone);
    await later(100);
    gone.destroy();
    await later(300);
    expect(server.sockets.length).toBe(0);
    ask(use.dial("api.test", server.port));
    await later(400);
    expect(server.sockets.length).toBe(1);
    server.close();
  });
});
