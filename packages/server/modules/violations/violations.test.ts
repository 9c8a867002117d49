import { setTimeout as sleep } from "node:timers/promises";
import { MAX_VIOLATIONS, type Violation } from "@plastron/contracts";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { type Connection, openClient } from "../../database/pool.ts";
import { startTestCluster, type TestCluster } from "../../testing/database.ts";
import { parseEvents, startTestServer, type TestServer } from "../../testing/harness.ts";
import { held, type ScriptedAgent, SHADOW, startScriptedAgent } from "../../testing/scripted-agent.ts";
import type { ViolationRecord } from "./record.ts";

let cluster: TestCluster;
let agent: ScriptedAgent;
let connection: Connection;
let server: TestServer;
let key: string;
let echo: ScriptedAgent["script"];
let logged: ViolationRecord[];

beforeAll(async () => {
  [cluster, agent] = await Promise.all([startTestCluster(), startScriptedAgent()]);
  echo = agent.script;
  connection = await cluster.database();
  logged = [];
  const violationsLog = {
    write: (record: ViolationRecord) => logged.push(record),
    state: { path: "", written: 0, lost: 0, error: null },
    close: async () => {},
  };
  server = await startTestServer(connection, agent.path, {}, { violationsLog: violationsLog as never });
  key = await server.key(["admin"]);
}, 60_000);
afterEach(() => {
  agent.script = echo;
});
afterAll(async () => {
  await server.close();
  await Promise.all([cluster.stop(), agent.stop()]);
});

const post = (body: object = {}, as = key) => server.call("POST", "/v1/runs", { key: as, body: { language: "bash", code: "x", ...body } });
const list = async (query = "", as = key) => (await server.call("GET", `/v1/violations${query}`, { key: as })).body;
const events = async (run: string) => {
  const client = await openClient(connection, () => {});
  const { rows } = await client.query("select type, data from events where subject = $1 order by seq", [run]);
  await client.end();
  return rows as { type: string; data: ViolationRecord & { n: number } }[];
};
const hits =
  (count: number, more: (i: number) => Partial<Violation> = () => ({})): ScriptedAgent["script"] =>
  (scene) => {
    const violations = Array.from({ length: count }, (_, i) => ({ ...SHADOW, ...more(i) }));
    for (const violation of violations) scene.violation(violation);
    scene.result({ violations, violations_dropped: 0 });
  };

describe("a run that hits a rule", () => {
  it("has it in its result, in the events, and in the log in vArmor's shape", async () => {
    agent.script = hits(1);
    await server.call("PUT", "/v1/policies/strict", { key, body: { yaml: "ok: strict" } });
    const { body } = await post({ policy: "strict" });
    expect(body).toMatchObject({ violations: [SHADOW], violations_dropped: 0, violations_total: 1 });
    const stored = (await server.call("GET", `/v1/runs/${body.id}`, { key })).body;
    expect(stored.violations).toEqual(body.violations);
    expect((await server.call("GET", "/v1/runs?limit=1", { key })).body.data[0]).toMatchObject({ violations_total: 1 });
    const rows = await events(body.id);
    expect(rows.map(({ type }) => type)).toEqual(["run.admitted", "violation", "run.finished"]);
    const { n, ...record } = (rows[1] as (typeof rows)[number]).data;
    expect(n).toBe(0);
    expect(record).toEqual(logged.at(-1));
    expect(record).toEqual({
      level: "warn",
      metadata: { comm: "cat", rulePath: SHADOW.rule_path, policyVersion: 1, policySha256: null, sessionID: null },
      nodeName: expect.stringMatching(/./),
      ...{ podUID: body.id, podName: body.id, podNamespace: "default", containerID: body.id, containerName: "bash", image: "bash@local" },
      ...{ pid: 7, mntNsID: 4_026_532_000, eventTimestamp: 1_767_323_045, enforcer: "BPF", action: "DENIED" },
      profileName: expect.stringMatching(/^plastron-[0-9a-f]{64}$/),
      ...{ policyKind: "VarmorPolicy", policyName: "strict", policyNamespace: "demo", ruleId: "disable-access-shadow", stack: null },
      event: { operation: "File", path: "/etc/shadow", permissions: ["read"] },
      ...{ time: "2026-01-02T03:04:05.678Z", message: "violation event" },
    });
  });

  it("of a system call has upstream's keys in the log beside its arguments, and the API's own shape in the API", async () => {
    const event: Violation["event"] = { operation: "Syscall", syscall: "splice", arguments: ["0x1", "0x0", "0x2", "0x0", "0x40", "0x0"] };
    agent.script = hits(2, () => ({ event, enforcer: "Seccomp", mnt_ns_id: null }));
    const { body } = await post();
    expect(body.violations.map((each: Violation) => each.event)).toEqual([event, event]);
    const more = { epoch: 1_767_323_045, subj: "plastron", pid: 7, comm: "cat", exe: "" };
    expect(logged.slice(-2)).toMatchObject([0, 1].map((n) => ({ mntNsID: 0, event: { ...event, ...more, auditID: `${body.id}.${n}` } })));
    expect((await list(`?run_id=${body.id}`)).data).toMatchObject([1, 0].map((n) => ({ id: `${body.id}.${n}`, mnt_ns_id: null })));
    expect((await list(`?run_id=${body.id}`)).data[0].event).toEqual(event);
  });

  it("in a session names the session and the policy that it was opened with", async () => {
    const session = (await server.call("POST", "/v1/sessions", { key, body: { language: "bash", policy: "strict" } })).body;
    agent.script = hits(1);
    const { body } = await server.call("POST", `/v1/sessions/${session.id}/runs`, { key, body: { code: "x" } });
    const [, violation] = await events(body.id);
    expect(violation?.data).toMatchObject({ podUID: session.id, podName: body.id, policyKind: "VarmorPolicy", policyNamespace: "demo" });
    expect((await list(`?run_id=${body.id}`)).data).toMatchObject([{ session_id: session.id, policy: { name: "strict", version: 1 } }]);
  });

  it("streams it when it is durable, while the program still runs, and before the result", async () => {
    const scene = held(agent);
    const answer = fetch(`${server.url}/v1/runs`, {
      ...{ method: "POST", body: JSON.stringify({ language: "bash", code: "x", stream: true }) },
      headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
    });
    const { violation, stdout, result, spec } = await scene;
    stdout("before");
    violation();
    const reader = (await answer).body?.pipeThrough(new TextDecoderStream()).getReader() as ReadableStreamDefaultReader<string>;
    let text = "";
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      text += part.value;
      if (text.includes("event: violation")) break;
    }
    expect((await events(spec.run_id)).map(({ type }) => type)).toEqual(["run.admitted", "violation"]);
    violation({ action: "AUDIT" });
    result();
    for (let part = await reader.read(); !part.done; part = await reader.read()) text += part.value;
    const all = parseEvents(text);
    expect(all.map(({ event }) => event)).toEqual(["started", "stdout", "violation", "violation", "result"]);
    expect(all[2]?.data).toEqual(SHADOW);
    expect(all[4]?.data).toMatchObject({ violations: [{ action: "DENIED" }, { action: "AUDIT" }], violations_total: 2 });
  });

  it("a repeated streamed request gets the same violations", async () => {
    agent.script = hits(2);
    const headers = { "idempotency-key": "violations-1" };
    const again = () => server.call("POST", "/v1/runs", { key, headers, body: { language: "bash", code: "x", stream: true } });
    const [first, second] = [parseEvents((await again()).body), parseEvents((await again()).body)];
    expect(second.filter(({ event }) => event === "violation").map(({ data }) => data)).toEqual(
      first.filter(({ event }) => event === "violation").map(({ data }) => data),
    );
    expect((await events(first.at(-1)?.data.id)).filter(({ type }) => type === "violation")).toHaveLength(2);
  });

  it("and whose agent dies then keeps what it hit", async () => {
    agent.script = async (scene) => {
      scene.violation();
      await sleep(5);
      scene.vanish();
    };
    expect((await post()).body.code).toBe("agent_unavailable");
    const { id } = (await server.call("GET", "/v1/runs?limit=1", { key })).body.data[0];
    expect((await list(`?run_id=${id}`)).data).toHaveLength(1);
  });

  it("counts them for Prometheus, with an end to the names", async () => {
    agent.script = hits(3, (i) => ({ rule_id: "counted", action: i === 0 ? "DENIED" : "AUDIT" }));
    await post();
    for (let round = 0; round < 6; round++) {
      agent.script = hits(MAX_VIOLATIONS, (i) => ({ rule_id: `made-up-${round}-${i}` }));
      await post();
    }
    const page = (await server.call("GET", "/metrics")).body as string;
    expect(page).toContain('plastron_violations_total{rule="counted",action="AUDIT"} 2');
    expect(page).toMatch(/plastron_violations_total\{rule="other",action="DENIED"\} \d+/);
    expect(page.match(/^plastron_violations_total/gm)?.length).toBeLessThan(520);
  });
});

describe("GET /v1/violations", () => {
  it("pages, newest run first, and filters", async () => {
    const admin = await server.key(["admin"]);
    await server.call("POST", "/v1/tenants", { key: admin, body: { id: "pages" } });
    const mine = await server.key(["run"], "pages");
    agent.script = hits(12, (i) => ({ rule_id: i % 2 ? "odd" : "even", action: i < 3 ? "AUDIT" : "DENIED" }));
    const first = (await post({}, mine)).body.id;
    const between = new Date().toISOString();
    const second = (await post({}, mine)).body.id;
    const ids: string[] = [];
    for (let cursor: string | undefined = ""; typeof cursor === "string" && ids.length < 100; ) {
      const page: { data: { id: string }[]; next_cursor: string } = await list(`?limit=5${cursor && `&cursor=${cursor}`}`, mine);
      ids.push(...page.data.map(({ id }) => id));
      cursor = page.next_cursor;
    }
    expect(ids).toEqual([second, first].flatMap((run) => Array.from({ length: 12 }, (_, i) => `${run}.${11 - i}`)));
    const count = async (query: string) => (await list(`?limit=200&${query}`, mine)).data.length;
    expect([await count("rule=odd"), await count("action=AUDIT"), await count("rule=odd&action=AUDIT"), await count(`run_id=${first}`)]).toEqual([
      12, 6, 2, 12,
    ]);
    expect([await count(`since=${between}`), await count("rule=none")]).toEqual([12, 0]);
    for (const wrong of ["cursor=x", "limit=0", "action=ALL", "run_id=1", "nonsense=1"])
      expect((await server.call("GET", `/v1/violations?${wrong}`, { key: mine })).status).toBe(400);
  });

  it("shows no other tenant's, whatever is asked for", async () => {
    await server.call("POST", "/v1/tenants", { key, body: { id: "other" } });
    const other = await server.key(["admin"], "other");
    agent.script = hits(2);
    const { id } = (await post()).body;
    expect((await list(`?run_id=${id}`)).data).toHaveLength(2);
    for (const query of ["", `?run_id=${id}`, "?rule=disable-access-shadow", `?cursor=${id}.1`]) expect((await list(query, other)).data, query).toEqual([]);
    expect((await server.call("GET", "/v1/violations")).status).toBe(401);
  });
});

describe("what a hostile program can make of it", () => {
  it("is bounded in number and in length", async () => {
    agent.script = hits(MAX_VIOLATIONS * 3, (i) => ({ event: { operation: "File", path: "A".repeat(i < 10 ? 1024 * 1024 : 5_000), permissions: ["read"] } }));
    const { body } = await post();
    expect(body).toMatchObject({ violations_dropped: 2 * MAX_VIOLATIONS, violations_total: 3 * MAX_VIOLATIONS });
    expect(body.violations).toHaveLength(MAX_VIOLATIONS);
    expect(body.violations[0].event.path.length).toBe(4097);
    const page = await list(`?run_id=${body.id}&limit=200`);
    expect([page.data.length, page.next_cursor]).toEqual([MAX_VIOLATIONS, null]);
    expect(Math.max(...logged.slice(-MAX_VIOLATIONS).map((record) => JSON.stringify(record).length))).toBeLessThan(6_000);
  });

  it("cannot hide one act behind a flood of another: neither in its result, nor in the list", async () => {
    agent.script = hits(300, (i) => ({ rule_id: i === 250 || i === 280 ? `seldom-${i}` : "often" }));
    const { body } = await post();
    expect(body).toMatchObject({ violations_dropped: 198, violations_total: 300 });
    expect(body.violations.slice(-3).map(({ rule_id }: Violation) => rule_id)).toEqual(["often", "seldom-250", "seldom-280"]);
    expect((await list(`?run_id=${body.id}&rule_prefix=seldom`)).data).toHaveLength(2);
    agent.script = hits(1_000, (i) => ({ rule_id: `rule-${i}` }));
    expect((await post()).body).toMatchObject({ violations_dropped: 800, violations_total: 1_000 });
  });

  it("cannot break the record by NUL, half a pair, or a made-up number", async () => {
    const path = "/tmp/\0\ud800\n\u001b[2J";
    agent.script = hits(1, () => ({ comm: "\0\ud800", event: { operation: "File", path, permissions: ["read"], n: 7 } as never }));
    const { status, body } = await post();
    expect([status, body.violations_total]).toEqual([200, 1]);
    expect((await list(`?run_id=${body.id}`)).data).toMatchObject([{ id: `${body.id}.0`, event: { path: "/tmp/\ufffd\ufffd\n\u001b[2J" } }]);
  });

  it("that is no violation ends the run, and only that", async () => {
    agent.script = (scene) => scene.violation({ action: "GRANTED" as never });
    expect((await post()).body.code).toBe("agent_unavailable");
    agent.script = echo;
    expect((await post()).status).toBe(200);
  });
});
