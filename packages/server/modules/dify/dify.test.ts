import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { Connection } from "../../database/pool.ts";
import { startTestCluster, type TestCluster } from "../../testing/database.ts";
import { startTestServer, type TestServer } from "../../testing/harness.ts";
import { type ScriptedAgent, startScriptedAgent } from "../../testing/scripted-agent.ts";

const KEY = "dify-sandbox";
let cluster: TestCluster;
let agent: ScriptedAgent;
let connection: Connection;
let server: TestServer;
let echo: ScriptedAgent["script"];

beforeAll(async () => {
  [cluster, agent] = await Promise.all([startTestCluster(), startScriptedAgent()]);
  echo = agent.script;
  connection = await cluster.database();
  server = await startTestServer(connection, agent.path);
  await server.auth.preset("key_preset_dify", KEY, ["run"]);
}, 60_000);
afterEach(() => {
  agent.script = echo;
});
afterAll(async () => {
  await server.close();
  await Promise.all([cluster.stop(), agent.stop()]);
});

interface Reply {
  status: number;
  text: string;
  code?: number;
  message?: string;
  // biome-ignore lint/suspicious/noExplicitAny: what upstream answers here has many shapes
  data?: any;
}

async function send(path: string, init: RequestInit = {}, url = server.url): Promise<Reply> {
  const response = await fetch(`${url}${path}`, { ...init, headers: { "x-api-key": KEY, ...(init.headers as object) } });
  const text = await response.text();
  return { status: response.status, text, ...(text.startsWith("{") ? JSON.parse(text) : {}) };
}
const run = (body: object | string, type = "application/json", url = server.url) =>
  send("/v1/sandbox/run", { method: "POST", body: typeof body === "string" ? body : JSON.stringify(body), headers: { "content-type": type } }, url);
const ran = () => agent.requests.filter((request) => request.op === "run");

/** What Dify's client does with an answer (its code_executor), as far as the reference tells. */
function asDify(reply: Reply): string {
  if (reply.status === 503) throw new Error("Code execution service is unavailable");
  if (reply.status !== 200) throw new Error("likely a network issue");
  if (reply.code !== 0) throw new Error(`Got error code: ${reply.code}. Got error msg: ${reply.message}`);
  if (reply.data.error) throw new Error(reply.data.error);
  const found = /<<RESULT>>([\s\S]*)<<RESULT>>/.exec(reply.data.stdout);
  if (!found) throw new Error("Failed to parse result");
  return found[1] as string;
}

describe("Dify's client", () => {
  it.each([
    ["python3", "python3", undefined],
    ["javascript", "nodejs", undefined],
    ["jinja2", "python3", "import jinja2\nfrom base64 import b64decode"],
  ])("runs its %s", async (_language, language, preload) => {
    agent.script = (scene) => {
      scene.stderr("a line of a logger\n");
      scene.stdout(`noise\n<<RESULT>>{"language":"${scene.spec.runtime}"}<<RESULT>>\n`);
      scene.result();
    };
    const reply = await run({ language, code: "…", preload, enable_network: true });
    expect(JSON.parse(asDify(reply))).toEqual({ language });
    expect(reply).toMatchObject({ message: "success", data: { stderr: "a line of a logger\n", error: "", exit_code: 0 } });
    expect(Object.keys(reply.data).sort()).toEqual(["error", "exit_code", "stderr", "stdout"]);
  });

  it("sends a preload that never reaches the sandbox in any form (CVE-2024-10252)", async () => {
    await run({ language: "python3", code: "print(1)", preload: "import os; os.system('id > /PRELOADED')", enable_network: true });
    expect(JSON.stringify(ran().at(-1))).not.toContain("PRELOADED");
    expect(ran().at(-1)).toMatchObject({ spec: { code: "print(1)", imports: [], files: [], env: {} } });
  });
});

describe("the answers of dify-sandbox", () => {
  it("GET /health needs no key", async () => {
    const response = await fetch(`${server.url}/health`);
    expect([response.status, await response.json()]).toEqual([200, "ok"]);
  });

  it.each(["/v1/sandbox/run", "/v1/sandbox/dependencies/update"])("a wrong key or none: 401 and nothing else (%s)", async (path) => {
    for (const headers of [{ "x-api-key": "wrong" }, { "x-api-key": "" }]) {
      const reply = await send(path, { method: "POST", body: "{}", headers: { "content-type": "application/json", ...headers } });
      expect([reply.status, reply.text]).toEqual([401, ""]);
    }
  });

  it("takes a key of ours as well", async () => {
    const key = await server.key(["run"]);
    const reply = await send("/v1/sandbox/dependencies/update", {
      method: "POST",
      body: "{}",
      headers: { "x-api-key": key, "content-type": "application/json" },
    });
    expect(reply.code).toBe(-400);
  });

  it.each([
    ["no language", { code: "1" }],
    ["no code", { language: "python3" }],
    ["empty code", { language: "python3", code: "" }],
    ["a code that is no text", { language: "python3", code: 5 }],
    ["bad JSON", "{"],
    ["no body", ""],
    ["a list", "[]"],
    ["a NUL in the code", { language: "python3", code: "a\0" }],
  ])("%s: 400 for exactly application/json, 200 with a charset, -400 in both", async (_what, body) => {
    expect(await run(body)).toMatchObject({ status: 400, code: -400, data: null });
    expect(await run(body, "application/json; charset=utf-8")).toMatchObject({ status: 200, code: -400, data: null });
  });

  it("forms work, and are 200 with -400 when a field is missing", async () => {
    const form = "application/x-www-form-urlencoded";
    const body = new URLSearchParams({ language: "python3", code: "print('ü&=')", enable_network: "true" }).toString();
    expect((await run(body, form)).data).toMatchObject({ stdout: "print('ü&=')", error: "" });
    expect(await run("language=python3", form)).toMatchObject({ status: 200, code: -400, data: null });
  });

  it("an unsupported language", async () => {
    for (const language of ["ruby", "bash", "constructor"]) {
      expect(await run({ language, code: "1" })).toMatchObject({ status: 400, code: -400, message: "unsupported language", data: null });
    }
  });

  it("ignores a dependencies field and headers for logs", async () => {
    const reply = await run({ language: "python3", code: "1", dependencies: [{ name: "x", version: "" }], extra: 1 });
    expect(reply.code).toBe(0);
  });

  it("a program that fails: the exit code, why, and what it said", async () => {
    agent.script = (scene) => {
      scene.stderr("Traceback…\n");
      scene.result({ status: "failed", exit_code: 1 });
    };
    expect((await run({ language: "python3", code: "x" })).data).toEqual({
      ...{ stdout: "", stderr: "Traceback…\n", exit_code: 1 },
      error: "process exited with code 1\nerror: exit status 1\nTraceback…\n",
    });
  });

  it.each([
    ["timed_out", { exit_code: null, signal: "SIGKILL" }, "process exited with code -1\nerror: timeout\n"],
    ["memory_exceeded", { exit_code: null, signal: "SIGKILL" }, "process exited with code -1\nerror: memory limit exceeded\n"],
    ["output_truncated", { exit_code: 0 }, "process exited with code 0\nerror: output limit exceeded, the rest was cut off\n"],
    ["failed", { exit_code: null, signal: "SIGSYS" }, "process exited with code -1\nerror: operation not permitted\n"],
    ["failed", { exit_code: null, signal: "SIGSEGV" }, "process exited with code -1\nerror: signal: SIGSEGV\n"],
  ] as const)("a run that ended as %s: %o", async (status, result, error) => {
    agent.script = (scene) => scene.result({ status, ...result });
    expect((await run({ language: "python3", code: "x" })).data.error).toBe(error);
  });

  it("a sandbox that could not be made: 200 with -500 and why", async () => {
    agent.script = (scene) => scene.problem("sandbox_failed", "mount /tmp: no space left");
    expect(await run({ language: "python3", code: "x" })).toMatchObject({
      status: 200,
      code: -500,
      message: expect.stringContaining("mount /tmp: no space left"),
      data: null,
    });
  });

  it("an agent without room: 503 with -503", async () => {
    agent.script = (scene) => scene.problem("overloaded", "full", 1);
    expect(await run({ language: "python3", code: "x" })).toMatchObject({ status: 503, code: -503, message: "Too many requests" });
  });
});

describe("dependencies", () => {
  it("are what the sandbox's own Python can import, asked for once until a refresh", async () => {
    agent.script = (scene) => {
      expect(scene.spec.code).toContain("importlib.metadata");
      scene.stdout('[{"name":"Jinja2","version":"3.1.2"}]\n');
      scene.result();
    };
    const before = ran().length;
    const [first, second] = [await send("/v1/sandbox/dependencies?language=python3"), await send("/v1/sandbox/dependencies?language=python3")];
    expect(first).toMatchObject({ status: 200, code: 0, data: { dependencies: [{ name: "Jinja2", version: "3.1.2" }] } });
    expect(second).toEqual(first);
    expect(ran().length - before).toBe(1);
    expect(await send("/v1/sandbox/dependencies/refresh?language=python3")).toEqual(first);
    expect(ran().length - before).toBe(2);
    const update = await send("/v1/sandbox/dependencies/update", {
      method: "POST",
      body: '{"language":"python3"}',
      headers: { "content-type": "application/json" },
    });
    expect(update).toMatchObject({ status: 200, code: 0, message: "success", data: {} });
  });

  it("are Python's only", async () => {
    expect(await send("/v1/sandbox/dependencies?language=nodejs")).toMatchObject({ status: 400, code: -400 });
    expect(await send("/v1/sandbox/dependencies")).toMatchObject({ status: 400, code: -400 });
  });
});

describe("its configuration", () => {
  async function configured<T>(environment: Record<string, string>, use: (url: string, server: TestServer) => Promise<T>): Promise<T> {
    const other = await startTestServer(connection, agent.path, environment);
    try {
      return await use(other.url, other);
    } finally {
      await other.close();
    }
  }
  it("MAX_WORKERS run, up to MAX_REQUESTS wait, what comes then is refused", async () => {
    await configured({ MAX_WORKERS: "1", MAX_REQUESTS: "2" }, async (url) => {
      await run({ language: "python3", code: "warm" }, undefined, url);
      const { promise: refused, resolve: release } = Promise.withResolvers<void>();
      agent.script = (scene) => void refused.then(() => scene.result());
      const calls = [1, 2, 3].map(() => run({ language: "python3", code: "x" }, undefined, url));
      await Promise.race(calls);
      release();
      const replies = await Promise.all(calls);
      expect(replies.map(({ status, code }) => [status, code]).sort()).toEqual([
        [200, 0],
        [200, 0],
        [503, -503],
      ]);
      agent.script = echo;
      expect((await run({ language: "python3", code: "after" }, undefined, url)).code).toBe(0);
    });
  });

  it("WORKER_TIMEOUT is the time limit", async () => {
    await configured({ WORKER_TIMEOUT: "7" }, async (url) => {
      await run({ language: "python3", code: "x" }, undefined, url);
      expect(ran().at(-1)).toMatchObject({ spec: { limits: { wall_ms: 7000 } } });
    });
  });

  it("ENABLE_NETWORK=false refuses who asks for a network", async () => {
    await configured({ ENABLE_NETWORK: "false" }, async (url) => {
      const refusal = { status: 200, code: -400, message: "network is disabled, please enable it in the configuration", data: null };
      expect(await run({ language: "python3", code: "x", enable_network: true }, undefined, url)).toMatchObject(refusal);
      expect((await run({ language: "python3", code: "x", enable_network: false }, undefined, url)).code).toBe(0);
    });
  });

  it("a policy named dify-sandbox confines what comes through this door", async () => {
    const admin = await server.key(["admin"]);
    await server.call("PUT", "/v1/policies/dify-sandbox", { key: admin, body: { yaml: "ok: dify" } });
    await configured({}, async (url) => {
      await run({ language: "python3", code: "x" }, undefined, url);
      expect(ran().at(-1)).toMatchObject({ spec: { confinement: { policy: "named" } } });
    });
    await server.call("DELETE", "/v1/policies/dify-sandbox", { key: admin });
  });

  it("a port of its own serves this API and nothing else", async () => {
    await configured({}, async (_url, other) => {
      const url = await other.difyApp().listen({ host: "127.0.0.1", port: 0 });
      expect((await run({ language: "python3", code: "x" }, undefined, url)).data.stdout).toBe("x");
      expect((await fetch(`${url}/v1/runs`)).status).toBe(404);
      expect((await fetch(`${url}/metrics`)).status).toBe(404);
    });
  });
});
