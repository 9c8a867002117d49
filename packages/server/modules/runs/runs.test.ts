import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { type Connection, openClient } from "../../database/pool.ts";
import { startTestCluster, type TestCluster } from "../../testing/database.ts";
import { parseEvents, startTestServer, type TestServer } from "../../testing/harness.ts";
import { held, type Scene, type ScriptedAgent, startScriptedAgent } from "../../testing/scripted-agent.ts";

let cluster: TestCluster;
let agent: ScriptedAgent;
let connection: Connection;
let server: TestServer;
let key: string;
let echo: ScriptedAgent["script"];

beforeAll(async () => {
  [cluster, agent] = await Promise.all([startTestCluster(), startScriptedAgent()]);
  echo = agent.script;
  connection = await cluster.database();
  server = await startTestServer(connection, agent.path);
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
const post = (body: object, headers: Record<string, string> = {}) => server.call("POST", "/v1/runs", { key, body, headers });
const lastSpec = () => (agent.requests.at(-1) as { spec: Scene["spec"] }).spec;

async function streamed(path: string, body: object) {
  const { status, body: text, headers } = await server.call("POST", path, { key, body: { ...body, stream: true } });
  return { status, events: parseEvents(String(text)), type: headers.get("content-type") };
}

describe("POST /v1/runs", () => {
  it("answers with the whole run, and the record is there when the answer is", async () => {
    const { status, body } = await post({ language: "python", code: "print(1)" });
    expect(status).toBe(200);
    expect(body).toMatchObject({
      status: "completed",
      language: "python3",
      exit_code: 0,
      stdout: "print(1)",
      stderr: "",
      policy: { name: "default", version: null },
      usage: { network: { bytes_in: 200, bytes_out: 100, connections: 1 } },
      problem: null,
    });
    for (const phase of ["auth", "admit", "agent_connect", "agent", "commit", "total", "exec"]) expect(body.phases_us[phase], phase).toBeGreaterThanOrEqual(0);
    const client = await openClient(connection, () => {});
    const { rows } = await client.query("select status, stdout, code_sha256 from runs where id = $1", [body.id]);
    const events = await client.query("select type from events where subject = $1 order by seq", [body.id]);
    await client.end();
    expect(rows).toMatchObject([{ status: "completed", stdout: Buffer.from("print(1)"), code_sha256: body.code_sha256 }]);
    expect(events.rows.map((row) => row.type)).toEqual(["run.admitted", "run.finished"]);
    const stored = await server.call("GET", `/v1/runs/${body.id}`, { key });
    expect({ ...stored.body, phases_us: null }).toEqual({ ...body, phases_us: null });
  });

  it("hands the agent what was asked for, with the defaults filled in", async () => {
    await post(
      program("x", { timeout_ms: 1234, args: ["a"], env: { A: "b" }, stdin: "in", files: [{ path: "d/f", content: "c" }], min_tier: 2, limits: { pids: 7 } }),
    );
    expect(lastSpec()).toMatchObject({
      ...{ runtime: "python3", code: "x", args: ["a"], env: { A: "b" }, stdin: "in", tenant: "default", min_tier: 2 },
      files: [{ path: "d/f", content: "c", encoding: "utf8", executable: false }],
      limits: { pids: 7, wall_ms: 1234, memory_bytes: 512 * 1024 * 1024 },
      confinement: { policy: "default" },
    });
  });

  it("decodes output as UTF-8 over the borders of chunks, with U+FFFD for what is not", async () => {
    const euro = Buffer.from("€");
    agent.script = (scene) => {
      scene.stdout(euro.subarray(0, 1));
      scene.stdout(euro.subarray(1));
      scene.stderr(Buffer.from([255, 65, 0]));
      scene.result({ status: "failed", exit_code: 3 });
    };
    const { body } = await post(program("x"));
    expect(body).toMatchObject({ status: "failed", exit_code: 3, stdout: "€", stderr: "\ufffdA\0" });
    expect((await server.call("GET", `/v1/runs/${body.id}`, { key })).body.stderr).toBe("\ufffdA\0");
  });

  it("returns and keeps artifacts and large output", async () => {
    const artifacts = [{ path: "a.txt", size: 3, content: "YWJj", truncated: false }];
    agent.script = (scene) => {
      for (let i = 0; i < 16; i++) scene.stdout(Buffer.alloc(65_536, "x"));
      scene.result({ artifacts });
    };
    const { body } = await post(program("x"));
    expect(body.stdout.length).toBe(1024 * 1024);
    expect((await server.call("GET", `/v1/runs/${body.id}`, { key })).body).toMatchObject({ artifacts, stdout: body.stdout });
  });

  it("passes on why the agent refused, and keeps a record of it", async () => {
    agent.script = (scene) => scene.problem("overloaded", "the queue is full", 3);
    const { status, body, headers } = await post(program("x"));
    expect({ status, code: body.code, wait: headers.get("retry-after"), type: headers.get("content-type") }).toEqual({
      ...{ status: 503, code: "overloaded", wait: "3", type: "application/problem+json" },
    });
    const list = await server.call("GET", "/v1/runs?limit=1", { key });
    expect(list.body.data[0]).toMatchObject({ status: "refused", problem: { code: "overloaded", detail: "the queue is full" } });
  });

  it("says so when the agent dies under a run", async () => {
    agent.script = (scene) => {
      scene.stdout("x");
      setTimeout(() => scene.vanish(), 10);
    };
    expect((await post(program("x"))).body).toMatchObject({ status: 503, code: "agent_unavailable" });
    expect((await server.call("GET", "/v1/runs?limit=1", { key })).body.data[0]).toMatchObject({ status: "lost", problem: { code: "agent_unavailable" } });
  });

  it("tries once more where a connection of the reserve was dead before anything ran", async () => {
    await post(program("x"));
    let tries = 0;
    agent.script = (scene) => (++tries === 1 ? scene.vanish() : echo(scene));
    expect((await post(program("again"))).body).toMatchObject({ status: "completed", stdout: "again" });
    expect(tries).toBe(2);
  });

  it("ends a run whose client went away", async () => {
    const scene = held(agent);
    const controller = new AbortController();
    const gone = fetch(`${server.url}/v1/runs`, {
      ...{ method: "POST", body: JSON.stringify(program("x")), signal: controller.signal },
      headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
    }).catch(() => "gone");
    const { killed, spec } = await scene;
    controller.abort();
    expect(await gone).toBe("gone");
    expect(await killed).toBe("the client closed the connection");
    await expect.poll(async () => (await server.call("GET", `/v1/runs/${spec.run_id}`, { key })).body.status).toBe("killed");
  });
});

describe("stream: true", () => {
  it("gives started, output as it comes, and the result, with ids that count up", async () => {
    const euro = Buffer.from("€");
    agent.script = async (scene) => {
      scene.stdout(Buffer.concat([Buffer.from("a"), euro.subarray(0, 2)]));
      await sleep(20);
      scene.stdout(euro.subarray(2));
      scene.stderr("e");
      await sleep(5);
      scene.result();
    };
    const { events, type } = await streamed("/v1/runs", program("x"));
    expect(type).toBe("text/event-stream; charset=utf-8");
    expect(events.map(({ event, data }) => [event, data.text])).toEqual([
      ["started", undefined],
      ["stdout", "a"],
      ["stdout", "€"],
      ["stderr", "e"],
      ["result", undefined],
    ]);
    expect(events.map(({ id }) => id)).toEqual([1, 2, 3, 4, 5]);
    expect(events.at(-1)?.data).toMatchObject({ id: events[0]?.data.id, status: "completed", stdout: "a€", stderr: "e" });
  });

  it("says the same as the whole result, of text that ends in half a character or begins with a byte order mark", async () => {
    agent.script = (scene) => {
      scene.stdout(Buffer.from([0xef, 0xbb, 0xbf, 0x61, 0xff, 0xe2, 0x82]));
      scene.stderr(Buffer.from([0xc3]));
      scene.result();
    };
    const { events } = await streamed("/v1/runs", program("x"));
    const joined = (name: string) => events.flatMap(({ event, data }) => (event === name ? [data.text] : [])).join("");
    expect([joined("stdout"), joined("stderr")]).toEqual(["\ufeffa\ufffd\ufffd", "\ufffd"]);
    expect(events.at(-1)).toMatchObject({ event: "result", data: { stdout: joined("stdout"), stderr: joined("stderr") } });
  });

  it("has the run on record before its id is told", async () => {
    let stored: unknown;
    agent.script = async (scene) => {
      stored = (await server.call("GET", `/v1/runs/${scene.spec.run_id}`, { key })).body.status;
      scene.result();
    };
    await streamed("/v1/runs", program("x"));
    expect(stored).toBe("running");
  });

  it("answers a refusal with its own status, and a failure in the middle with an error event", async () => {
    expect((await streamed("/v1/runs", program("x", { policy: "nowhere" }))).status).toBe(404);
    agent.script = (scene) => scene.problem("tier_unavailable", "tier 4 was asked for");
    expect(await streamed("/v1/runs", program("x"))).toMatchObject({ status: 409, type: "application/problem+json" });
    agent.script = (scene) => {
      scene.stdout("x");
      setTimeout(() => scene.problem("sandbox_failed", "mount: no space"), 10);
    };
    const { events } = await streamed("/v1/runs", program("x"));
    expect(events.at(-1)).toMatchObject({ event: "error", data: { code: "sandbox_failed", detail: "mount: no space" } });
  });

  it("ends a run whose reader went away, and goes on serving", async () => {
    const scene = held(agent);
    const controller = new AbortController();
    const response = fetch(`${server.url}/v1/runs`, {
      ...{ method: "POST", body: JSON.stringify(program("x", { stream: true })), signal: controller.signal },
      headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
    });
    const { killed } = await scene;
    await response;
    controller.abort();
    expect(await killed).toBe("the client closed the connection");
    agent.script = echo;
    expect((await post(program("next"))).status).toBe(200);
  });

  it("holds the program back where the reader is slower than it", async () => {
    const chunk = Buffer.alloc(256 * 1024, "x");
    const scene = new Promise<Scene>((resolve) => {
      agent.script = (scene) => {
        for (let i = 0; i < 100; i++) scene.stdout(chunk);
        resolve(scene);
        scene.result();
      };
    });
    const response = await fetch(`${server.url}/v1/runs`, {
      ...{ method: "POST", body: JSON.stringify(program("x", { stream: true })) },
      headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
    });
    await sleep(300);
    expect((await scene).backlog()).toBeGreaterThan(50 * chunk.length);
    let bytes = 0;
    for await (const part of response.body as unknown as AsyncIterable<Uint8Array>) bytes += part.length;
    expect(bytes).toBeGreaterThan(2 * 100 * chunk.length); // once as it came, once in the result
  });
});

describe("cancel", () => {
  it("ends a run in progress, which then says so", async () => {
    const scene = held(agent);
    const answer = post(program("x"));
    const { spec } = await scene;
    expect((await server.call("POST", `/v1/runs/${spec.run_id}/cancel`, { key })).status).toBe(202);
    expect((await answer).body).toMatchObject({ status: "killed", reason: "cancelled by request" });
    expect((await server.call("POST", `/v1/runs/${spec.run_id}/cancel`, { key })).body).toMatchObject({
      code: "conflict",
      detail: "The run has ended: killed",
    });
  });
});

describe("freeze and thaw", () => {
  it("reach the agent for a run in progress, and say of one that has ended that it has", async () => {
    const scene = held(agent);
    const answer = post(program("x"));
    const { spec } = await scene;
    const hold = (deed: string, by = key) => server.call("POST", `/v1/runs/${spec.run_id}/${deed}`, { key: by });
    expect(await hold("freeze")).toMatchObject({ status: 200, body: { id: spec.run_id, frozen: true } });
    expect(await hold("thaw")).toMatchObject({ status: 200, body: { frozen: false } });
    const asked = agent.requests.filter(({ op }) => op === "run.freeze" || op === "run.thaw");
    expect(asked).toEqual(["run.freeze", "run.thaw"].map((op) => ({ op, run_id: spec.run_id, tenant: spec.tenant })));
    await server.call("POST", `/v1/runs/${spec.run_id}/cancel`, { key });
    await answer;
    expect((await hold("freeze")).body).toMatchObject({ code: "conflict", detail: "The run has ended: killed" });
    expect((await server.call("POST", `/v1/runs/run_00000000000000000000000000/freeze`, { key })).status).toBeGreaterThanOrEqual(400);
  });
});

describe("GET /v1/runs", () => {
  it("pages newest first, filters, and leaves output out", async () => {
    const mine = await server.key(["run"]);
    const start = new Date().toISOString();
    const ids: string[] = [];
    for (const [index, language] of ["python3", "bash", "python3", "bash", "python3"].entries()) {
      agent.script = (scene) => scene.result(index === 2 ? { status: "failed", exit_code: 1 } : {});
      ids.unshift((await server.call("POST", "/v1/runs", { key: mine, body: { language, code: "x" } })).body.id);
    }
    const page = (query: string) => server.call("GET", `/v1/runs?since=${start}&${query}`, { key: mine });
    const first = await page("limit=2");
    expect(first.body.data.map((run: { id: string }) => run.id)).toEqual(ids.slice(0, 2));
    expect(first.body.data[0]).not.toHaveProperty("stdout");
    const rest = await page(`limit=200&cursor=${first.body.next_cursor}`);
    expect(rest.body.data.map((run: { id: string }) => run.id)).toEqual(ids.slice(2));
    expect(rest.body.next_cursor).toBeNull();
    expect((await page("language=bash")).body.data).toHaveLength(2);
    expect((await page("status=failed")).body.data.map((run: { id: string }) => run.id)).toEqual([ids[2]]);
    expect((await page(`until=${start}`)).body.data).toEqual([]);
    expect((await page("limit=0")).body.code).toBe("invalid_request");
    expect((await page("cursor=' or 1=1")).body.code).toBe("invalid_request");
  });
});

describe("shutdown", () => {
  it("ends and records what runs, refuses what waits, and both hear of it", async () => {
    const database = await cluster.database();
    const other = await startTestServer(database, agent.path, { PLASTRON_MAX_RUNNING: "1" });
    const scene = held(agent);
    const otherKey = await other.key(["run"]);
    const runs = [1, 2].map(() => other.call("POST", "/v1/runs", { key: otherKey, body: program("x") }));
    await scene;
    await sleep(50);
    await other.close();
    const answers = (await Promise.all(runs)).map(({ body }) => body.reason ?? body.detail);
    expect(answers.sort()).toEqual(["The server is shutting down", "the server is shutting down"]);
    const client = await openClient(database, () => {});
    expect((await client.query("select status from runs")).rows).toEqual([{ status: "killed" }]);
    await client.end();
  });
});
