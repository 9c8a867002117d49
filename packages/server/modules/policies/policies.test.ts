import { type HostFacts, PlastronError } from "@plastron/contracts";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { openClient } from "../../database/pool.ts";
import { startTestCluster, type TestCluster } from "../../testing/database.ts";
import { FAKE_COMPILER, startTestServer, type TestServer } from "../../testing/harness.ts";
import { HOST, type ScriptedAgent, startScriptedAgent } from "../../testing/scripted-agent.ts";
import type { Compiler } from "./compiled.ts";
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

describe("for the tier that runs", () => {
  const guest: HostFacts = { ...HOST, driver: "gvisor", tier: 3 };
  let second: TestServer;
  let mine: string;
  beforeAll(async () => {
    const compiler: Compiler = {
      ...FAKE_COMPILER,
      compile(text, host, options) {
        const compiled = FAKE_COMPILER.compile(text, host, options);
        const min_tier = text.includes("tier-3") ? (3 as const) : (2 as const);
        return { ...compiled, confinement: { ...compiled.confinement, min_tier, id: (text.length * 16 + host.tier).toString(16).padStart(64, "0") } };
      },
    };
    second = await startTestServer(await cluster.database(), agent.path, {}, { compiler });
    mine = await second.key(["admin"]);
  }, 60_000);
  afterEach(() => {
    agent.facts = () => HOST;
  });
  afterAll(() => second.close());
  const call = (method: string, path: string, body: object) => second.call(method, path, { key: mine, body });
  const tierOfLastRun = () => Number.parseInt(confinementOfLastRun().at(-1) as string, 16);
  const program = { language: "bash", code: "x" };

  it("are compiled once for each driver that runs ask for, by the run or by the policy itself", async () => {
    agent.facts = (tier) => (tier === 3 ? guest : HOST);
    await call("PUT", "/v1/policies/any", { yaml: "ok: any" });
    await call("PUT", "/v1/policies/strong", { yaml: "ok: tier-3" });
    const tiers: number[] = [];
    for (const more of [{ policy: "any" }, { policy: "any", min_tier: 3 }, { policy: "any" }, { policy: "strong" }]) {
      expect((await call("POST", "/v1/runs", { ...program, ...more })).status).toBe(200);
      tiers.push(tierOfLastRun());
    }
    expect(tiers).toEqual([2, 3, 2, 3]);
    expect((agent.requests.at(-1) as { spec: { min_tier: number } }).spec.min_tier).toBe(3);
    expect((await call("POST", "/v1/policies/compile", { yaml: "ok: any", min_tier: 3 })).body).toMatchObject({ host: { driver: "gvisor" }, min_tier: 2 });
    expect((await call("POST", "/v1/policies/compile", { yaml: "ok: tier-3" })).body).toMatchObject({ host: { driver: "gvisor" }, min_tier: 3 });
  });

  it("are compiled all the same where the host has no such driver: the agent refuses the run, and that is on record", async () => {
    const fresh = await startTestServer(await cluster.database(), agent.path);
    const admin = await fresh.key(["admin"]);
    const echo = agent.script;
    agent.facts = (tier) => {
      if (tier === 3) throw new PlastronError("tier_unavailable", "no gVisor here");
      return HOST;
    };
    agent.script = (scene) => scene.problem("tier_unavailable", "no gVisor here");
    const refused = await fresh.call("POST", "/v1/runs", { key: admin, body: { ...program, min_tier: 3 } });
    agent.script = echo;
    expect(refused.body.code).toBe("tier_unavailable");
    expect((await fresh.call("GET", "/v1/runs", { key: admin })).body.data).toMatchObject([{ status: "refused", problem: { code: "tier_unavailable" } }]);
    await fresh.close();
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

  it("is looked at again, since an agent that was started again may have another consent", async () => {
    let permissive = false;
    let away = false;
    const host = new HostKnowledge(async () => {
      if (away) throw new Error("no agent");
      return { ...HOST, permissive };
    });
    expect(await host.lookAgain()).toBe(false);
    await host.facts();
    expect(await host.lookAgain()).toBe(false);
    permissive = true;
    away = true;
    expect([await host.lookAgain(), (await host.facts()).permissive]).toEqual([false, false]);
    away = false;
    expect([await host.lookAgain(), (await host.facts()).permissive, await host.lookAgain()]).toEqual([true, true, false]);
  });
});
