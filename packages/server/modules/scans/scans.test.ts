import type { ScanResult } from "@plastron/contracts";
import { type Artifact, scan } from "@plastron/scan";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { findingNamed, scanOf } from "../../../../test/fixtures/findings.ts";
import type { Connection } from "../../database/pool.ts";
import { archiveOf, sendArchive } from "../../testing/client.ts";
import { startTestCluster, type TestCluster } from "../../testing/database.ts";
import { startTestServer, type TestServer } from "../../testing/harness.ts";
import { type ScriptedAgent, startScriptedAgent } from "../../testing/scripted-agent.ts";
import type { Scanner } from "./worker.ts";

let cluster: TestCluster;
let connection: Connection;
let agent: ScriptedAgent;
let server: TestServer;
let admin: string;
let stranger: string;

/** What the next scans do; the real thing where a test says so. */
let scanner: Scanner;
const finds =
  (...findings: Parameters<typeof findingNamed>[0][]): Scanner =>
  async (artifact) =>
    resultFor(artifact, scanOf(findings.map(findingNamed)));
const resultFor = (artifact: Artifact, result: ScanResult): ScanResult => ({ ...result, artifact: artifact.ref });

beforeAll(async () => {
  [cluster, agent] = await Promise.all([startTestCluster(), startScriptedAgent()]);
  connection = await cluster.database();
  server = await start();
  admin = await server.key(["admin", "run", "read"]);
  await server.call("POST", "/v1/tenants", { key: admin, body: { id: "other" } });
  stranger = await server.key(["admin", "run", "read"], "other");
}, 60_000);
afterEach(() => {
  scanner = finds();
});
afterAll(async () => {
  await server.close();
  await Promise.all([cluster.stop(), agent.stop()]);
});

const start = (more: Record<string, string> = {}) =>
  startTestServer(connection, agent.path, { PLASTRON_ARTIFACT_BYTES: "100000", ...more }, { scanner: (...order) => scanner(...order) });

const upload = (bytes: Uint8Array, { key = admin, name = "a.tar.gz" } = {}) => sendArchive(server.url, key, bytes, name);
const call = (method: string, path: string, body?: object, key = admin) => server.call(method, path, { key, ...(body ? { body } : {}) });
const uploaded = async (files: Record<string, string>, key = admin): Promise<string> => (await upload(archiveOf(files), { key })).body.digest;

/** Starts a scan and waits for its end. */
async function scanned(artifact: string, more: object = {}, key = admin) {
  const { body } = await call("POST", "/v1/scans", { artifact, ...more }, key);
  return ended(body.id, key);
}
async function ended(id: string, key = admin) {
  const text = await (await fetch(`${server.url}/v1/scans/${id}/events`, { headers: { authorization: `Bearer ${key}` } })).text();
  expect(text).toContain("event: result");
  return (await call("GET", `/v1/scans/${id}`, undefined, key)).body;
}

describe("an artifact", () => {
  it("is uploaded, named by what it holds whatever it came in, listed, and gone with its scans", async () => {
    const first = await upload(archiveOf({ "a.js": "1", "b/c.py": "2" }));
    expect(first).toMatchObject({ status: 201, body: { kind: "archive", name: "a.tar.gz", files: 2, bytes: 2 } });
    const again = await upload(archiveOf({ "b/c.py": "2", "a.js": "1" }), { name: "b.tgz" });
    expect(again).toMatchObject({ status: 200, body: { digest: first.body.digest } });
    expect((await call("GET", "/v1/artifacts?limit=1")).body.data).toMatchObject([{ digest: first.body.digest }]);
    const { id } = await scanned(first.body.digest);
    expect((await call("DELETE", `/v1/artifacts/${first.body.digest}`)).status).toBe(204);
    for (const path of [`/v1/artifacts/${first.body.digest}`, `/v1/scans/${id}`]) expect((await call("GET", path)).status).toBe(404);
  });

  it("is nobody else's, and whether another tenant has the same is not told", async () => {
    const digest = await uploaded({ "secret.js": "mine" });
    for (const [method, path] of [
      ["GET", `/v1/artifacts/${digest}`],
      ["DELETE", `/v1/artifacts/${digest}`],
    ] as const)
      expect((await call(method, path, undefined, stranger)).body.code).toBe("not_found");
    expect((await call("POST", "/v1/scans", { artifact: digest }, stranger)).body.code).toBe("not_found");
    expect((await upload(archiveOf({ "secret.js": "mine" }), { key: stranger })).status).toBe(201);
    expect((await call("DELETE", `/v1/artifacts/${digest}`, undefined, stranger)).status).toBe(204);
    scanner = async (artifact) => {
      expect(Buffer.from(await artifact.read(artifact.files[0] as never)).toString()).toBe("mine");
      return resultFor(artifact, scanOf([]));
    };
    expect(await scanned(digest)).toMatchObject({ status: "complete" });
  });

  it.each<[string, () => Promise<{ status: number; body: { code?: string; detail?: string; hint?: string } }>, string]>([
    ["larger than is allowed", () => upload(Buffer.alloc(200_000, "x")), "payload_too_large"],
    ["from a path of the server", () => call("POST", "/v1/artifacts", { npm: "../../etc" }) as never, "invalid_request"],
    ["from a host that the operator did not name", () => call("POST", "/v1/artifacts", { git: "https://127.0.0.1/x.git" }) as never, "forbidden"],
    ["from a program", () => call("POST", "/v1/artifacts", { git: "ext::touch /tmp/x" }) as never, "forbidden"],
    ["from nowhere", () => call("POST", "/v1/artifacts", {}) as never, "invalid_request"],
  ])("is not taken %s", async (_, attempt, code) => {
    expect((await attempt()).body).toMatchObject({ code, hint: expect.stringMatching(/\w/) });
  });

  it("that is a bomb is taken in as far as limits go, and what was left out makes its scans incomplete", async () => {
    const bytes = archiveOf({ "big.txt": "0".repeat(2_000_000), "a.js": "1" });
    expect(bytes.length).toBeLessThan(100_000);
    const { body } = await upload(bytes);
    scanner = scan;
    const result = await scanned(body.digest, { analysers: ["secrets"] });
    expect(result).toMatchObject({ status: "incomplete" });
    expect(result.coverage.gaps).toEqual(expect.arrayContaining([expect.objectContaining({ matters: true })]));
  }, 60_000);
});

describe("a scan", () => {
  it("of real code finds what is wrong with it, and reports it in every format", async () => {
    scanner = scan;
    const digest = await uploaded({ "app.js": 'require("express")().get("/", (req) => require("child_process").exec("ls " + req.query.d));\n' });
    const result = await scanned(digest);
    expect(result).toMatchObject({ status: "complete", findings_total: 1, by_severity: { critical: 1 }, coverage: { files: 1 } });
    const { data } = (await call("GET", `/v1/findings?artifact=${digest}`)).body;
    expect(data).toMatchObject([{ rule: "code/javascript/command-injection", place: { path: "app.js", line: 1 }, artifact: digest, scan: result.id }]);
    for (const format of ["json", "sarif", "html", "junit", "cyclonedx", "openvex", "terminal", "github", "gitlab"]) {
      const response = await fetch(`${server.url}/v1/scans/${result.id}/report?format=${format}`, { headers: { authorization: `Bearer ${admin}` } });
      expect([format, response.status]).toEqual([format, 200]);
      expect((await response.text()).length).toBeGreaterThan(10);
    }
  }, 120_000);

  it("tells how far it is, and its end", async () => {
    const gate = Promise.withResolvers<void>();
    scanner = async (artifact, _options, onProgress) => {
      onProgress({ phase: "files", done: 3, total: 9, bytes: 1, findings: 0, current: "a.js" });
      await gate.promise;
      return resultFor(artifact, scanOf([findingNamed({ fingerprint: "a" })]));
    };
    const digest = await uploaded({ "progress.js": "1" });
    const { body } = await call("POST", "/v1/scans", { artifact: digest });
    expect(body).toMatchObject({ status: "queued", analysers: ["secrets", "code", "dependencies", "agentware"] });
    const response = await fetch(`${server.url}/v1/scans/${body.id}/events`, { headers: { authorization: `Bearer ${admin}` } });
    const reader = (response.body as ReadableStream<Uint8Array>).getReader();
    let text = "";
    while (!text.includes('"done":3')) text += Buffer.from((await reader.read()).value as Uint8Array).toString();
    gate.resolve();
    for (let part = await reader.read(); !part.done; part = await reader.read()) text += Buffer.from(part.value).toString();
    expect(text).toMatch(/event: progress\ndata: .*"status":"running".*\n\n[\s\S]*event: result\ndata: .*"status":"complete"/);
  }, 30_000);

  it("is cancelled while it waits or runs, and its result is none then", async () => {
    scanner = (_artifact, _options, _progress, signal) => new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
    const digest = await uploaded({ "cancel.js": "1" });
    const [running, waiting] = await Promise.all([call("POST", "/v1/scans", { artifact: digest }), call("POST", "/v1/scans", { artifact: digest })]);
    for (const { body } of [waiting, running]) {
      expect((await call("POST", `/v1/scans/${body.id}/cancel`)).body.status).toBe("cancelled");
      expect((await call("POST", `/v1/scans/${body.id}/cancel`)).body.code).toBe("conflict");
      expect((await call("GET", `/v1/scans/${body.id}/report`)).body).toMatchObject({ code: "conflict", detail: "The scan is cancelled" });
    }
    scanner = finds();
    expect(await scanned(digest)).toMatchObject({ status: "complete" });
  });

  it("that fails says why, and is never taken for clean", async () => {
    scanner = async () => {
      throw new Error("the database's password is hunter2");
    };
    const result = await scanned(await uploaded({ "fails.js": "1" }));
    expect(result).toMatchObject({ status: "failed", findings_total: null, problem: { code: "internal" } });
    expect(JSON.stringify(result)).not.toContain("hunter2");
  });

  it("is done once for one Idempotency-Key, and not for what nobody has", async () => {
    const digest = await uploaded({ "once.js": "1" });
    const headers = { "idempotency-key": "once-1" };
    const [a, b] = [
      await server.call("POST", "/v1/scans", { key: admin, body: { artifact: digest }, headers }),
      await server.call("POST", "/v1/scans", { key: admin, body: { artifact: digest }, headers }),
    ];
    expect(a.body.id).toBe(b.body.id);
    expect((await call("POST", "/v1/scans", { artifact: "0".repeat(64) })).body.code).toBe("not_found");
    expect((await call("POST", "/v1/scans", { artifact: digest, analysers: ["fuzz"] })).body.code).toBe("invalid_request");
    expect((await call("POST", "/v1/scans", { artifact: digest }, await server.key(["read"]))).status).toBe(403);
    await ended(a.body.id);
  });

  it("of one tenant waits for no flood of another's", async () => {
    const order: string[] = [];
    const hold = Promise.withResolvers<void>();
    scanner = async (artifact) => {
      await hold.promise;
      order.push(artifact.files[0]?.path as string);
      return resultFor(artifact, scanOf([]));
    };
    const flood = await uploaded({ "flood.js": "1" });
    const ids = await Promise.all(Array.from({ length: 5 }, async () => (await call("POST", "/v1/scans", { artifact: flood })).body.id));
    const { body } = await call("POST", "/v1/scans", { artifact: await uploaded({ "calm.js": "1" }, stranger) }, stranger);
    hold.resolve();
    await ended(body.id, stranger);
    for (const id of ids) await ended(id);
    expect(order.indexOf("calm.js")).toBeLessThanOrEqual(2);
  }, 30_000);
});

describe("a server that is killed at a scan", () => {
  it("leaves it to another, which does it from the beginning", async () => {
    scanner = () => new Promise(() => {});
    const digest = await uploaded({ "killed.js": "1" });
    const { body } = await call("POST", "/v1/scans", { artifact: digest });
    await expect.poll(async () => (await call("GET", `/v1/scans/${body.id}`)).body.status).toBe("running");
    await server.close(); // its scan never heeds the signal: it is put back all the same
    scanner = finds({ fingerprint: "a" });
    server = await start();
    expect(await ended(body.id)).toMatchObject({ status: "complete", findings_total: 1 });
  }, 30_000);
});

describe("findings", () => {
  it("are those of the newest scan of each artifact, filtered, page by page, and the tenant's own", async () => {
    const digest = await uploaded({ "found.js": "1" });
    scanner = finds({ fingerprint: "1", severity: "high" });
    await scanned(digest);
    const place = { path: "deep/x.py", line: 1, column: 1, end_line: 1, end_column: 2, snippet: "", layers: [] };
    const lodash = {
      purl: "pkg:npm/lodash@1",
      ecosystem: "npm",
      name: "lodash",
      version: "1",
      path: [] as string[],
      direct: true,
      development: false,
      fixed: [] as string[],
      reachability: "unknown",
      kev: false,
      epss: null,
    } as const;
    scanner = finds(
      { fingerprint: "2", severity: "low", title: "Odd \0 title", place },
      { fingerprint: "3", severity: "critical", analyser: "dependencies", rule: "dependencies/advisory", package: lodash, aliases: ["CVE-2021-23337"] },
      { fingerprint: "4", severity: "high", verdict: "malice" },
    );
    await scanned(digest);
    const found = async (query: string, key = admin) =>
      (await call("GET", `/v1/findings?artifact=${digest}&${query}`, undefined, key)).body.data.map(({ fingerprint }: { fingerprint: string }) =>
        fingerprint.replace(/^0+/, ""),
      );
    expect(await found("")).toEqual(["2", "3", "4"]);
    expect(await found("", stranger)).toEqual([]);
    expect(await found("severity=critical,high")).toEqual(["3", "4"]);
    expect(await found("cve=CVE-2021-23337")).toEqual(["3"]);
    expect(await found("package=lodash")).toEqual(["3"]);
    expect(await found("rule=dependencies")).toEqual(["3"]);
    expect(await found("verdict=malice")).toEqual(["4"]);
    expect(await found("text=ODD")).toEqual(["2"]);
    expect(await found("text=deep/")).toEqual(["2"]);
    expect(await found("text=%25")).toEqual([]);
    const first = (await call("GET", `/v1/findings?artifact=${digest}&limit=2`)).body;
    const second = (await call("GET", `/v1/findings?artifact=${digest}&limit=2&cursor=${first.next_cursor}`)).body;
    expect([first.data.length, second.data.length, second.next_cursor]).toEqual([2, 1, null]);
    for (const query of ["severity=grave", "cursor=x", "limit=0", "unknown=1"]) expect((await call("GET", `/v1/findings?${query}`)).status).toBe(400);
  });
});
