import { type Model, noTelemetry } from "@plastron/contracts";
import { compilePolicy, explainFloor, networkSeed, parsePolicy, withBehavior } from "@plastron/policy";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openClient } from "../../database/pool.ts";
import { startTestCluster, type TestCluster } from "../../testing/database.ts";
import { FAKE_COMPILER, startTestServer, type TestServer } from "../../testing/harness.ts";
import { type ScriptedAgent, startScriptedAgent } from "../../testing/scripted-agent.ts";
import type { Compiler } from "../policies/compiled.ts";

const policy = (mode: string) => `apiVersion: crd.varmor.org/v1beta1
kind: VarmorPolicy
metadata: {name: crawler}
spec:
  target: {kind: Pod, name: crawler}
  policy:
    enforcer: AppArmorSeccomp
    ${mode}
`;
const LEARNING = policy("mode: BehaviorModeling\n    modelingOptions: {duration: 10}");
const IN_DEPTH = policy("mode: DefenseInDepth\n    defenseInDepth: {appArmor: {profileType: BehaviorModel}, seccomp: {profileType: BehaviorModel}}");

const compiler: Compiler = {
  ...FAKE_COMPILER,
  compile(text, host, { behavior }) {
    const read = parsePolicy(text);
    const compiled = compilePolicy(behavior ? withBehavior(read, behavior) : read, host);
    const { confinement, fidelity, explain } = compiled;
    const learning = read.spec.policy.mode === "BehaviorModeling" ? { minutes: read.spec.policy.modelingOptions?.duration ?? null } : undefined;
    return { confinement, fidelity, explain, seed: networkSeed(compiled), identity: { name: read.metadata.name, kind: read.kind, namespace: "" }, learning };
  },
  explainFloor,
};

const modelOf = (path: string, complete = true): Model => ({
  syscalls: [{ name: "openat", arguments: [] }],
  capabilities: [],
  files: [{ path, permissions: ["read"] }],
  executions: [],
  sockets: [],
  connections: [],
  names: [],
  complete,
});

let cluster: TestCluster;
let agent: ScriptedAgent;
let connection: Awaited<ReturnType<TestCluster["database"]>>;
let server: TestServer;
let key: string;
beforeAll(async () => {
  [cluster, agent] = await Promise.all([startTestCluster(), startScriptedAgent()]);
  connection = await cluster.database();
  server = await startTestServer(connection, agent.path, {}, { compiler });
  key = await server.key(["admin"]);
  agent.script = (scene) => {
    const asked = scene.spec.sensing === "model";
    const model = asked ? modelOf(`/workspace/${scene.spec.code}`, scene.spec.code !== "lost") : null;
    scene.result({ telemetry: { ...noTelemetry(""), level: "full", reason: null, model } });
  };
}, 60_000);
afterAll(async () => {
  await server.close();
  await Promise.all([cluster.stop(), agent.stop()]);
});

const call = (method: string, path: string, body?: object) => server.call(method, path, { key, ...(body ? { body } : {}) });
const put = (name: string, yaml: string) => call("PUT", `/v1/policies/${name}`, { yaml });
const run = (code: string, name = "crawler") => call("POST", "/v1/runs", { language: "bash", code, policy: name });
const sensingOfLast = () => (agent.requests.at(-1) as { spec: { sensing: string } }).spec.sensing;

describe("a policy that learns", () => {
  it("looks at every run closely, takes them in together, and is told of by its profile", async () => {
    await put("crawler", LEARNING);
    expect((await call("GET", "/v1/policies/crawler/behavior")).status).toBe(404);
    const first = await run("a");
    expect([sensingOfLast(), first.status, first.body.telemetry.model]).toEqual(["model", 200, null]);
    await Promise.all([run("b"), run("c"), run("lost")]);
    const { body } = await call("GET", "/v1/policies/crawler/behavior");
    expect(body).toMatchObject({
      state: "learning",
      version: 1,
      skipped: 1,
      skipped_why: expect.stringContaining("not complete"),
      profile: { runs: 3, runtimes: ["bash"] },
    });
    expect(body.profile.files.map(({ path }: { path: string }) => path)).toEqual(["/workspace/a", "/workspace/b", "/workspace/c"]);
    expect(Date.parse(body.until) - Date.parse(body.started_at)).toBe(600_000);
    expect((await call("GET", "/v1/policies/crawler/behavior?as=armor-profile-model")).body).toMatchObject({ kind: "ArmorProfileModel" });
  });

  it("becomes the policy that allows that and nothing else", async () => {
    const { body } = await call("POST", "/v1/policies/crawler/behavior/policy", { name: "learned" });
    const { watch } = compilePolicy(parsePolicy(body.yaml), (await import("@plastron/contracts")).TYPICAL_HOST).confinement;
    expect(watch.lists?.[0]?.allowed.map(({ glob }) => glob)).toEqual(["/workspace/a", "/workspace/b", "/workspace/c"]);
    expect((await put("learned", body.yaml)).status).toBe(201);
    await run("a", "learned");
    expect(sensingOfLast()).toBe("account");
  });

  it("learns no more once its time is over", async () => {
    const client = await openClient(connection, () => {});
    await client.query("update policy_behaviors set until = now() - interval '1 second'");
    await client.end();
    await run("late");
    await run("later");
    expect(sensingOfLast()).toBe("account");
    expect((await call("GET", "/v1/policies/crawler/behavior")).body).toMatchObject({ state: "completed", profile: { runs: 3 } });
  });

  it("is what a policy of its name in mode DefenseInDepth stands on, and a new one to learn begins anew", async () => {
    const stored = await put("crawler", IN_DEPTH);
    expect(stored.body.fidelity).toContainEqual(expect.objectContaining({ rule: "defenseInDepth.appArmor:file" }));
    await run("a");
    const { spec } = agent.requests.at(-1) as { spec: { sensing: string; confinement: { watch: { lists?: { allowed: unknown[] }[] } } } };
    expect([spec.sensing, spec.confinement.watch.lists?.[0]?.allowed.length]).toEqual(["account", 3]);
    expect((await put("other", IN_DEPTH)).body.fidelity).toContainEqual(
      expect.objectContaining({ fidelity: "unsupported", note: expect.stringContaining("none is given") }),
    );
    await put("crawler", LEARNING);
    await run("new");
    expect((await call("GET", "/v1/policies/crawler/behavior")).body).toMatchObject({ state: "learning", version: 3, profile: { runs: 1 } });
  });

  it("is its tenant's alone, and bad requests are named", async () => {
    expect((await server.call("GET", "/v1/policies/crawler/behavior", {})).status).toBe(401);
    expect((await call("POST", "/v1/policies/crawler/behavior/policy", { nonsense: 1 })).status).toBe(400);
    expect((await call("POST", "/v1/policies/nobody/behavior/policy", {})).body).toMatchObject({
      code: "not_found",
      hint: expect.stringContaining("BehaviorModeling"),
    });
  });
});
