import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openClient } from "../../database/pool.ts";
import { startTestCluster, type TestCluster } from "../../testing/database.ts";
import { startTestServer, type TestServer } from "../../testing/harness.ts";
import { HOST, type ScriptedAgent, startScriptedAgent } from "../../testing/scripted-agent.ts";
import { HostKnowledge } from "./host.ts";

let cluster: TestCluster;
let agent: ScriptedAgent;
let server: TestServer;
let key: string;
let connection: Awaited<ReturnType<TestCluster["database"]>>;

beforeAll(async () => {
  [cluster, agent] = await Promise.all([startTestCluster(), startScriptedAgent()]);
  connection = await cluster.database();
  server = await startTestServer(connection, agent.path);
  key = await server.key(["admin"]);
}, 60_000);
afterAll(async () => {
  await server.close();
  await Promise.all([cluster.stop(), agent.stop()]);
});

const put = (name: string, yaml: string) => server.call("PUT", `/v1/policies/${name}`, { key, body: { yaml } });
const confinementOfLastRun = () => (agent.requests.at(-1) as { spec: { confinement: { id: string } } }).spec.confinement.id;
const run = (policy: string) => server.call("POST", "/v1/runs", { key, body: { language: "bash", code: "x", policy } });
const idOf = (yaml: string) => yaml.length.toString(16).padStart(64, "0");

describe("policies", () => {
  it("are stored in versions, and a run names the one it ran under", async () => {
    const first = await put("strict", "ok: 1");
    expect(first).toMatchObject({ status: 201, body: { name: "strict", version: 1, yaml: "ok: 1", fidelity: [{ rule: "r", fidelity: "exact" }] } });
    expect((await put("strict", "ok: 1")).body.version).toBe(1);
    expect((await run("strict")).body.policy).toEqual({ name: "strict", version: 1 });
    expect(await put("strict", "ok: two")).toMatchObject({ status: 200, body: { version: 2 } });
    expect((await run("strict")).body.policy).toEqual({ name: "strict", version: 2 });
    expect(confinementOfLastRun()).toBe(idOf("ok: two"));
    expect((await server.call("GET", "/v1/policies/strict?version=1", { key })).body.yaml).toBe("ok: 1");
    expect((await server.call("GET", "/v1/policies", { key })).body.data).toMatchObject([{ name: "strict", version: 2 }]);
  });

  it("do not work any more once deleted, and stay on record", async () => {
    await put("gone", "ok");
    await run("gone");
    expect((await server.call("DELETE", "/v1/policies/gone", { key })).status).toBe(204);
    expect((await run("gone")).body.code).toBe("not_found");
    expect((await server.call("GET", "/v1/policies/gone", { key })).status).toBe(404);
    expect((await server.call("GET", "/v1/policies/gone?version=1", { key })).body.yaml).toBe("ok");
    expect((await server.call("DELETE", "/v1/policies/gone", { key })).status).toBe(404);
    expect((await put("gone", "ok")).body.version).toBe(3);
  });

  it("may be sent as YAML", async () => {
    const headers = { "content-type": "application/yaml" };
    expect((await server.call("PUT", "/v1/policies/plain", { key, body: "ok: plain", headers })).body).toMatchObject({ version: 1, yaml: "ok: plain" });
    const compiled = await server.call("POST", "/v1/policies/compile", { key, body: "ok: plain", headers });
    expect(compiled.body).toMatchObject({ confinement: idOf("ok: plain"), fidelity: [{ rule: "r" }], host: HOST });
  });

  it("that are wrong are refused with the place, and not stored", async () => {
    expect((await put("wrong", "nonsense")).body).toMatchObject({ status: 422, code: "invalid_policy", errors: [{ path: "spec", line: 1, column: 1 }] });
    expect((await server.call("POST", "/v1/policies/compile", { key, body: { yaml: "nonsense" } })).status).toBe(422);
    expect((await server.call("GET", "/v1/policies/wrong", { key })).status).toBe(404);
    expect((await put("default", "ok")).body.code).toBe("conflict");
    expect((await put("nul", "ok\u0000")).body.code).toBe("invalid_policy");
    expect((await put("..%2f", "ok")).status).toBe(400);
  });

  it("are compiled once for many runs", async () => {
    await put("cached", "ok: cached");
    const client = await openClient(connection, () => {});
    await run("cached");
    await client.query("delete from policy_versions where name = 'cached'"); // what the cache does not need
    expect((await run("cached")).status).toBe(200);
    await client.end();
  });
});

describe("what is known of the host", () => {
  it("is asked for once, and again after a failure", async () => {
    let calls = 0;
    const host = new HostKnowledge(async () => {
      if (++calls === 1) throw new Error("no agent yet");
      return HOST;
    });
    await expect(host.facts()).rejects.toThrow("no agent yet");
    expect(await Promise.all([host.facts(), host.facts()])).toEqual([HOST, HOST]);
    expect(calls).toBe(2);
  });
});
