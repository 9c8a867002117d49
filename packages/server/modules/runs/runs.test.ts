import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startTestCluster, type TestCluster } from "../../testing/database.ts";
import { startTestServer, type TestServer } from "../../testing/harness.ts";
import { type ScriptedAgent, startScriptedAgent } from "../../testing/scripted-agent.ts";

let cluster: TestCluster;
let agent: ScriptedAgent;
let server: TestServer;
let key: string;

beforeAll(async () => {
  [cluster, agent] = await Promise.all([startTestCluster(), startScriptedAgent()]);
  server = await startTestServer(await cluster.database(), agent.path);
  key = await server.key(["run"]);
}, 60_000);
afterAll(async () => {
  await server.close();
  await Promise.all([cluster.stop(), agent.stop()]);
});

describe("POST /v1/runs", () => {
  it("answers with the whole run, and the record is there when the answer is", async () => {
    const { status, body } = await server.call("POST", "/v1/runs", { key, body: { language: "python", code: "print(1)" } });
    expect(status).toBe(200);
    expect(body).toMatchObject({
      status: "completed",
      language: "python3",
      exit_code: 0,
      stdout: "print(1)",
      stderr: "",
      policy: { name: "default", version: null },
      problem: null,
    });
    expect(Object.keys(body.phases_us)).toEqual(expect.arrayContaining(["auth", "admit", "agent_connect", "agent", "commit", "total", "exec"]));
    const stored = await server.call("GET", `/v1/runs/${body.id}`, { key });
    expect(stored.body).toMatchObject({ id: body.id, status: "completed", stdout: "print(1)" });
  });
});
