import type { AgentRequest } from "@plastron/contracts";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Connection } from "../../database/pool.ts";
import { startTestCluster, type TestCluster } from "../../testing/database.ts";
import { startTestServer, type TestServer } from "../../testing/harness.ts";
import { type ScriptedAgent, startScriptedAgent } from "../../testing/scripted-agent.ts";

let cluster: TestCluster;
let connection: Connection;
let agent: ScriptedAgent;
let server: TestServer;
let admin: string;
let runner: string;
beforeAll(async () => {
  [cluster, agent] = await Promise.all([startTestCluster(), startScriptedAgent()]);
  connection = await cluster.database();
  server = await startTestServer(connection, agent.path);
  admin = await server.key();
  runner = await server.key(["run", "read"]);
}, 60_000);
afterAll(async () => {
  await server.close();
  await Promise.all([cluster.stop(), agent.stop()]);
});
beforeEach(() => {
  agent.requests.length = 0;
});

const API = [{ domains: ["api.example.org"] }];
const secrets = [{ env: "KEY", name: "openai", key: "token", hosts: ["api.example.org"] }];
const program = (more: object) => ({ language: "python3", code: "print(1)", ...more });
const run = (more: object, key = runner, headers = {}) => server.call("POST", "/v1/runs", { key, body: program(more), headers });
const lastRun = () => agent.requests.findLast((request): request is Extract<AgentRequest, { op: "run" }> => request.op === "run")?.spec;

describe("a run's network", () => {
  it("is none unless it is asked for, and what was asked for then, in what the agent is told and in the record", async () => {
    expect((await run({})).body).toMatchObject({ status: "completed", network: null });
    expect(lastRun()?.confinement.network).toBeNull();
    const { body } = await run({ network: { allow: [{ domains: ["API.example.org"], methods: ["get"] }] } });
    const network = { given_by: "request", allow: [{ domains: ["api.example.org"], ports: [80, 443], methods: ["get"] }], secrets: [] };
    expect(body).toMatchObject({ status: "completed", network });
    expect(lastRun()?.confinement.network).toMatchObject({ default_action: "deny", http: [{ match: { hosts: ["api.example.org"], methods: ["GET"] } }] });
    for (const stored of [`/v1/runs/${body.id}`, "/v1/runs?limit=1"]) {
      const answer = (await server.call("GET", stored, { key: runner })).body;
      expect((answer.data?.[0] ?? answer).network).toEqual(body.network);
    }
  });

  it("is the same confinement for the same request, so that it comes from a warm sandbox", async () => {
    const ids = [];
    for (const allow of [API, API, [{ domains: ["other.example.org"] }]]) {
      await run({ network: { allow } });
      ids.push(lastRun()?.confinement.id);
    }
    expect(ids[0]).toBe(ids[1]);
    expect(ids[2]).not.toBe(ids[0]);
  });

  it.each([
    [{ allow: [] }, "body.network.allow"],
    [{ allow: [{}] }, "body.network.allow.0"],
    [{ allow: [{ domains: ["*"] }] }, "body.network.allow.0.domains.0"],
    [{ allow: [{ domains: ["ok.test", "no one"] }] }, "body.network.allow.0.domains.1"],
    [{ allow: [{ domains: ["ok.test"], ports: [0] }] }, "body.network.allow.0.ports.0"],
    [{ allow: [{ domains: ["ok.test"], host: 1 }] }, "body.network.allow.0"],
    ["all", "body.network"],
    [{ allow: [{ domains: ["*.com"] }] }, "network.allow[0].domains[0]"],
    [{ allow: [{ domains: ["ok.test"] }, { cidrs: ["10.0.0.0/24"] }] }, "network.allow[1].cidrs[0]"],
    [{ allow: [{ domains: ["ok.test"], paths: ["/v1/../admin"] }] }, "network.allow[0].paths[0]"],
  ])("%j is refused with the place of its fault", async (network, path) => {
    const { status, body } = await run({ network });
    expect({ status, code: body.code }).toEqual({ status: 400, code: "invalid_request" });
    expect(body.errors.map((error: { path: string }) => error.path)).toContain(path);
    expect(body.errors[0].message.length).toBeGreaterThan(8);
    expect(agent.requests.filter(({ op }) => op === "run")).toEqual([]);
  });

  it("takes 10,000 entries for what they are, at once", async () => {
    const begun = performance.now();
    const { status } = await run({ network: { allow: Array.from({ length: 10_000 }, (_, i) => ({ domains: [`a${i}.test`] })) } });
    expect(status).toBe(400);
    expect(performance.now() - begun).toBeLessThan(2_000);
  });

  it("belongs to a request's identity: a repeated key with another network is a conflict", async () => {
    const headers = { "idempotency-key": "network-1" };
    expect((await run({ network: { allow: API } }, runner, headers)).status).toBe(200);
    expect((await run({ network: { allow: API } }, runner, headers)).status).toBe(200);
    expect((await run({ network: { allow: [{ domains: ["other.example.org"] }] } }, runner, headers)).body.code).toBe("conflict");
  });
});

describe("a run's secrets", () => {
  it("are for admins to grant: a key that only runs could send any of them to a host of its own", async () => {
    expect((await run({ network: { allow: API }, secrets })).body).toMatchObject({ code: "forbidden" });
    expect(agent.requests.filter(({ op }) => op === "run")).toEqual([]);
    const { body } = await run({ network: { allow: API }, secrets }, admin);
    expect(body.network.secrets).toEqual(secrets);
    expect(lastRun()).toMatchObject({ secrets, confinement: { network: { mitm: { domains: ["api.example.org"] } } } });
  });

  it.each([
    [{ secrets }, "secrets"],
    [{ network: { allow: [{ domains: ["other.test"] }] }, secrets }, "secrets[0].hosts[0]"],
    [{ network: { allow: API }, secrets: [...secrets, ...secrets] }, "secrets[1].env"],
    [{ network: { allow: API }, secrets, env: { KEY: "x" } }, "body.secrets"],
    [{ network: { allow: API }, secrets: [{ ...secrets[0], env: "LD_PRELOAD" }] }, "body.secrets.0.env"],
    [{ network: { allow: API }, secrets: [{ ...secrets[0], name: "../other" }] }, "body.secrets.0.name"],
    [{ env: { SSL_CERT_FILE: "/tmp/mine" } }, "body.env.SSL_CERT_FILE"],
  ])("%j are refused with the place of the fault", async (request, path) => {
    const { status, body } = await run(request, admin);
    expect({ status, paths: body.errors.map((error: { path: string }) => error.path) }).toEqual({ status: 400, paths: [path] });
  });
});

describe("a session's network", () => {
  it("is its own for its life: what was asked when it was opened is told of each run, and no run asks for another", async () => {
    const opened = await server.call("POST", "/v1/sessions", { key: admin, body: { language: "python3", network: { allow: API }, secrets } });
    expect(opened).toMatchObject({ status: 201, body: { network: { given_by: "request", allow: [{ domains: ["api.example.org"] }], secrets } } });
    expect(agent.requests.find(({ op }) => op === "session.open")).toMatchObject({ secrets, confinement: { network: { default_action: "deny" } } });
    const path = `/v1/sessions/${opened.body.id}`;
    expect((await server.call("GET", path, { key: runner })).body.network).toEqual(opened.body.network);
    expect((await server.call("POST", `${path}/runs`, { key: runner, body: { code: "1" } })).body.network).toEqual(opened.body.network);
    expect((await server.call("POST", `${path}/runs`, { key: runner, body: { code: "1", network: { allow: API } } })).status).toBe(400);
    expect((await server.call("POST", "/v1/sessions", { key: runner, body: { language: "python3", network: { allow: API }, secrets } })).body.code).toBe(
      "forbidden",
    );
  });
});

describe("the operator's word", () => {
  it("keeps every run from asking, and leaves those that ask for nothing or for none", async () => {
    const strict = await startTestServer(connection, agent.path, { PLASTRON_RUN_NETWORK: "deny" });
    const post = (more: object) => strict.call("POST", "/v1/runs", { key: admin, body: program(more) });
    expect(await post({ network: { allow: API } })).toMatchObject({ status: 403, body: { code: "forbidden", hint: expect.stringContaining("--run-network") } });
    expect((await post({ network: "none" })).status).toBe(200);
    expect((await post({})).status).toBe(200);
    await strict.close();
  });

  it("is refused by name where the host has no way out", async () => {
    const bare = await startScriptedAgent();
    bare.facts = () => ({ ...agent.facts(1), egress: false, driver: "gvisor", tier: 3 });
    const other = await startTestServer(connection, bare.path);
    const answer = await other.call("POST", "/v1/runs", { key: admin, body: program({ network: { allow: API } }) });
    expect(answer).toMatchObject({ status: 409, body: { code: "tier_unavailable", detail: expect.stringContaining("gVisor") } });
    await other.close();
    await bare.stop();
  });
});
