import { request } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { type Connection, openClient, openPool, type Pool } from "../../database/pool.ts";
import { startTestCluster, type TestCluster } from "../../testing/database.ts";
import { startTestServer, type TestServer } from "../../testing/harness.ts";
import { type ScriptedAgent, SHADOW, startScriptedAgent } from "../../testing/scripted-agent.ts";
import { ViolationFeed } from "./feed.ts";
import { ViolationStore } from "./store.ts";

let cluster: TestCluster;
let agent: ScriptedAgent;
let connection: Connection;
let pool: Pool;
let one: TestServer;
let two: TestServer;
let key: string;
const open: AbortController[] = [];

beforeAll(async () => {
  [cluster, agent] = await Promise.all([startTestCluster(), startScriptedAgent()]);
  connection = await cluster.database();
  pool = openPool(connection, () => {});
  one = await startTestServer(connection, agent.path);
  two = await startTestServer(connection, agent.path, {}, { serverId: "two" });
  key = await one.key(["admin"]);
}, 60_000);
afterEach(() => {
  for (const each of open.splice(0)) each.abort();
});
afterAll(async () => {
  await Promise.all([one.close(), two.close()]);
  await pool.close();
  await Promise.all([cluster.stop(), agent.stop()]);
});

interface Heard {
  status: number;
  events: { id: string; event: string; data: { id: string; rule_id: string; run_id: string } }[];
  text: string;
  ended: boolean;
}

/** Listens until the test's end. */
async function listen(server: TestServer, query = "", headers: Record<string, string> = {}, as = key): Promise<Heard> {
  const controller = new AbortController();
  open.push(controller);
  const answer = await fetch(`${server.url}/v1/violations/stream${query}`, {
    headers: { authorization: `Bearer ${as}`, ...headers },
    signal: controller.signal,
  });
  const heard: Heard = { status: answer.status, events: [], text: "", ended: false };
  void (async () => {
    for await (const chunk of answer.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      heard.text += chunk;
      heard.events = heard.text
        .split("\n\n")
        .slice(0, -1) // the last one is still coming
        .filter((block) => block.includes("data: "))
        .map(blockOf);
    }
    heard.ended = true;
  })().catch(() => {});
  return heard;
}

function blockOf(block: string) {
  const field = (name: string) =>
    block
      .split("\n")
      .find((line) => line.startsWith(`${name}: `))
      ?.slice(name.length + 2) ?? "";
  return { id: field("id"), event: field("event"), data: JSON.parse(field("data")) };
}

async function hit(server: TestServer, rule = "r", count = 1, as = key): Promise<string> {
  const violations = Array.from({ length: count }, (_, i) => ({ ...SHADOW, rule_id: count === 1 ? rule : `${rule}${i}` }));
  agent.script = (scene) => {
    for (const violation of violations) scene.violation(violation);
    scene.result({ violations });
  };
  return (await server.call("POST", "/v1/runs", { key: as, body: { language: "bash", code: "x" } })).body.id;
}
const rules = ({ events }: Heard) => events.map(({ data }) => data.rule_id);

describe("GET /v1/violations/stream", () => {
  it("tells what is recorded from now on, in a moment, whichever server recorded it, filtered", async () => {
    await hit(one, "before");
    const [all, some] = [await listen(one), await listen(one, "?rule=wanted")];
    await hit(one, "wanted");
    await expect.poll(() => rules(all), { timeout: 2_000 }).toEqual(["wanted"]);
    await hit(two, "elsewhere");
    await hit(two, "wanted");
    await expect.poll(() => rules(all), { timeout: 4_000 }).toEqual(["wanted", "elsewhere", "wanted"]);
    await expect.poll(() => rules(some), { timeout: 4_000 }).toEqual(["wanted", "wanted"]);
    expect(all.events[0]).toMatchObject({ event: "violation", data: { action: "DENIED", audited: true } });
  });

  it("goes on behind Last-Event-ID, on any server: nothing is missed and nothing comes twice", async () => {
    const first = await listen(one);
    await hit(one, "a", 5);
    await expect.poll(() => first.events.length).toBe(5);
    const last = first.events[2]?.id as string;
    await hit(two, "b", 300);
    const again = await listen(two, "", { "last-event-id": last });
    await expect.poll(() => again.events.length, { timeout: 5_000 }).toBe(202); // two of the first run, and what one run may record
    expect(rules(again).slice(0, 4)).toEqual(["a3", "a4", "b0", "b1"]);
    expect(new Set(again.events.map(({ id }) => id)).size).toBe(202);
  });

  it("shows no other tenant's, whatever id is sent", async () => {
    await one.call("POST", "/v1/tenants", { key, body: { id: "other" } });
    const other = await one.key(["admin"], "other");
    const mine = await listen(one);
    await hit(one, "secret");
    await expect.poll(() => mine.events.length).toBe(1);
    const place = (mine.events[0] as Heard["events"][number]).id;
    const before = `${BigInt(place.split(".")[0] as string) - 1n}.0`;
    const theirs = await Promise.all(["0.0", before, place].map((id) => listen(one, "", { "last-event-id": id }, other)));
    theirs.push(await listen(one, "?since=2020-01-01T00:00:00Z", {}, other));
    await hit(one, "own", 1, other);
    for (const heard of theirs) await expect.poll(() => rules(heard), { timeout: 4_000 }).toEqual(["own"]);
  });

  it("begins at `since`, and refuses what is no id, no filter, or nobody", async () => {
    const since = new Date().toISOString();
    await hit(one, "later");
    const heard = await listen(one, `?since=${since}`);
    await expect.poll(() => rules(heard)).toEqual(["later"]);
    for (const id of ["x", "1", "-1.0", "1.0.0", "1.0'; drop table events; --", `${"9".repeat(40)}.1`])
      expect((await listen(one, "", { "last-event-id": encodeURIComponent(id) })).status, id).toBe(400);
    for (const query of ["?until=2026-01-01T00:00:00Z", "?nonsense=1", "?audited=perhaps"]) expect((await listen(one, query)).status, query).toBe(400);
    expect((await listen(one, "", {}, "nobody")).status).toBe(401);
  });

  it("ends for a key that is revoked", async () => {
    const feed = new ViolationFeed(new ViolationStore(pool.db), { pollMs: 20, checkMs: 50 });
    const gone = new AbortController();
    const follower = { tenant: "default", filter: {}, from: undefined, signal: gone.signal, take: async () => true };
    await expect(feed.follow({ ...follower, stillAllowed: () => Promise.reject(new Error("revoked")) })).rejects.toThrow("revoked");
    expect(feed.listeners).toBe(0);
  });

  it("is open to so many of one tenant, and to nobody beyond", async () => {
    const streams = await Promise.all(Array.from({ length: 8 }, () => listen(one)));
    expect(streams.map(({ status }) => status)).toEqual(Array(8).fill(200));
    const more = await one.call("GET", "/v1/violations/stream", { key });
    expect([more.status, more.body.code, more.headers.get("retry-after")]).toEqual([503, "overloaded", "10"]);
    open.pop()?.abort();
    await expect.poll(async () => (await listen(one)).status, { timeout: 4_000 }).toBe(200);
  });

  it("ends when the server does", async () => {
    const third = await startTestServer(connection, agent.path, {}, { serverId: "three" });
    const heard = await listen(third);
    await third.close();
    await expect.poll(() => heard.ended, { timeout: 3_000 }).toBe(true);
  });
});

describe("a client that never reads", () => {
  it("costs a batch and is let go, and comes back for the rest", { timeout: 30_000 }, async () => {
    const taken: number[] = [];
    const source = {
      end: async () => ({ tx: "1", seq: "0" }),
      after: async (_tenant: string, _filter: object, from: { seq: string }) => {
        const violations = Array.from({ length: 200 }, (_, i) => ({ position: { tx: "1", seq: String(Number(from.seq) + i + 1) } }));
        taken.push(violations.length);
        return { violations: violations as never, next: { tx: "1", seq: String(Number(from.seq) + 200) } };
      },
    };
    const feed = new ViolationFeed(source);
    await feed.follow({
      tenant: "t",
      filter: {},
      from: undefined,
      signal: new AbortController().signal,
      take: async (some) => some.length === 0,
      stillAllowed: async () => {},
    });
    expect([taken.length, feed.listeners]).toEqual([1, 0]);

    for (let i = 0; i < 12; i++) await hit(one, `flood${i}-`, 100);
    const silent = request(`${one.url}/v1/violations/stream?since=2020-01-01T00:00:00Z`, { headers: { authorization: `Bearer ${key}` } });
    silent.on("error", () => {});
    silent.end();
    await new Promise((resolve) => silent.once("response", (response) => resolve(response.pause())));
    const before = process.memoryUsage().heapUsed;
    for (let i = 0; i < 5; i++) await hit(one, `more${i}-`, 100);
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(64 * 1024 * 1024);
    expect((await one.call("GET", "/v1/violations?limit=1", { key })).status).toBe(200);
    silent.destroy();
  });
});

describe("the order of events", () => {
  it("holds where one transaction is open while a later one commits", async () => {
    const store = new ViolationStore(pool.db);
    const [slow, quick] = [await openClient(connection, () => {}), await openClient(connection, () => {})];
    const insert = "insert into events (tenant, type, subject, data) values ('default', 'violation', $1, $2)";
    const data = (n: number) => JSON.stringify({ n, ruleId: "order" });
    const start = await store.end();
    await slow.query("begin");
    await slow.query(insert, ["run_slow", data(0)]);
    await quick.query(insert, ["run_quick", data(0)]);
    const early = await store.after("default", { rule: "order" }, start, 10);
    expect(early.violations).toEqual([]); // to tell of the later one now would be to miss the earlier
    await slow.query("commit");
    await sleep(0);
    const late = await store.after("default", { rule: "order" }, early.next, 10);
    expect(late.violations.map(({ run_id }) => run_id)).toEqual(["run_slow", "run_quick"]);
    expect((await store.after("default", { rule: "order" }, late.next, 10)).violations).toEqual([]);
    await Promise.all([slow.end(), quick.end()]);
  });
});

describe("filters", () => {
  it("are values and never part of the statement", async () => {
    const attacks = ["' or '1'='1", "x'; drop table events; --", "%", "_", "\\", '"', "$1", "a\u2028b", "😀"];
    for (const attack of attacks)
      for (const field of ["rule", "rule_prefix", "policy", "text"]) {
        const { status, body } = await one.call("GET", `/v1/violations?${field}=${encodeURIComponent(attack)}`, { key });
        expect([status, body.data], `${field}=${attack}`).toEqual([200, []]);
      }
    expect((await one.call("GET", "/v1/violations?text=%00", { key })).status).toBe(400);
  });

  it("find by what they say", async () => {
    await one.call("POST", "/v1/tenants", { key, body: { id: "found" } });
    const mine = await one.key(["run"], "found");
    const each = [
      { rule_id: "disable-cap-chown", enforcer: "BPF" as const, event: { operation: "Capability" as const, capability: "chown" } },
      { rule_id: "disable-cap-kill", enforcer: "Seccomp" as const, event: { operation: "Syscall" as const, syscall: "kill", arguments: [] } },
      {
        rule_id: "other",
        enforcer: "BPF" as const,
        event: { operation: "File" as const, path: "/Etc/Secret", permissions: ["read" as const] },
        comm: "100%cat",
      },
    ].map((more) => ({ ...SHADOW, ...more }));
    agent.script = (scene) => scene.result({ violations: each });
    const { id } = (await one.call("POST", "/v1/runs", { key: mine, body: { language: "bash", code: "x" } })).body;
    const found = async (query: string) =>
      (await one.call("GET", `/v1/violations?${query}`, { key: mine })).body.data.map(({ rule_id }: { rule_id: string }) => rule_id).sort();
    expect(await found("rule_prefix=disable-cap-")).toEqual(["disable-cap-chown", "disable-cap-kill"]);
    expect(await found("operation=File")).toEqual(["other"]);
    expect(await found("enforcer=Seccomp")).toEqual(["disable-cap-kill"]);
    expect(await found("text=secret")).toEqual(["other"]);
    expect(await found("text=100%25")).toEqual(["other"]);
    expect(await found("text=chown")).toEqual(["disable-cap-chown"]);
    expect([await found("audited=false"), (await found("audited=true")).length, (await found("policy=default")).length]).toEqual([[], 3, 3]);
    expect([await found(`until=${new Date(0).toISOString()}`), (await found(`run_id=${id}&since=${new Date(0).toISOString()}`)).length]).toEqual([[], 3]);
  });
});
