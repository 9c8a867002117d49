import { setTimeout as sleep } from "node:timers/promises";
import { type Denial, MAX_VIOLATIONS, noTelemetry, RESERVED_VIOLATIONS, type Telemetry } from "@plastron/contracts";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { MOST_ACCOUNT, MOST_TIMELINE } from "../../agent-client/telemetry.ts";
import { type Connection, openClient } from "../../database/pool.ts";
import { startTestCluster, type TestCluster } from "../../testing/database.ts";
import { startTestServer, type TestServer } from "../../testing/harness.ts";
import { DENIAL, type ScriptedAgent, SHADOW, startScriptedAgent } from "../../testing/scripted-agent.ts";
import type { ViolationRecord } from "./record.ts";

let cluster: TestCluster;
let agent: ScriptedAgent;
let connection: Connection;
let server: TestServer;
let key: string;
let echo: ScriptedAgent["script"];
const logged: ViolationRecord[] = [];

beforeAll(async () => {
  [cluster, agent] = await Promise.all([startTestCluster(), startScriptedAgent()]);
  echo = agent.script;
  connection = await cluster.database();
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
  logged.length = 0;
});
afterAll(async () => {
  await server.close();
  await Promise.all([cluster.stop(), agent.stop()]);
});

const post = (body: object = {}) => server.call("POST", "/v1/runs", { key, body: { language: "bash", code: "x", ...body } });
const list = async (query = "") => (await server.call("GET", `/v1/violations${query}`, { key })).body;
const telemetry = (more: Partial<Telemetry>): Telemetry => ({ ...noTelemetry("scripted"), level: "full", reason: null, ...more });
const stored = async (run: string) => {
  const client = await openClient(connection, () => {});
  const { rows } = await client.query("select octet_length(result::text) as size from runs where id = $1", [run]);
  await client.end();
  return rows[0].size as number;
};
const STACK = { frames: [{ language: "python" as const, function: "steal", file: "/workspace/a.py", line: 3 }], truncated: false, incomplete: null };

describe("a denial that the sensor saw", () => {
  it("is a violation where a rule explains it, in all places but violations.log; else it stays in the account", async () => {
    const unexplained: Denial = { ...DENIAL, call: "kill", path: null };
    agent.script = (scene) => {
      scene.denial({ stack: STACK });
      scene.denial({ stack: STACK });
      scene.denial(unexplained);
      scene.result({ status: "failed", exit_code: 1, telemetry: telemetry({ denials: [{ ...DENIAL, count: 7, stack: STACK }, unexplained] }) });
    };
    const { body } = await post();
    expect(body.violations).toMatchObject([
      { rule_id: "dirty-pipe-mitigation", action: "DENIED", audited: false, hint: "remove dirty-pipe-mitigation", stack: STACK, exe: "/usr/bin/x" },
    ]);
    expect(body.telemetry.denials.map(({ rule, hint, count }: Denial) => [rule, hint, count])).toEqual([
      ["dirty-pipe-mitigation", "remove dirty-pipe-mitigation", 7],
      [null, null, 1],
    ]);
    expect(body.violations_total).toBe(1);
    expect(logged).toEqual([]);
    const [shown] = (await list(`?run_id=${body.id}`)).data;
    expect(shown).toMatchObject({ rule_id: "dirty-pipe-mitigation", audited: false, hint: "remove dirty-pipe-mitigation", exe: "/usr/bin/x", stack: STACK });
    expect((await server.call("GET", `/v1/runs/${body.id}`, { key })).body.telemetry).toEqual(body.telemetry);
    const page = (await server.call("GET", "/metrics")).body as string;
    expect(page).toContain('plastron_denials_total{errno="EPERM",explained="yes"} 7');
    expect(page).toContain('plastron_runs_sensed_total{level="full"} 1');
  });

  it("is not told twice where the watcher told of the same call, whichever came first", async () => {
    const told = { rule_id: "recorded-rule", pid: 2, event: { operation: "Syscall" as const, syscall: "splice", arguments: DENIAL.arguments } };
    const denial = { ...DENIAL, path: "recorded-rule" };
    for (const order of ["denial first", "violation first"]) {
      agent.script = (scene) => {
        if (order === "denial first") scene.denial(denial);
        scene.violation(told);
        if (order === "violation first") scene.denial(denial);
        scene.result({ violations: [{ ...SHADOW, ...told }], telemetry: telemetry({ denials: [denial] }) });
      };
      const { body } = await post();
      expect(
        body.violations.map(({ rule_id, audited }: { rule_id: string; audited: boolean }) => [rule_id, audited]),
        order,
      ).toEqual([["recorded-rule", true]]);
    }
    agent.script = (scene) => scene.result({ telemetry: telemetry({ denials: [denial] }) }); // nobody else told of it
    expect((await post()).body.violations).toMatchObject([{ rule_id: "recorded-rule", audited: false }]);
  });

  it("cannot crowd out what the policy wants a record of, however many distinct ones there are", { timeout: 60_000 }, async () => {
    agent.script = async (scene) => {
      for (let i = 0; i < 100_000; i++) scene.denial({ path: `/tmp/${i}` });
      scene.violation();
      scene.result({ violations: [SHADOW], telemetry: telemetry({ denials: [], denials_dropped: 99_900 }) });
    };
    const { body } = await post({ timeout_ms: 50_000 });
    expect(body.violations.filter(({ audited }: { audited: boolean }) => audited)).toHaveLength(1);
    expect(body.violations).toHaveLength(MAX_VIOLATIONS + RESERVED_VIOLATIONS + 1);
    expect(body.violations_dropped).toBe(MAX_VIOLATIONS);
    expect(logged.map(({ ruleId }) => ruleId)).toEqual(["disable-access-shadow"]);
    expect((await list("?limit=200&audited=true")).data.filter(({ run_id }: { run_id: string }) => run_id === body.id)).toHaveLength(1);
  });

  it("that is none ends the run, and only that", async () => {
    agent.script = (scene) => scene.denial({ errno: "ENOENT" as never });
    expect((await post()).body.code).toBe("agent_unavailable");
    agent.script = echo;
    expect((await post()).status).toBe(200);
  });
});

describe("the account of a run", () => {
  it("is as long as what is kept, whatever the program filled it with", { timeout: 60_000 }, async () => {
    const evil = `\u001b]0;x\u0007\n\0\ud800${"\u202e漢".repeat(500)}`;
    const frames = Array.from({ length: 64 }, () => ({ language: "python" as const, function: evil.slice(0, 256), file: evil.slice(0, 1024), line: 1 }));
    const denials = Array.from({ length: 300 }, (_, i) => ({
      ...DENIAL,
      path: `${i}${evil}`,
      comm: evil,
      exe: evil,
      stack: { frames, truncated: true, incomplete: evil },
    }));
    const timeline = Array.from({ length: 9_000 }, (_, i) => ({
      kind: "exec" as const,
      t_us: i,
      pid: 1,
      comm: evil,
      path: evil,
      argv: [evil],
      argv_truncated: true,
      errno: null,
    }));
    const files = Array.from({ length: 5_000 }, () => ({ path: evil, class: "tmp" as const, reads: 1, writes: 1, creates: 1, failures: { [evil]: 1 } }));
    const by_name = Object.fromEntries(Array.from({ length: 5_000 }, (_, i) => [`${i}${evil}`, 1]));
    const huge = telemetry({
      denials: denials.slice(0, 60),
      timeline: timeline.slice(0, 1_500),
      files: { opens: 1, by_class: {}, list: files.slice(0, 400) },
      syscalls: { total: 1, by_name: Object.fromEntries(Object.entries(by_name).slice(0, 300)), errors: {}, denied: {}, ia32: 0 },
    });
    agent.script = (scene) => scene.result({ telemetry: huge });
    const { status, body } = await post({ trace: true });
    expect(status).toBe(200);
    const { timeline: kept, ...account } = body.telemetry as Telemetry;
    expect(Buffer.byteLength(JSON.stringify(account))).toBeLessThan(MOST_ACCOUNT * 1.2); // the rules and hints of denials come after
    expect(Buffer.byteLength(JSON.stringify(kept))).toBeLessThanOrEqual(MOST_TIMELINE);
    expect(account.lost.listed).toBeGreaterThan(0);
    expect(await stored(body.id)).toBeLessThan(6 * 1024 * 1024);
    const read = async (query: string) => (await server.call("GET", `/v1/runs/${body.id}${query}`, { key })).body.telemetry.timeline;
    expect([await read(""), (await read("?timeline=true")).length]).toEqual([null, kept?.length]);
  });

  it("is asked for as a trace with `trace`, and as an account without", async () => {
    await post({ trace: true });
    await post();
    expect(agent.requests.flatMap((request) => (request.op === "run" ? [request.spec.sensing] : [])).slice(-2)).toEqual(["trace", "account"]);
  });

  it("of a run that a rate rule broke says so", async () => {
    const broken_by = { rule: "forks_per_s" as const, limit: 2000, measured: 2400, window_ms: 1000, stacks: [] };
    agent.script = (scene) => scene.result({ status: "broken_by_rule", exit_code: null, signal: "SIGKILL", broken_by });
    const { body } = await post();
    expect(body).toMatchObject({ status: "broken_by_rule", broken_by });
    expect((await server.call("GET", "/metrics")).body).toContain('plastron_runs_broken_total{rule="forks_per_s"} 1');
    expect((await server.call("GET", "/v1/runs?limit=1", { key })).body.data[0]).not.toHaveProperty("telemetry");
  });
});

describe("in a session", () => {
  it("denials are explained by the policy that it was opened with, also after the server is started again", async () => {
    await server.call("PUT", "/v1/policies/held", { key, body: { yaml: "ok: one" } });
    const session = (await server.call("POST", "/v1/sessions", { key, body: { language: "bash", policy: "held" } })).body;
    const script: ScriptedAgent["script"] = (scene) => {
      scene.denial();
      scene.result({ telemetry: telemetry({ denials: [DENIAL] }) });
    };
    agent.script = script;
    const run = async (on: TestServer) => (await on.call("POST", `/v1/sessions/${session.id}/runs`, { key, body: { code: "x" } })).body.violations;
    expect(await run(server)).toMatchObject([{ rule_id: "dirty-pipe-mitigation" }]);
    await server.call("PUT", "/v1/policies/held", { key, body: { yaml: "ok: another text" } });
    const again = await startTestServer(connection, agent.path, {}, { serverId: "again" });
    expect(await run(again)).toMatchObject([{ rule_id: "dirty-pipe-mitigation" }]);
    await again.close();
    await sleep(0);
  });
});
