import { afterAll, beforeAll, expect, it } from "vitest";
import { openClient, openPool } from "../../database/pool.ts";
import { startTestCluster, type TestCluster } from "../../testing/database.ts";
import { startTestServer, type TestServer } from "../../testing/harness.ts";
import { type Scene, type ScriptedAgent, startScriptedAgent } from "../../testing/scripted-agent.ts";
import { statusOf } from "./service.ts";
import { SessionStore } from "./store.ts";

let cluster: TestCluster;
let agent: ScriptedAgent;
let server: TestServer;
let key: string;

beforeAll(async () => {
  [cluster, agent] = await Promise.all([startTestCluster(), startScriptedAgent()]);
  server = await startTestServer(await cluster.database(), agent.path);
  key = await server.key(["run"]);
}, 60_000);
afterAll(async () => {
  await server.close();
  await Promise.all([cluster.stop(), agent.stop()]);
});

const open = async (body: object = {}) => (await server.call("POST", "/v1/sessions", { key, body: { language: "python", ...body } })).body;

it("opens, runs several programs in it, lists and closes", async () => {
  const session = await open({ ttl_ms: 60_000, limits: { pids: 9 } });
  expect(session).toMatchObject({ status: "open", language: "python3", policy: { name: "default", version: null }, limits: { pids: 9 } });
  expect(Date.parse(session.expires_at) - Date.parse(session.created_at)).toBe(60_000);
  for (const code of ["x = 1", "print(x)"]) {
    const run = await server.call("POST", `/v1/sessions/${session.id}/runs`, { key, body: { code, timeout_ms: 777 } });
    expect(run.body).toMatchObject({ status: "completed", session_id: session.id, stdout: code });
  }
  expect(agent.requests.at(-1)).toMatchObject({
    op: "session.run",
    session_id: session.id,
    tenant: "default",
    spec: { runtime: "python3", limits: { pids: 9, wall_ms: 777 } },
  });
  const runs = await server.call("GET", `/v1/runs?session_id=${session.id}`, { key });
  expect(runs.body.data).toHaveLength(2);
  expect((await server.call("GET", "/v1/sessions", { key })).body.data[0].id).toBe(session.id);
  expect((await server.call("DELETE", `/v1/sessions/${session.id}`, { key })).status).toBe(204);
  expect(agent.openSessions.has(session.id)).toBe(false);
  expect((await server.call("GET", `/v1/sessions/${session.id}`, { key })).body).toMatchObject({ status: "closed", close_reason: "closed by request" });
  expect((await server.call("POST", `/v1/sessions/${session.id}/runs`, { key, body: { code: "1" } })).body).toMatchObject({
    status: 410,
    code: "session_gone",
  });
  expect((await server.call("DELETE", `/v1/sessions/${session.id}`, { key })).status).toBe(204);
});

it("streams a run in a session", async () => {
  const session = await open();
  const { body } = await server.call("POST", `/v1/sessions/${session.id}/runs`, { key, body: { code: "hello", stream: true } });
  expect(body).toMatch(/event: started[\s\S]*event: stdout\ndata: {"text":"hello"}[\s\S]*event: result/);
});

it("notes it when the agent has ended the session by itself", async () => {
  const session = await open();
  agent.openSessions.delete(session.id);
  const run = await server.call("POST", `/v1/sessions/${session.id}/runs`, { key, body: { code: "1" } });
  expect(run.body).toMatchObject({ code: "session_gone", detail: "it reached its time to live" });
  expect((await server.call("GET", `/v1/sessions/${session.id}`, { key })).body).toMatchObject({
    status: "closed",
    close_reason: "it reached its time to live",
  });
});

it("is closed on record once a program took its interpreter along, and not before", async () => {
  const echo = agent.script;
  const session = await open();
  const after = async (result: Parameters<Scene["result"]>[0], more: object = {}) => {
    agent.script = (scene) => scene.result(result);
    await server.call("POST", `/v1/sessions/${session.id}/runs`, { key, body: { code: "1", ...more } });
    return (await server.call("GET", `/v1/sessions/${session.id}`, { key })).body;
  };
  expect(await after({ status: "memory_exceeded", exit_code: 137, reason: "a child used too much" })).toMatchObject({ status: "open" });
  expect(await after({ status: "timed_out", exit_code: null, signal: "SIGKILL", reason: "it ran too long" }, { stream: true })).toMatchObject({
    status: "closed",
    close_reason: "a program ended it: it ran too long",
  });
  agent.script = echo;
});

it("is opened once for one Idempotency-Key", async () => {
  const options = { key, body: { language: "bash" }, headers: { "idempotency-key": "open-1" } };
  const [first, second] = [await server.call("POST", "/v1/sessions", options), await server.call("POST", "/v1/sessions", options)];
  expect(second.body).toEqual(first.body);
});

it("takes no language, policy or memory limit for a single run", async () => {
  const session = await open();
  for (const more of [{ language: "bash" }, { policy: "p" }, { limits: { memory_bytes: 2 ** 30 } }]) {
    expect((await server.call("POST", `/v1/sessions/${session.id}/runs`, { key, body: { code: "1", ...more } })).status).toBe(400);
  }
});

it("is expired after its time to live, whatever the agent says", () => {
  const row = { closed_at: null, expires_at: new Date(1000) };
  expect([statusOf(row, 999), statusOf(row, 1000), statusOf({ ...row, closed_at: new Date(1) }, 999)]).toEqual(["open", "expired", "closed"]);
});

it("is deleted from the record past its retention, and not before", async () => {
  const database = await cluster.database();
  const client = await openClient(database, () => {});
  const pool = openPool(database, () => {});
  for (const [id, days] of Object.entries({ old: 8, young: 6 }))
    await client.query(
      `insert into sessions (id, tenant, language, policy, confinement, limits, expires_at)
       values ($1, 'default', 'bash', 'default', '{}', '{}', now() - make_interval(days => $2))`,
      [id, days],
    );
  await new SessionStore(pool.db).expire(7);
  expect((await client.query("select id from sessions")).rows).toEqual([{ id: "young" }]);
  await pool.close();
  await client.end();
});
