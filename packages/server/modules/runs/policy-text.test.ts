import { createHash } from "node:crypto";
import { afterAll, beforeAll, expect, it } from "vitest";
import { startTestCluster, type TestCluster } from "../../testing/database.ts";
import { FAKE_COMPILER, startTestServer, type TestServer } from "../../testing/harness.ts";
import { type ScriptedAgent, startScriptedAgent } from "../../testing/scripted-agent.ts";

let cluster: TestCluster;
let agent: ScriptedAgent;
let server: TestServer;
let admin: string;
let compiled = 0;

beforeAll(async () => {
  [cluster, agent] = await Promise.all([startTestCluster(), startScriptedAgent()]);
  const compile: typeof FAKE_COMPILER.compile = (...given) => {
    compiled++;
    return FAKE_COMPILER.compile(...given);
  };
  server = await startTestServer(await cluster.database(), agent.path, {}, { compiler: { ...FAKE_COMPILER, compile } });
  admin = await server.key(["admin"]);
}, 60_000);
afterAll(async () => {
  await server.close();
  await Promise.all([cluster.stop(), agent.stop()]);
});

const run = (body: object, key = admin) => server.call("POST", "/v1/runs", { key, body: { language: "bash", code: "x", ...body } });
const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");

it("a policy that comes with the run holds for it, and is on record by name and sha256", async () => {
  const yaml = "ok: of this run";
  const { status, body } = await run({ policy_yaml: yaml });
  expect(status).toBe(200);
  expect(body.policy).toEqual({ name: "named", version: null, sha256: sha256(yaml) });
  expect((agent.requests.at(-1) as { spec: { confinement: { id: string } } }).spec.confinement.id).toBe(yaml.length.toString(16).padStart(64, "0"));
  expect((await server.call("GET", `/v1/runs/${body.id}`, { key: admin })).body.policy).toEqual(body.policy);
  expect((await server.call("GET", "/v1/policies", { key: admin })).body.data).toEqual([]);
});

it("is compiled once for the same text", async () => {
  const before = compiled;
  for (let i = 0; i < 5; i++) await run({ policy_yaml: "ok: again" });
  expect(compiled - before).toBe(1);
  await run({ policy_yaml: "ok: again", upstream_compat: true });
  expect(compiled - before).toBe(2);
});

it("is for admins: whoever may choose any rules can also choose none", async () => {
  expect((await run({ policy_yaml: "ok" }, await server.key(["run"]))).body).toMatchObject({ status: 403, code: "forbidden" });
});

it.each([
  [{ policy_yaml: "nonsense" }, "invalid_policy"],
  [{ policy_yaml: "ok", policy: "stored" }, "invalid_request"],
  [{ policy_yaml: "ok\0" }, "invalid_request"],
  [{ policy_yaml: "" }, "invalid_request"],
])("%j is refused as %s", async (body, code) => {
  expect((await run(body)).body.code).toBe(code);
});
