import type { ScanResult } from "@plastron/contracts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findingNamed, scanOf } from "../../../../test/fixtures/findings.ts";
import { archiveOf, sendArchive } from "../../testing/client.ts";
import { startTestCluster, type TestCluster } from "../../testing/database.ts";
import { startTestServer, type TestServer } from "../../testing/harness.ts";
import { type ScriptedAgent, startScriptedAgent } from "../../testing/scripted-agent.ts";

let cluster: TestCluster;
let agent: ScriptedAgent;
let server: TestServer;
let admin: string;
let stranger: string;
/** What scans find from now on. */
let found: Parameters<typeof findingNamed>[0][] = [];
let more: Partial<ScanResult> = {};

beforeAll(async () => {
  [cluster, agent] = await Promise.all([startTestCluster(), startScriptedAgent()]);
  server = await startTestServer(
    await cluster.database(),
    agent.path,
    {},
    { scanner: async (artifact) => ({ ...scanOf(found.map(findingNamed), more), artifact: artifact.ref }) },
  );
  admin = await server.key(["admin", "run", "read"]);
  await server.call("POST", "/v1/tenants", { key: admin, body: { id: "other" } });
  stranger = await server.key(["admin", "run", "read"], "other");
}, 60_000);
afterAll(async () => {
  await server.close();
  await Promise.all([cluster.stop(), agent.stop()]);
});

const call = (method: string, path: string, body?: object, key = admin) => server.call(method, path, { key, ...(body ? { body } : {}) });
const demands = (name: string, body: object = {}, key = admin) => call("PUT", `/v1/projects/${name}`, { admission: "passed", ...body }, key);

const uploaded = async (files: Record<string, string>, key = admin): Promise<string> => (await sendArchive(server.url, key, archiveOf(files))).body.digest;
/** Scans it with what is found now, and judges it. */
async function judged(project: string, artifact: string, key = admin) {
  const { body } = await call("POST", "/v1/scans", { artifact }, key);
  await (await fetch(`${server.url}/v1/scans/${body.id}/events`, { headers: { authorization: `Bearer ${key}` } })).text();
  return (await call("POST", `/v1/projects/${project}/admissions`, { artifact }, key)).body;
}
const run = (body: object, key = admin) => call("POST", "/v1/runs", { language: "nodejs", ...body }, key);
const ran = () =>
  agent.requests.filter((request) => request.op === "run").at(-1) as { spec: { code: string; files: { path: string; content: string }[] } } | undefined;
const count = () => agent.requests.filter((request) => request.op === "run").length;

describe("a project that demands what passed", () => {
  it("runs an artifact that passed, by the artifact's own files, and says so in the record", async () => {
    await demands("shop");
    const artifact = await uploaded({ "main.js": "console.log(require('./a'))", "a.js": "module.exports = 1" });
    found = [];
    expect(await judged("shop", artifact)).toMatchObject({ decision: "pass", reasons: [] });
    const { status, body } = await run({ project: "shop", artifact, entry: "main.js", args: ["x"] });
    expect([status, body]).toEqual([200, expect.objectContaining({ project: "shop", artifact })]);
    expect(ran()?.spec.code).toBe("console.log(require('./a'))");
    expect(ran()?.spec.files.map(({ path }) => path)).toEqual(["a.js", "main.js"]);
    expect((await call("GET", `/v1/runs/${body.id}`)).body).toMatchObject({ project: "shop", artifact });
  });

  it("runs nothing else", async () => {
    await demands("strict");
    const [good, bad, unscanned] = [await uploaded({ "main.js": "good" }), await uploaded({ "main.js": "bad" }), await uploaded({ "main.js": "unscanned" })];
    found = [];
    await judged("strict", good);
    const tests = await uploaded({ "test/main.js": "quiet" });
    await judged("strict", tests);
    found = [{ fingerprint: "1", severity: "critical" }];
    expect(await judged("strict", bad)).toMatchObject({ decision: "deny", reasons: [{ rule: "new.critical" }] });
    const before = count();
    const project = "strict";
    for (const [body, why] of [
      [{ project, code: "1" }, "nothing else"],
      [{ project, artifact: bad, entry: "main.js" }, "said deny"],
      [{ project, artifact: unscanned, entry: "main.js" }, "never judged"],
      [{ project, artifact: "0".repeat(64), entry: "main.js" }, "never judged"],
    ] as const)
      expect((await run(body)).body).toMatchObject({ code: "not_admitted", detail: expect.stringContaining(why), hint: expect.stringMatching(/\w/) });
    for (const body of [
      { project, artifact: good, entry: "main.js", code: "evil" },
      { project, artifact: good, entry: "main.js", files: [{ path: "a.js", content: "evil" }] },
      { project, artifact: good },
      { project, artifact: good, entry: "../main.js" },
      { project, artifact: good, entry: "other.js" },
      { project, artifact: tests, entry: "test/main.js" },
    ])
      expect((await run(body)).status).toBe(400);
    expect(count()).toBe(before);
  });

  it("takes an incomplete scan for no pass", async () => {
    await demands("held");
    found = [];
    more = {
      status: "incomplete",
      coverage: {
        ...scanOf([]).coverage,
        gaps: [{ kind: "failed", analyser: "code", path: "a.js", reason: "timeout", detail: "too slow", matters: true }],
        gaps_total: 1,
      },
    };
    const artifact = await uploaded({ "main.js": "held" });
    expect(await judged("held", artifact)).toMatchObject({ decision: "hold" });
    more = {};
    expect((await run({ project: "held", artifact, entry: "main.js" })).body).toMatchObject({
      code: "not_admitted",
      detail: expect.stringContaining("too slow"),
    });
  });

  it("counts as new only what its last passed artifact did not have", async () => {
    await demands("grows", { gate: "version: 1\nnew: {severity: critical}\n" });
    found = [{ fingerprint: "1", severity: "high" }];
    await judged("grows", await uploaded({ "main.js": "first" }));
    expect(await judged("grows", await uploaded({ "main.js": "second" }))).toMatchObject({ decision: "pass" });
    found = [...found, { fingerprint: "2", severity: "critical", rule: "code/javascript/sql-injection" }];
    expect(await judged("grows", await uploaded({ "main.js": "third" }))).toMatchObject({ decision: "deny", reasons: [{ rule: "new.critical" }] });
    found = found.slice(0, 1);
    await demands("grows"); // what passed under a milder policy is not known under this one
    expect(await judged("grows", await uploaded({ "main.js": "fourth" }))).toMatchObject({ decision: "deny", reasons: [{ rule: "new.high" }] });
  });

  it("asks again when its policy changes, and when what the pass leans on runs out", async () => {
    await demands("changes");
    found = [];
    const artifact = await uploaded({ "main.js": "changes" });
    await judged("changes", artifact);
    const entry = "main.js";
    expect((await run({ project: "changes", artifact, entry })).status).toBe(200);
    await demands("changes", { gate: "version: 1\nnew: {severity: low}\n" });
    expect((await run({ project: "changes", artifact, entry })).body).toMatchObject({ code: "not_admitted", detail: expect.stringContaining("policy") });
    const exemption = { id: "e", reason: "borne for now", approver: "bea", expires: "2020-01-01", status: "accepted" as const, justification: null };
    found = [{ fingerprint: "1", state: "exempted", exemption }];
    expect(await judged("changes", artifact)).toMatchObject({ decision: "pass", valid_until: "2020-01-02T00:00:00.000Z" });
    expect((await run({ project: "changes", artifact, entry })).body).toMatchObject({ code: "not_admitted", detail: expect.stringContaining("run out") });
  });
});

describe("a key that is bound to a project", () => {
  it("has no way past it: not by leaving it out, naming another, a session, or Dify's door", async () => {
    await demands("bound");
    await call("PUT", "/v1/projects/free", { admission: "open" });
    const key = (await call("POST", "/v1/keys", { scopes: ["run", "read"], project: "bound" })).body.key;
    const before = count();
    expect((await run({ code: "1" }, key)).body.code).toBe("not_admitted");
    expect((await run({ code: "1", project: "free" }, key)).body.code).toBe("forbidden");
    expect((await call("POST", "/v1/sessions", { language: "nodejs" }, key)).body.code).toBe("not_admitted");
    const dify = await server.call("POST", "/v1/sandbox/run", { headers: { "x-api-key": key }, body: { language: "nodejs", code: "1" } });
    expect(JSON.stringify(dify.body)).not.toContain('"code":0');
    expect(count()).toBe(before);
    const artifact = await uploaded({ "main.js": "theirs" }, key);
    expect((await call("POST", "/v1/scans", { artifact, project: "free" }, key)).body.code).toBe("forbidden");
    expect((await call("POST", "/v1/projects/free/admissions", { artifact }, key)).body.code).toBe("forbidden");
    expect((await call("PUT", "/v1/projects/bound", { admission: "open" }, key)).status).toBe(403);
    expect((await call("POST", "/v1/keys", { scopes: ["admin"], project: "bound" })).status).toBe(400);
    await call("PUT", "/v1/projects/bound", { admission: "open" });
    expect((await run({ code: "1" }, key)).body).toMatchObject({ project: "bound", artifact: null });
    await call("DELETE", "/v1/projects/bound");
    expect((await run({ code: "1" }, key)).body.code).toBe("not_found");
  });
});

describe("projects", () => {
  it("are their tenant's own", async () => {
    await demands("mine");
    const artifact = await uploaded({ "main.js": "mine" });
    found = [];
    await judged("mine", artifact);
    expect((await call("GET", "/v1/projects/mine", undefined, stranger)).status).toBe(404);
    expect((await run({ project: "mine", artifact, entry: "main.js" }, stranger)).body.code).toBe("not_found");
    await demands("mine", {}, stranger);
    expect((await run({ project: "mine", artifact, entry: "main.js" }, stranger)).body.code).toBe("not_admitted");
    expect((await call("POST", "/v1/projects/mine/admissions", { artifact }, stranger)).body.code).toBe("not_found");
  });

  it("have a policy that is valid, or are told where it is not", async () => {
    expect((await demands("wrong", { gate: "version: 1\nnwe: 1\n" })).body).toMatchObject({
      code: "invalid_document",
      errors: [{ line: 2, message: expect.stringContaining('"new"') }],
    });
    expect((await demands("wrong", { environment: "production" })).body).toMatchObject({ code: "invalid_document" });
    expect((await call("GET", "/v1/projects/wrong")).status).toBe(404);
  });

  it("judge a scan that was made for them as soon as it ends", async () => {
    await demands("auto");
    found = [];
    const artifact = await uploaded({ "main.js": "auto" });
    const { body } = await call("POST", "/v1/scans", { artifact, project: "auto" });
    await (await fetch(`${server.url}/v1/scans/${body.id}/events`, { headers: { authorization: `Bearer ${admin}` } })).text();
    await expect.poll(async () => (await call("GET", "/v1/projects/auto/admissions")).body.data).toMatchObject([{ artifact, decision: "pass" }]);
  });
});
