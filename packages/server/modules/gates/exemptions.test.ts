import type { ScanResult } from "@plastron/contracts";
import { scan } from "@plastron/scan";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findingNamed, scanOf } from "../../../../test/fixtures/findings.ts";
import { type Connection, openClient } from "../../database/pool.ts";
import { eventsIn, TestClient } from "../../testing/client.ts";
import { startTestCluster, type TestCluster } from "../../testing/database.ts";
import { startTestServer, type TestServer } from "../../testing/harness.ts";
import { type ScriptedAgent, startScriptedAgent } from "../../testing/scripted-agent.ts";
import type { Scanner } from "../scans/worker.ts";

let cluster: TestCluster;
let connection: Connection;
let agent: ScriptedAgent;
let server: TestServer;
let client: TestClient;
let today = new Date("2026-03-01T12:00:00Z");
let found: Parameters<typeof findingNamed>[0][] = [];
const finds: Scanner = async (artifact): Promise<ScanResult> => ({ ...scanOf(found.map(findingNamed)), artifact: artifact.ref });
let scanner: Scanner = finds;

beforeAll(async () => {
  [cluster, agent] = await Promise.all([startTestCluster(), startScriptedAgent()]);
  connection = await cluster.database();
  server = await startTestServer(connection, agent.path, {}, { scanner: (...order) => scanner(...order), now: () => today });
  client = await TestClient.of(server);
}, 60_000);
afterAll(async () => {
  await server.close();
  await Promise.all([cluster.stop(), agent.stop()]);
});

const document = (fields: Record<string, string> = {}) => {
  const one = {
    ...{
      id: "e1",
      scope: "{rule: code/javascript/command-injection, path: src/a.js}",
      reason: "The host is checked before, in the proxy.",
      author: "Ann",
      approver: "Bea",
    },
    ...{ created: "2026-02-01", expires: "2026-04-01", ...fields },
  };
  return `version: 1\nexemptions:\n  - ${Object.entries(one)
    .map(([name, value]) => `${name}: ${value}`)
    .join("\n    ")}\n`;
};
const put = (name: string, exemptions: string | null, more: object = {}) =>
  client.call("PUT", `/v1/projects/${name}`, { admission: "passed", ...more, ...(exemptions === null ? {} : { exemptions }) });
const HIGH = { fingerprint: "1", severity: "high" } as const;

describe("a project's exemptions", () => {
  it("let pass what they are about until they end, and the pass ends with them", async () => {
    [scanner, found] = [finds, [HIGH]];
    const artifact = await client.upload({ "main.js": "one" });
    expect((await put("shop", document())).body).toMatchObject({ exemptions: document() });
    const scanned = await client.scan(artifact, { project: "shop" });
    expect(await client.admission("shop")).toMatchObject({ decision: "pass", valid_until: "2026-04-02T00:00:00.000Z" });
    expect((await client.run("shop", artifact)).status).toBe(200);
    const shown = async () => (await client.call("GET", `/v1/scans/${scanned}/report`)).body.findings;
    expect(await shown()).toMatchObject([{ state: "exempted", exemption: { id: "e1", approver: "Bea" } }]);
    const sarif = (await client.call("GET", `/v1/scans/${scanned}/report?format=sarif`)).body;
    expect(sarif.runs[0].results[0].suppressions).toMatchObject([{ kind: "external", status: "accepted" }]);
    const listed = async (state: string) => (await client.call("GET", `/v1/findings?artifact=${artifact}&state=${state}`)).body.data.length;
    expect([await listed("exempted"), await listed("open")]).toEqual([1, 0]);

    today = new Date("2026-04-02T00:00:01Z");
    expect((await client.run("shop", artifact)).body).toMatchObject({ code: "not_admitted", detail: expect.stringContaining("severity high") });
    expect(await client.admission("shop")).toMatchObject({ decision: "deny", reasons: [{ rule: "new.high" }] });
    expect((await eventsIn(connection, "gate.%")).at(-1)).toMatchObject({ type: "gate.denied", data: { because: "time", before: "pass" } });
    expect(await shown()).toMatchObject([{ state: "open", exemption: null }]);
    expect([await listed("exempted"), await listed("open")]).toEqual([0, 1]);
    today = new Date("2026-03-01T12:00:00Z");
  });

  it("are judged with when they change, and said by an event", async () => {
    [scanner, found] = [finds, [HIGH]];
    const artifact = await client.upload({ "main.js": "two" });
    await put("desk", null);
    await client.scan(artifact, { project: "desk" });
    expect(await client.admission("desk")).toMatchObject({ decision: "deny" });
    await put("desk", document({ id: "borne" }));
    expect((await eventsIn(connection, "project.put")).at(-1)).toMatchObject({
      subject: "desk",
      data: { exemptions: ["borne"], by: expect.stringMatching(/^key_/) },
    });
    expect((await client.call("POST", "/v1/projects/desk/admissions", { artifact })).body).toMatchObject({ decision: "pass" });
    await put("desk", null);
    expect((await client.run("desk", artifact)).body).toMatchObject({ code: "not_admitted", detail: expect.stringContaining("has changed") });
    expect((await client.call("POST", "/v1/projects/desk/admissions", { artifact })).body).toMatchObject({ decision: "deny" });
  });

  it("make no finding known for an artifact after the first", async () => {
    [scanner, found] = [finds, [HIGH]];
    await put("line", document());
    for (const content of ["first", "second"]) await client.scan(await client.upload({ "main.js": content }), { project: "line" });
    today = new Date("2026-04-05T00:00:00Z");
    // What passed before passed by leave alone, which is over.
    const third = await client.upload({ "main.js": "third" });
    await client.scan(third, { project: "line" });
    expect(await client.admission("line")).toMatchObject({ artifact: third, decision: "deny" });
    today = new Date("2026-03-01T12:00:00Z");
  });

  it.each([
    ["approved by their author", document({ approver: "ann" }), "author"],
    ["for longer than 90 days", document({ expires: "2026-12-31" }), "90"],
    ["for everything", document({ scope: "{rule: '**'}" }), ""],
    ["that are no YAML", "version: [", ""],
  ])("%s are refused", async (_, text, why) => {
    const { status, body } = await put("bad", text);
    expect([status, body.code, body.detail]).toEqual([422, "invalid_document", expect.stringContaining(why)]);
    expect((await client.call("GET", "/v1/projects/bad")).status).toBe(404);
  });

  it("are set by whoever may set the project, for no tenant but its own", async () => {
    const weak = new TestClient(server, await server.key(["run", "read"]));
    expect((await weak.call("PUT", "/v1/projects/shop", { exemptions: document() })).status).toBe(403);
    await client.call("POST", "/v1/tenants", { id: "other" });
    const stranger = await TestClient.of(server, "other");
    [scanner, found] = [finds, [HIGH]];
    await put("both", document());
    await stranger.call("PUT", "/v1/projects/both", { admission: "passed" });
    await stranger.scan(await stranger.upload({ "main.js": "theirs" }), { project: "both" });
    expect(await stranger.admission("both")).toMatchObject({ decision: "deny" });
    expect((await stranger.call("GET", "/v1/findings?state=exempted")).body.data).toEqual([]);
  });

  it("cover malice and live secrets by their fingerprints alone", async () => {
    scanner = finds;
    found = [{ fingerprint: "a1", verdict: "malice", severity: "critical" }];
    const artifact = await client.upload({ "main.js": "malice" });
    await put("strict", document());
    await client.scan(artifact, { project: "strict" });
    expect(await client.admission("strict")).toMatchObject({ decision: "deny", reasons: [{ rule: "malice" }] });
  });
});

it("a project whose policy nobody can read any more holds what is scanned, and the scan is kept", async () => {
  [scanner, found] = [finds, []];
  const artifact = await client.upload({ "main.js": "unreadable" });
  await put("unread", null);
  const database = await openClient(connection, () => {});
  await database.query("update projects set gate = 'version: 99' where name = 'unread'");
  await database.end();
  const id = await client.scan(artifact, { project: "unread" });
  expect((await client.call("GET", `/v1/scans/${id}`)).body).toMatchObject({ status: "complete" });
  expect(await client.admission("unread")).toMatchObject({ decision: "hold", reasons: [{ rule: "policy" }] });
  expect((await client.run("unread", artifact)).body.code).toBe("not_admitted");
});

it("what an artifact says of itself exempts nothing", async () => {
  scanner = scan;
  const code = 'require("express")().get("/", (req) => require("child_process").exec("ls " + req.query.d));\n';
  const own = document({ scope: "{rule: code/javascript/command-injection, path: src/app.js}", created: "2026-01-01", expires: "2026-03-20" });
  const artifact = await client.upload({ "src/app.js": code, "main.js": code, ".plastron/exemptions.yaml": own });
  await put("own", null);
  const id = await client.scan(artifact, { project: "own" });
  const { findings } = (await client.call("GET", `/v1/scans/${id}/report`)).body;
  expect(findings.length).toBeGreaterThan(0);
  expect(findings.every(({ state }: { state: string }) => state === "open")).toBe(true);
  expect(await client.admission("own")).toMatchObject({ decision: "deny" });
}, 60_000);
