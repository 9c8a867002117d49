import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Connection, openClient } from "../../database/pool.ts";
import { startTestCluster, type TestCluster } from "../../testing/database.ts";
import { startTestServer, type TestServer } from "../../testing/harness.ts";
import { type ScriptedAgent, startScriptedAgent } from "../../testing/scripted-agent.ts";
import type { ResolvedPolicy } from "./compiled.ts";
import { ResolvedCache } from "./resolved-cache.ts";

let cluster: TestCluster;
let agent: ScriptedAgent;
let connection: Connection;
let one: TestServer;
let two: TestServer;
let key: string;

beforeAll(async () => {
  [cluster, agent] = await Promise.all([startTestCluster(), startScriptedAgent()]);
}, 60_000);
beforeEach(async () => {
  agent.requests.length = 0;
  connection = await cluster.database();
  one = await startTestServer(connection, agent.path);
  two = await startTestServer(connection, agent.path, {}, { serverId: "test-server-2" });
  key = await one.key(["admin"]);
  await sleep(100); // both listen
});
afterEach(() => Promise.all([one.close(), two.close()]));
afterAll(() => Promise.all([cluster.stop(), agent.stop()]));

const put = (server: TestServer, yaml: string, name = "live") => server.call("PUT", `/v1/policies/${name}`, { key, body: { yaml } });
const run = (server: TestServer) => server.call("POST", "/v1/runs", { key, body: { language: "bash", code: "x", policy: "live" } });
const idOf = (yaml: string) => yaml.length.toString(16).padStart(64, "0");
const retired = () => agent.requests.flatMap((request) => (request.op === "retire" ? [request.confinement] : []));

describe("a policy that is replaced", () => {
  it("holds for every run that begins after the answer, under load, and on another server within a moment", { timeout: 30_000 }, async () => {
    await put(one, "ok: 0");
    let stop = false;
    /** What each run was begun after, and what it got: never older. */
    const seen: { server: TestServer; atLeast: number; got: number }[] = [];
    let answered = 1;
    const load = [one, one, one, two].map(async (server) => {
      while (!stop) {
        const atLeast = answered;
        const { body } = await run(server);
        seen.push({ server, atLeast, got: body.policy.version });
      }
    });
    for (let version = 2; version <= 25; version++) {
      expect((await put(one, `ok: ${"x".repeat(version)}`)).body.version).toBe(version);
      answered = version;
      await sleep(10);
    }
    await expect.poll(async () => (await run(two)).body.policy.version, { timeout: 10_000, interval: 5 }).toBe(25);
    stop = true;
    await Promise.all(load);
    expect(seen.length).toBeGreaterThan(100);
    expect(seen.filter(({ server, atLeast, got }) => server === one && got < atLeast)).toEqual([]);
    expect(Math.max(...seen.filter(({ server }) => server === two).map(({ atLeast, got }) => atLeast - got))).toBeLessThan(24);
  });

  it("takes the warm sandboxes of the old confinement along, and no others", async () => {
    await put(one, "ok: old");
    await run(one);
    await put(one, "ok: same length as", "twin");
    await put(one, "ok: new and longer");
    await expect.poll(retired).toContain(idOf("ok: old"));
    await run(one);
    await sleep(150); // the notice of our own change has come by now
    expect(retired()).not.toContain(idOf("ok: new and longer"));
    await one.call("POST", "/v1/runs", { key, body: { language: "bash", code: "x", policy: "twin" } });
    await one.call("DELETE", "/v1/policies/live", { key });
    await sleep(50);
    expect(retired()).not.toContain(idOf("ok: new and longer")); // `twin` compiles to the same
    await one.call("DELETE", "/v1/policies/twin", { key });
    await expect.poll(retired).toContain(idOf("ok: new and longer"));
  });

  it("is seen by a server whose connection for notices was cut", async () => {
    await put(one, "ok: 1");
    expect((await run(two)).body.policy.version).toBe(1);
    const client = await openClient(connection, () => {});
    await client.query("select pg_terminate_backend(pid) from pg_stat_activity where query like 'listen%' and datname = current_database()");
    await client.end();
    await put(one, "ok: 22");
    await expect.poll(async () => (await run(two)).body.policy.version, { timeout: 6_000 }).toBe(2);
    await put(one, "ok: 333");
    await expect.poll(async () => (await run(two)).body.policy.version, { timeout: 1_500 }).toBe(3);
  });

  it("leaves open sessions what they were opened with, which they say", async () => {
    const open = async (policy?: string) => (await one.call("POST", "/v1/sessions", { key, body: { language: "bash", policy } })).body;
    await put(one, "ok: old");
    const [session, builtIn] = [await open("live"), await open()];
    expect(session).toMatchObject({ policy: { name: "live", version: 1 }, policy_current: true });
    await put(one, "ok: newer");
    const view = async (id: string) => (await two.call("GET", `/v1/sessions/${id}`, { key })).body;
    expect(await view(session.id)).toMatchObject({ policy: { name: "live", version: 1 }, policy_current: false });
    expect(await view(builtIn.id)).toMatchObject({ policy: { name: "default" }, policy_current: true });
    const { body } = await one.call("POST", `/v1/sessions/${session.id}/runs`, { key, body: { code: "x" } });
    expect(body.policy).toEqual({ name: "live", version: 1 });
    expect((agent.requests.at(-1) as { spec: { confinement: { id: string } } }).spec.confinement.id).toBe(idOf("ok: old"));
    const renewed = await open("live");
    const page = (await one.call("GET", "/v1/sessions", { key })).body.data;
    expect(page.map((row: { id: string; policy_current: boolean }) => [row.id, row.policy_current])).toEqual([
      [renewed.id, true],
      [builtIn.id, true],
      [session.id, false],
    ]);
    await one.call("DELETE", "/v1/policies/live", { key });
    expect(await view(renewed.id)).toMatchObject({ policy_current: false });
  });
});

describe("the cache of resolved policies", () => {
  const policy = (id: string, version = 1) => ({ name: "p", version, confinement: { value: { id } } }) as unknown as ResolvedPolicy;

  it("does not take back what was looked up before it was told to forget", () => {
    const cache = new ResolvedCache();
    const early = cache.begin();
    cache.forget("t p");
    expect([cache.set("t p", 1, early, policy("old")), cache.get("t p", 1)]).toEqual([false, undefined]);
    expect(cache.set("t p", 1, cache.begin(), policy("new"))).toBe(true);
    const late = cache.begin();
    cache.forgetAll();
    expect(cache.set("t q", 1, late, policy("old"))).toBe(false);
  });

  it("names what is used no more, and is bounded", () => {
    const cache = new ResolvedCache();
    for (const [key, id] of [
      ["t p", "a"],
      ["t q", "b"],
      ["u p", "a"],
    ] as const)
      cache.set(key, 1, cache.begin(), policy(id));
    cache.set("t q", 3, cache.begin(), policy("c"));
    expect([cache.forget("t p"), cache.forget("t q"), cache.forget("u p")]).toEqual([[], ["b", "c"], ["a"]]);
    for (let i = 0; i < 20_000; i++) {
      cache.set(`t ${i}`, 1, cache.begin(), policy("x", i));
      if (i % 3 === 0) cache.forget(`t ${i}`);
    }
    expect([cache.versionOf("t 5"), cache.versionOf("t 19999")]).toEqual([0, 19_999]);
  });
});
