import { afterEach, describe, expect, it } from "vitest";
import { TOKEN, talk, type World, world } from "./testing/world.ts";

let use: World;
afterEach(() => use.close());

const OTHER = "b".repeat(64);
const MINE = "c".repeat(64);
const open = { default_action: "allow" as const, default_rule: null };
const get = () => `GET /get HTTP/1.1\r\nHost: api.test:${use.http}\r\nConnection: close\r\n\r\n`;
const later = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

describe("a tenant's sandboxes together", () => {
  const hold = (token: string, count: number) => Array.from({ length: count }, () => use.dial("api.test", use.raw, token));
  const alive = async (sockets: ReturnType<typeof hold>) => {
    await later(300);
    return sockets.filter((socket) => !socket.destroyed && !socket.readableEnded).length;
  };

  it("could take every place, and leave those of others theirs", async () => {
    use = await world({ ...open, connections: 12 });
    use.admit(MINE, "acme");
    use.admit(OTHER, "other");
    expect(await alive([...hold(TOKEN, 8), ...hold(MINE, 8)])).toBe(6);
    expect(use.told.filter((message) => message.type === "violation").map(({ rule_id }) => rule_id)).toEqual(Array(10).fill("egress/too-many-connections"));
    expect(await talk(use.dial("api.test", use.http, OTHER), get())).toContain("200 OK");
  });

  it("would take it from others if each sandbox had a share of its own: so it is the tenant that counts", async () => {
    use = await world({ ...open, connections: 12, tenant: null });
    use.admit(MINE, "acme");
    expect(await alive([...hold(TOKEN, 8), ...hold(MINE, 8)])).toBe(9);
  });

  it("get their places back", async () => {
    use = await world({ ...open, connections: 4 });
    const held = hold(TOKEN, 4);
    expect(await alive(held)).toBe(2);
    for (const socket of held) socket.destroy();
    await later(50);
    expect(await talk(use.dial("api.test", use.http), get())).toContain("200 OK");
  });
});

describe("a sandbox", () => {
  it("is the first tenant's that was named; a second makes it nobody's, and ends what it has open", async () => {
    use = await world({ ...open, tenant: null });
    expect(use.sandbox.tenant).toBeNull();
    use.sandbox.assign("acme");
    use.sandbox.assign("acme");
    expect(use.sandbox.tenant).toBe("acme");
    const socket = use.dial("api.test", use.raw);
    socket.write("\0");
    await later(200);
    expect(socket.readableEnded).toBe(false);
    const ended = new Promise((resolve) => socket.resume().once("close", resolve).once("end", resolve));
    use.sandbox.assign("mallory");
    await ended;
    expect(use.sandbox.tenant).toBeNull();
    use.sandbox.assign("acme");
    expect(use.sandbox.tenant).toBeNull();
  });
});
