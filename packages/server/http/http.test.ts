import { connect } from "node:net";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startTestCluster, type TestCluster } from "../testing/database.ts";
import { startTestServer, type TestServer } from "../testing/harness.ts";
import { type ScriptedAgent, startScriptedAgent } from "../testing/scripted-agent.ts";
import { BODY_LIMIT } from "./body.ts";

let cluster: TestCluster;
let agent: ScriptedAgent;
let server: TestServer;
let key: string;

beforeAll(async () => {
  [cluster, agent] = await Promise.all([startTestCluster(), startScriptedAgent()]);
  server = await startTestServer(await cluster.database(), agent.path);
  key = await server.key(["admin"]);
}, 60_000);
afterAll(async () => {
  await server.close();
  await Promise.all([cluster.stop(), agent.stop()]);
});

const send = async (body: string | Uint8Array, type = "application/json") => {
  const response = await fetch(`${server.url}/v1/runs`, { method: "POST", headers: { authorization: `Bearer ${key}`, "content-type": type }, body });
  return {
    status: response.status,
    type: response.headers.get("content-type"),
    id: response.headers.get("x-request-id"),
    body: (await response.json()) as Record<string, unknown>,
  };
};
const program = (more: object) => JSON.stringify({ language: "python3", code: "1", ...more });
const deep = (open: string, close: string) => `{"language":"python3","code":"1","env":${open.repeat(100_000)}${close.repeat(100_000)}}`;

describe("bad input", () => {
  it.each<[string, string | Uint8Array, number, string]>([
    ["no JSON", "{", 400, "invalid_json"],
    ["nothing", "", 400, "invalid_request"],
    ["bytes that are not UTF-8", Buffer.from([...Buffer.from('{"language":"python3","code":"'), 0xff, ...Buffer.from('"}')]), 400, "invalid_json"],
    ["a NUL byte in the JSON", '{"language":"python3","code":"\0"}', 400, "invalid_json"],
    ["a NUL in the code", program({ code: "a\0b" }), 400, "invalid_request"],
    ["half a surrogate pair", '{"language":"python3","code":"\\ud800"}', 400, "invalid_request"],
    ["a NUL in standard input's neighbour", program({ args: ["\0"] }), 400, "invalid_request"],
    ["an unknown language", program({ language: "cobol" }), 400, "unsupported_runtime"],
    ["an unknown field", program({ privileged: true }), 400, "invalid_request"],
    ["a field of the agent's", program({ run_id: "x", confinement: {} }), 400, "invalid_request"],
    ["__proto__", '{"language":"python3","code":"1","__proto__":{"policy":"x"}}', 400, "invalid_request"],
    ["__proto__ in the environment", '{"language":"python3","code":"1","env":{"__proto__":"x"}}', 400, "invalid_request"],
    ["__proto__ with escapes", '{"language":"python3","code":"1","\\u005f_proto__":{}}', 400, "invalid_request"],
    ["deep objects", deep('{"a":', "}").replace('{"a":}', '{"a":1}'), 400, "invalid_request"],
    ["deep lists", deep("[", "]"), 400, "invalid_request"],
    ["a path that climbs", program({ files: [{ path: "../x", content: "" }] }), 400, "invalid_request"],
    ["an absolute path", program({ files: [{ path: "/etc/passwd", content: "" }] }), 400, "invalid_request"],
    ["a file given twice", program({ files: [1, 2].map((n) => ({ path: "x", content: `${n}` })) }), 400, "invalid_request"],
    ["a file that is also a directory", program({ files: ["d/x/y", "d/x"].map((path) => ({ path, content: "" })) }), 400, "invalid_request"],
    ["a glob that climbs", program({ collect: ["../*"] }), 400, "invalid_request"],
    ["an absolute glob", program({ collect: ["/etc/*"] }), 400, "invalid_request"],
    ["a loader's variable", program({ env: { LD_PRELOAD: "x" } }), 400, "invalid_request"],
    ["a limit below its least", program({ limits: { memory_bytes: 1 } }), 400, "invalid_request"],
    ["a limit that is no number", program({ limits: { wall_ms: "5" } }), 400, "invalid_request"],
    ["an endless number", '{"language":"python3","code":"1","timeout_ms":1e999}', 400, "invalid_request"],
    ["a list", "[]", 400, "invalid_request"],
    ["null", "null", 400, "invalid_request"],
  ])("%s: a problem document", async (_what, body, status, code) => {
    const answer = await send(body);
    expect({ status: answer.status, code: answer.body.code }).toEqual({ status, code });
    expect(answer.type).toBe("application/problem+json");
    expect(answer.id).toMatch(/^req_/);
    expect(answer.body).toMatchObject({ type: `urn:plastron:problem:${code}`, hint: expect.any(String), title: expect.any(String) });
  });

  it("tells where the fault is, without the value", async () => {
    const { body } = await send(program({ env: { LD_PRELOAD: "SECRET-VALUE" }, limits: { pids: -1 } }));
    expect(body.errors).toEqual(
      expect.arrayContaining([
        { path: "body.env.LD_PRELOAD", message: "this variable would change what the runtime loads" },
        expect.objectContaining({ path: "body.limits.pids" }),
      ]),
    );
    expect((await send(program({ privileged: true }))).body.errors).toMatchObject([{ path: "body" }]);
    expect(JSON.stringify(body)).not.toContain("SECRET-VALUE");
    const long = await send(JSON.stringify({ ["x".repeat(1_000_000)]: 1 }));
    expect(JSON.stringify(long.body).length).toBeLessThan(3000);
    expect(JSON.stringify((await send('{"code":"SECRET-VALUE", nonsense')).body)).not.toContain("SECRET");
  });

  it("too large: refused, with a key or without, and without one before it is read", async () => {
    expect((await send(Buffer.alloc(BODY_LIMIT + 1, " "))).body.code).toBe("payload_too_large");
    const answer = await raw(`POST /v1/runs HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${BODY_LIMIT}\r\n\r\n{`);
    expect(answer).toMatch(/^HTTP\/1.1 401 /);
  });

  it("another media type, route or method", async () => {
    expect((await send("x", "text/plain")).body.code).toBe("unsupported_media_type");
    expect((await send("language=python3", "application/x-www-form-urlencoded")).body.code).toBe("unsupported_media_type");
    for (const path of ["/nope", "/v1/runs/../../etc/passwd", "/v1/nope?x=%00", `/v1/runs/${"x".repeat(5000)}`]) {
      const { status, body } = await server.call("GET", path, { key });
      expect([400, 404], path.slice(0, 30)).toContain(status);
      expect(body.type, path).toMatch(/^urn:plastron:problem:/);
    }
    expect((await server.call("PATCH", "/v1/runs", { key, body: {} })).body.code).toBe("not_found");
  });

  it("that is not HTTP at all ends its connection and nothing else", async () => {
    expect(await raw("\0\x01\x02 nonsense\r\n\r\n")).toMatch(/^HTTP\/1.1 400 /);
    expect(await raw("GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n")).toMatch(/^HTTP\/1.1 400 /);
    expect((await server.call("GET", "/v1/health")).status).toBe(200);
  });

  it("of any JSON shape never makes the server fail", async () => {
    await fc.assert(
      fc.asyncProperty(fc.jsonValue(), async (value) => {
        expect((await send(JSON.stringify(value))).status).toBe(400);
      }),
      { numRuns: 150 },
    );
  });

  it("within a valid program is refused or run, never a failure", async () => {
    const field = fc.constantFrom("args", "env", "stdin", "files", "collect", "imports", "limits", "policy", "min_tier", "timeout_ms", "stream");
    await fc.assert(
      fc.asyncProperty(field, fc.jsonValue(), async (name, value) => {
        const { status } = await server.call("POST", "/v1/runs", { key, body: { language: "python3", code: "1", [name]: value } });
        expect([200, 400, 404]).toContain(status);
      }),
      { numRuns: 150 },
    );
  });
});

describe("the description of the API", () => {
  it("is OpenAPI with every route, and a page that loads nothing", async () => {
    const { body } = await server.call("GET", "/v1/openapi.json");
    expect(body.openapi).toMatch(/^3\.1/);
    const routes = Object.entries(body.paths as Record<string, object>).flatMap(([path, methods]) => Object.keys(methods).map((method) => `${method} ${path}`));
    expect(routes).toEqual(
      expect.arrayContaining([
        ...["post /v1/runs", "get /v1/runs", "get /v1/runs/{id}", "post /v1/runs/{id}/cancel", "post /v1/sessions", "delete /v1/sessions/{id}"],
        ...["put /v1/policies/{name}", "post /v1/policies/compile", "post /v1/keys", "get /v1/health", "get /metrics", "get /v1/doctor"],
      ]),
    );
    expect(Object.keys(body.components.schemas)).toEqual(expect.arrayContaining(["Run", "Problem", "Session"]));
    const page = await fetch(`${server.url}/docs`);
    const html = await page.text();
    expect(page.headers.get("content-security-policy")).toContain("default-src 'none'");
    for (const text of ["/v1/runs/{id}/cancel", "timeout_ms", "Run a program in a single-use sandbox", 'id="schema-Problem"']) expect(html).toContain(text);
    expect(html).not.toMatch(/<script|src=|@import|url\(|https?:\/\/(?!127\.0\.0\.1)/);
  });

  it("is found from the root", async () => {
    expect((await server.call("GET", "/")).body).toMatchObject({ docs: "/docs" });
    const page = await fetch(server.url, { headers: { accept: "text/html" } });
    expect(page.url).toBe(`${server.url}/docs`);
  });
});

describe("operations", () => {
  it("health is open and says what is missing", async () => {
    expect((await server.call("GET", "/v1/health")).body).toEqual({ status: "ok", version: "0.0.0", database: "ok", agent: "ok", tier: 2 });
    const alone = await startTestServer(await cluster.database(), "/nonexistent/agent.sock");
    expect(await alone.call("GET", "/v1/health")).toMatchObject({ status: 503, body: { status: "degraded", agent: "unreachable" } });
    const { status, body } = await alone.call("POST", "/v1/runs", { key: await alone.key(["run"]), body: { language: "bash", code: "x" } });
    expect([status, body.code]).toEqual([503, "agent_unavailable"]);
    expect((await alone.call("GET", "/metrics")).body).toContain("plastron_agent_up 0");
    await alone.close();
  });

  it("metrics count runs, phases and pools", async () => {
    await server.call("POST", "/v1/runs", { key, body: { language: "bash", code: "x" } });
    const { body, headers } = await server.call("GET", "/metrics");
    expect(headers.get("content-type")).toMatch(/^text\/plain/);
    for (const line of [
      /plastron_runs_total\{status="completed",language="bash"\} 1/,
      /plastron_run_phase_seconds_count\{phase="commit"\} \d+/,
      /plastron_pool_sandboxes\{runtime="python3",source="process",state="ready"\} 2/,
      /plastron_database_connections \d/,
    ]) {
      expect(body).toMatch(line);
    }
  });

  it("doctor and status are the agent's own", async () => {
    expect((await server.call("GET", "/v1/doctor", { key })).body).toMatchObject({ tier: 2, controls: [{ id: "seccomp" }] });
    expect((await server.call("GET", "/v1/status", { key })).body).toMatchObject({ driver: "scripted" });
    expect((await server.call("GET", "/v1/doctor", { key: await server.key(["run"]) })).status).toBe(403);
  });

  it("overload is refused with Retry-After", async () => {
    const small = await startTestServer(await cluster.database(), agent.path, { PLASTRON_MAX_RUNNING: "1", PLASTRON_MAX_IN_FLIGHT: "2" });
    const echo = agent.script;
    const { promise: refused, resolve: release } = Promise.withResolvers<void>();
    agent.script = (scene) => void refused.then(() => scene.result());
    const smallKey = await small.key(["run"]);
    const calls = [1, 2, 3].map(() => small.call("POST", "/v1/runs", { key: smallKey, body: { language: "bash", code: "x" } }));
    await Promise.race(calls);
    release();
    const answers = await Promise.all(calls);
    agent.script = echo;
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 200, 503]);
    expect(answers.find(({ status }) => status === 503)?.headers.get("retry-after")).toBe("1");
    await small.close();
  });
});

/** Bytes as they are, and the head of what comes back. */
function raw(bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(new URL(server.url).port), "127.0.0.1", () => socket.write(bytes));
    socket.once("data", (data) => {
      resolve(data.toString());
      socket.destroy();
    });
    socket.once("error", reject);
    socket.once("close", () => resolve(""));
  });
}
