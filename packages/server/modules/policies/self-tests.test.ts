import { type FidelityRow, UNSEEN } from "@plastron/contracts";
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { startTestCluster, type TestCluster } from "../../testing/database.ts";
import { FAKE_COMPILER, parseEvents, startTestServer, type TestServer } from "../../testing/harness.ts";
import { held, type ScriptedAgent, startScriptedAgent } from "../../testing/scripted-agent.ts";

let cluster: TestCluster;
let agent: ScriptedAgent;
let server: TestServer;
let key: string;

const row = (rule: string, forbidden: string, allowed = "exit 0"): FidelityRow => ({
  ...{ rule, category: "spec.policy", fidelity: "exact", mechanism: "seccomp", note: "" },
  self_tests: [{ id: rule, runtime: "bash", forbidden, allowed, weakness: null }],
});
const ROWS: FidelityRow[] = [
  row("held", "exit 13"),
  row("broken", "exit 0"),
  row("shares-programs", "exit 13"),
  { ...row("not-here", "exit 13"), fidelity: "unsupported", self_tests: [] },
];
/** Every program ends as it says. */
const obey: ScriptedAgent["script"] = (scene) => scene.result({ status: "failed", exit_code: Number(/exit (\d+)/.exec(scene.spec.code)?.[1]) });

beforeAll(async () => {
  [cluster, agent] = await Promise.all([startTestCluster(), startScriptedAgent(obey)]);
  const compiler = {
    ...FAKE_COMPILER,
    compile: (...given: Parameters<typeof FAKE_COMPILER.compile>) => ({ ...FAKE_COMPILER.compile(...given), fidelity: ROWS }),
  };
  server = await startTestServer(await cluster.database(), agent.path, {}, { compiler });
  key = await server.key(["admin"]);
}, 60_000);
afterEach(() => {
  agent.script = obey;
  agent.requests.length = 0;
});
afterAll(async () => {
  await server.close();
  await Promise.all([cluster.stop(), agent.stop()]);
});

const test = (body: object = {}, as = key) => server.call("POST", "/v1/policies/test", { key: as, body: { yaml: "ok", ...body } });

it("tries each rule in sandboxes of this host, each program once, and leaves no record", async () => {
  const { status, body } = await test();
  expect(status).toBe(200);
  expect(body).toMatchObject({ passed: 2, failed: 1, unclaimed: 1, driver: "local", tier: 2 });
  expect(body.rows.map((each: { rule: string; verdict: string }) => [each.rule, each.verdict])).toEqual([
    ["held", "passed"],
    ["broken", "failed"],
    ["shares-programs", "passed"],
    ["not-here", "unclaimed"],
  ]);
  expect(body.rows[1].tests[0].why).toBe("what it forbids was possible");
  const runs = agent.requests.filter((request) => request.op === "run");
  expect(runs).toHaveLength(2); // `exit 13` and `exit 0`, however many rules share them
  expect(new Set(runs.map((request) => request.spec.tenant))).toEqual(new Set([".policy-test"]));
  expect((await server.call("GET", "/v1/runs", { key })).body.data).toEqual([]);
  await expect.poll(() => agent.requests.some(({ op }) => op === "retire")).toBe(true);
});

it("asks of a rule that only observes that it passes and is recorded", async () => {
  const observing = ROWS.splice(0, ROWS.length, { ...row("seen", "exit 0 #seen"), observes: true }, { ...row("unseen", "exit 0 #unseen"), observes: true });
  const violation = {
    ...UNSEEN,
    ...{ rule_id: "seen", rule_path: "spec.policy", enforcer: "Seccomp" as const, action: "AUDIT" as const, pid: 1, comm: "bash", mnt_ns_id: null },
    ...{ event: { operation: "Syscall" as const, syscall: "splice", arguments: [] }, at: new Date().toISOString() },
  };
  agent.script = (scene) => scene.result({ exit_code: 0, violations: scene.spec.code.includes("#seen") ? [violation, violation] : [] });
  const { body } = await test().finally(() => ROWS.splice(0, ROWS.length, ...observing));
  expect(body.rows).toMatchObject([
    { verdict: "passed", observes: true, tests: [{ forbidden: { violations: [{ rule_id: "seen", action: "AUDIT" }] } }] },
    { verdict: "failed", tests: [{ why: "what it observes passed and was not recorded" }] },
  ]);
});

it("streams a row as soon as it is known", async () => {
  const events = parseEvents((await test({ stream: true })).body);
  expect(events.map(({ event }) => event)).toEqual(["row", "row", "row", "row", "result"]);
  expect([events[1]?.data.verdict, events[4]?.data.failed]).toEqual(["failed", 1]);
});

it("is for admins, of valid policies, and one at a time", async () => {
  expect((await test({}, await server.key(["run"]))).status).toBe(403);
  expect((await test({ yaml: "nonsense" })).body.code).toBe("invalid_policy");
  const scene = held(agent);
  const first = test();
  const { result } = await scene;
  expect(await test()).toMatchObject({ status: 503, body: { code: "overloaded" } });
  agent.script = obey;
  result({ status: "failed", exit_code: 13 });
  expect((await first).body.failed).toBe(1);
});

it("ends with the client that asked", async () => {
  const scene = held(agent);
  const controller = new AbortController();
  const gone = fetch(`${server.url}/v1/policies/test`, {
    ...{ method: "POST", body: JSON.stringify({ yaml: "ok" }), signal: controller.signal },
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
  }).catch(() => "gone");
  const { killed } = await scene;
  controller.abort();
  await gone;
  expect(await killed).toBe("the test was ended");
  agent.script = obey;
  await expect.poll(async () => (await test()).status).toBe(200);
});

it("says that no agent answers rather than that every rule failed", async () => {
  agent.script = (scene) => scene.vanish();
  expect((await test()).body).toMatchObject({ status: 503, code: "agent_unavailable" });
});
