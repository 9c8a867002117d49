import { once } from "node:events";
import { afterEach, describe, expect, it } from "vitest";
import { Account } from "./account.ts";
import { talk, type World, world } from "./testing/world.ts";

let use: World;
afterEach(() => use?.close());
const later = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const open = { default_action: "allow" as const, default_rule: null };

describe("the account of a sandbox", () => {
  it("says for each address and port what was meant, how often, and how many bytes went each way, also while it goes on", async () => {
    use = await world(open);
    const get = `GET / HTTP/1.1\r\nHost: api.test:${use.http}\r\nConnection: close\r\n\r\n`;
    const answers = [await talk(use.dial("api.test", use.http), get), await talk(use.dial("api.test", use.http), get)];
    const bytes = answers.join("").length;
    await talk(use.dial("8.8.8.8", 80), "", 50);
    const raw = use.dial("other.test", use.raw);
    raw.write("0123456789");
    await later(100);
    const { traffic, flows } = use.sandbox.account.tell();
    const stand = (text: string) => expect.stringMatching(new RegExp(text));
    expect(flows).toEqual([
      { address: stand("^fd70:6c61"), port: use.http, host: "api.test", connections: 2, bytes_out: 2 * get.length, bytes_in: bytes },
      { address: "8.8.8.8", port: 80, host: null, connections: 1, bytes_out: 0, bytes_in: 0 },
      { address: stand("^fd70:6c61"), port: use.raw, host: "other.test", connections: 1, bytes_out: 10, bytes_in: 0 },
    ]);
    expect(traffic).toEqual({ connections: 4, bytes_out: 2 * get.length + 10, bytes_in: bytes });
    raw.destroy();
    await later(50);
    expect(use.sandbox.account.tell().flows).toEqual(flows);
  });

  it("counts what its lists have no room for", () => {
    const account = new Account();
    const socket = { bytesRead: 184, bytesWritten: 7, destroy() {}, once: () => {} };
    for (let i = 0; i < 600; i++) account.hold({ ...socket }, { address: `10.0.${i >> 8}.${i & 255}`, port: 1, host: null });
    for (let i = 0; i < 600; i++) for (const type of [1, 28]) account.asked(`n${i}.test`, type, i % 2 === 0);
    account.asked("n1.test", 1, false);
    const { traffic, flows, names, flows_dropped, names_dropped } = account.tell();
    expect(traffic).toEqual({ connections: 600, bytes_out: 60_000, bytes_in: 4200 });
    expect([flows.length, flows_dropped, names.length, names_dropped]).toEqual([512, 88, 512, 688]);
    expect(names.slice(0, 3)).toMatchObject([
      { name: "n0.test", type: "A", answer: "allowed", count: 1 },
      { name: "n0.test", type: "AAAA", answer: "allowed", count: 1 },
      { name: "n1.test", type: "A", answer: "denied", count: 2 },
    ]);
  });
});

describe("a limit on what goes out", () => {
  const size = 1 << 20;
  const flood = async () => {
    const socket = use.dial("other.test", use.raw);
    const closed = once(socket, "close").catch(() => {});
    const writing = setInterval(() => socket.write(Buffer.alloc(size / 8)), 5);
    await Promise.race([closed, later(800)]);
    clearInterval(writing);
    return socket.destroyed;
  };

  it("that is exceeded is told once, and all that is open is cut; nothing more goes out until the next", async () => {
    use = await world(open);
    expect(await flood()).toBe(false);
    use.sandbox.limit(7, size);
    expect(await flood()).toBe(true);
    expect(use.told).toEqual([{ type: "exceeded", token: expect.any(String), id: 7, bytes_out: expect.toSatisfy((n) => n > size && n < 64 * size) }]);
    const reached = use.reached.length;
    expect(await talk(use.dial("other.test", use.raw), "more", 100)).toBe("");
    expect(use.reached.length).toBe(reached);
    use.sandbox.limit(8, size);
    await talk(use.dial("other.test", use.raw), "again", 100);
    expect(use.reached.at(-1)).toContain("again");
    use.sandbox.limit(9, null);
    expect(await flood()).toBe(false);
    expect(use.told).toHaveLength(1);
  });
});
