import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { startTestCluster, type TestCluster } from "../../testing/database.ts";
import { parseEvents, startTestServer, type TestServer } from "../../testing/harness.ts";
import { held, type ScriptedAgent, startScriptedAgent } from "../../testing/scripted-agent.ts";

let cluster: TestCluster;
let agent: ScriptedAgent;
let server: TestServer;
let key: string;
let echo: ScriptedAgent["script"];

beforeAll(async () => {
  [cluster, agent] = await Promise.all([startTestCluster(), startScriptedAgent()]);
  echo = agent.script;
  server = await startTestServer(await cluster.database(), agent.path);
  key = await server.key(["run"]);
}, 60_000);
afterEach(() => {
  agent.script = echo;
});
afterAll(async () => {
  await server.close();
  await Promise.all([cluster.stop(), agent.stop()]);
});

const program = (code: string, more: object = {}) => ({ language: "python3", code, ...more });
const post = (body: object, headers: Record<string, string>) => server.call("POST", "/v1/runs", { key, body, headers });
const streamed = async (body: object, idempotencyKey: string) => {
  const answer = await post({ ...body, stream: true }, { "idempotency-key": idempotencyKey });
  return { events: parseEvents(answer.body) };
};

describe("Idempotency-Key", () => {
  it("gives the same answer to the same request, and runs it once", async () => {
    const runs = () => agent.requests.filter(({ op }) => op === "run").length;
    const before = runs();
    const first = await post(program("once"), { "idempotency-key": "k1" });
    const second = await post(program("once"), { "idempotency-key": "k1" });
    expect(second.body).toEqual(first.body);
    expect(runs() - before).toBe(1);
  });

  it("gives it also while the first is in progress", async () => {
    const scene = held(agent);
    const both = [1, 2].map(() => post(program("both"), { "idempotency-key": "k2" }));
    (await scene).result({ status: "completed" });
    const [a, b] = await Promise.all(both);
    expect(a?.body.id).toBe(b?.body.id);
  });

  it("refuses another request under the same key", async () => {
    await post(program("a"), { "idempotency-key": "k3" });
    expect((await post(program("b"), { "idempotency-key": "k3" })).body).toMatchObject({ status: 409, code: "conflict" });
  });

  it("does not remember a refusal", async () => {
    agent.script = (scene) => scene.problem("overloaded", "full", 1);
    expect((await post(program("later"), { "idempotency-key": "k4" })).status).toBe(503);
    agent.script = echo;
    expect((await post(program("later"), { "idempotency-key": "k4" })).status).toBe(200);
  });

  it("repeats a stream from the record", async () => {
    const first = await streamed(program("s"), "k5");
    const second = await streamed(program("s"), "k5");
    expect(second.events.map(({ event }) => event)).toEqual(["started", "stdout", "result"]);
    expect(second.events.at(-1)?.data).toEqual(first.events.at(-1)?.data);
  });

  it("lets the client leave and come back for the result", async () => {
    const scene = held(agent);
    const controller = new AbortController();
    const gone = fetch(`${server.url}/v1/runs`, {
      ...{ method: "POST", body: JSON.stringify(program("long")), signal: controller.signal },
      headers: { authorization: `Bearer ${key}`, "content-type": "application/json", "idempotency-key": "k6" },
    }).catch(() => "gone");
    const { result } = await scene;
    controller.abort();
    await gone;
    const back = post(program("long"), { "idempotency-key": "k6" });
    await sleep(50);
    result({ status: "completed" });
    expect((await back).body).toMatchObject({ status: "completed" });
  });

  it("belongs to its tenant: another's same key is another key", async () => {
    const operator = await server.key(["admin"]);
    await server.call("POST", "/v1/tenants", { key: operator, body: { id: "acme" } });
    const acme = await server.key(["run"], "acme");
    const mine = await post(program("same"), { "idempotency-key": "k7" });
    const theirs = await server.call("POST", "/v1/runs", { key: acme, body: program("same"), headers: { "idempotency-key": "k7" } });
    expect(theirs.status).toBe(200);
    expect(theirs.body.id).not.toBe(mine.body.id);
  });

  it.each(["", "x".repeat(256), "ü"])("must be printable ASCII of a sane length: %o", async (name) => {
    const call = post(program("x"), { "idempotency-key": name });
    expect((await call).body.code).toBe("invalid_request");
  });
});
