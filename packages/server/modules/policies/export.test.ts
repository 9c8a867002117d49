import { readFileSync } from "node:fs";
import { join } from "node:path";
import { EXPORT_KINDS, exportPolicyText } from "@plastron/policy";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startTestCluster, type TestCluster } from "../../testing/database.ts";
import { startTestServer, type TestServer } from "../../testing/harness.ts";
import { type ScriptedAgent, startScriptedAgent } from "../../testing/scripted-agent.ts";

const yaml = readFileSync(join(import.meta.dirname, "../../../../policies/dify-sandbox.yaml"), "utf8");

describe("POST /v1/policies/export", () => {
  let cluster: TestCluster;
  let agent: ScriptedAgent;
  let server: TestServer;
  let key: string;
  beforeAll(async () => {
    [cluster, agent] = await Promise.all([startTestCluster(), startScriptedAgent()]);
    server = await startTestServer(await cluster.database(), agent.path);
    key = await server.key(["read"]);
  }, 60_000);
  afterAll(async () => {
    await server.close();
    await Promise.all([cluster.stop(), agent.stop()]);
  });
  const ask = (body: unknown, as: string | undefined = key) => server.call("POST", "/v1/policies/export", { ...(as ? { key: as } : {}), body });

  it.each(EXPORT_KINDS)("answers whoever may read with the %s that the command line writes", async (kind) => {
    const { status, body } = await ask({ yaml, as: kind });
    expect(status).toBe(200);
    const { content, ...rest } = exportPolicyText(yaml, kind);
    expect(body).toEqual({ kind, ...rest, content: expect.any(String), encoding: kind === "bpf-lsm" ? "base64" : "utf8" });
    expect(Buffer.from(body.content, body.encoding).equals(Buffer.from(content))).toBe(true);
  });

  it("refuses what is no policy with its place, and reads it as upstream does where that is asked for", async () => {
    const misspelt = yaml.replace("disable-curl", "disable-crul");
    expect((await ask({ yaml: misspelt, as: "apparmor" })).body).toMatchObject({ status: 422, code: "invalid_policy", errors: [{ line: expect.any(Number) }] });
    expect((await ask({ yaml: misspelt, as: "apparmor", upstream_compat: true })).status).toBe(200);
  });

  it("refuses a form that there is not, fields that it does not know, and who has no key", async () => {
    for (const body of [{ yaml }, { yaml, as: "selinux" }, { yaml, as: "apparmor", output: "/etc/passwd" }, { as: "apparmor" }])
      expect((await ask(body)).status).toBe(400);
    expect((await server.call("POST", "/v1/policies/export", { body: { yaml, as: "apparmor" } })).status).toBe(401);
  });
});
