import { spawn } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { updateAdvisories, scan as wholeScan } from "@plastron/scan";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findingNamed, scanOf } from "../../../../test/fixtures/findings.ts";
import { openClient } from "../../database/pool.ts";
import { eventsIn, TestClient } from "../../testing/client.ts";
import { startTestCluster, type TestCluster } from "../../testing/database.ts";
import { startTestServer, type TestServer } from "../../testing/harness.ts";
import { type ScriptedAgent, startScriptedAgent } from "../../testing/scripted-agent.ts";
import type { Scanner } from "./worker.ts";

let cluster: TestCluster;
let agent: ScriptedAgent;
const work = mkdtempSync(join(tmpdir(), "plastron-server-rematch-"));
beforeAll(async () => {
  [cluster, agent] = await Promise.all([startTestCluster(), startScriptedAgent()]);
}, 60_000);
afterAll(async () => {
  await Promise.all([cluster.stop(), agent.stop()]);
  rmSync(work, { recursive: true, force: true });
});

/** Dependencies alone are looked at, so that a test of many scans takes its time for what it is about. */
const dependenciesOnly: Scanner = (artifact, options, ...more) => wholeScan(artifact, { ...options, analysers: ["dependencies"] }, ...more);
const DEMANDS = { admission: "passed", gate: "version: 1\nrequired: [dependencies]\n" };

/** A database with a folder of advisories; whoever looks at them there does so when the test says. */
async function installation(scanner: Scanner = dependenciesOnly) {
  const advisories = mkdtempSync(join(work, "advisories-"));
  const connection = await cluster.database();
  const start = (more: { advisories?: string; serverId?: string } = {}) =>
    startTestServer(connection, agent.path, {}, { advisories, advisoriesMs: 3_600_000, scanner, ...more });
  return { advisories, connection, start };
}

/** An installation with advisories about nothing that is there, and one server of it. */
async function running() {
  const all = await installation();
  await publish(all.advisories);
  const server = await all.start();
  return { ...all, server, client: await TestClient.of(server) };
}

const osv = (id: string, name: string, fixed: string, more: object = {}) => ({
  ...{ id, modified: new Date().toISOString(), summary: `${name} lets anybody in`, ...more },
  affected: [{ package: { ecosystem: "npm", name }, ranges: [{ type: "SEMVER", events: [{ introduced: "0" }, { fixed }] }] }],
});
const OTHER = osv("GHSA-none-none-none", "absent", "1.0.0");
const GRAVE = { aliases: ["CVE-2026-4242"], severity: [{ type: "CVSS_V3", score: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H" }] };
let published = 0;
async function publish(directory: string, ...documents: object[]) {
  const from = join(work, `published-${published++}`);
  mkdirSync(from);
  for (const [at, document] of [OTHER, ...documents].entries()) writeFileSync(join(from, `${at}.json`), JSON.stringify(document));
  await updateAdvisories({ directory }, { from: [from], now: new Date(), smaller: true });
}

/** A small app that leans on `left` 1.0.0. */
const APP = { "main.js": "module.exports = require('left');\n", "package-lock.json": lock({ left: "1.0.0" }) };
function lock(packages: Record<string, string>): string {
  const hashed = { integrity: `sha512-${"A".repeat(86)}==` };
  const entries = Object.entries(packages).map(([name, version]) => [
    `node_modules/${name}`,
    { version, resolved: `https://registry.example/${name}/-/${name}-${version}.tgz`, ...hashed },
  ]);
  return JSON.stringify({ lockfileVersion: 3, packages: { "": { dependencies: packages }, ...Object.fromEntries(entries) } });
}

describe("an artifact that passed", () => {
  it("runs no more when an advisory about what it leans on is published, and runs again when that is withdrawn", async () => {
    const { advisories, connection, start } = await installation(wholeScan);
    await publish(advisories);
    const server = await start();
    const client = await TestClient.of(server);
    await client.call("PUT", "/v1/projects/shop", { admission: "passed" });
    const artifact = await client.upload(APP);
    const scan = await client.scan(artifact, { project: "shop" });
    expect(await client.admission("shop")).toMatchObject({ decision: "pass", scan });
    expect((await client.run("shop", artifact)).status).toBe(200);

    await publish(advisories, osv("GHSA-left-left-left", "left", "1.0.1", GRAVE));
    await server.rematch();
    const refused = (await client.run("shop", artifact)).body;
    expect(refused).toMatchObject({ code: "not_admitted", detail: expect.stringContaining("CVE-2026-4242 in left 1.0.0"), hint: expect.stringMatching(/\w/) });
    const [found] = (await client.call("GET", `/v1/findings?artifact=${artifact}&cve=CVE-2026-4242`)).body.data;
    expect(found).toMatchObject({ scan, severity: "critical", package: { name: "left", version: "1.0.0", fixed: ["1.0.1"], reachability: "imported" } });
    expect(await eventsIn(connection, "finding.%")).toMatchObject([
      { tenant: "default", type: "finding.opened", subject: found.fingerprint, data: { scan, artifact, advisory: "CVE-2026-4242", package: "left" } },
    ]);
    expect((await eventsIn(connection, "gate.%")).at(-1)).toMatchObject({
      ...{ type: "gate.denied", subject: artifact },
      data: { project: "shop", because: "advisories", before: "pass", reasons: [{ rule: "new.critical", message: expect.stringContaining("CVE-2026-4242") }] },
    });

    await publish(advisories, osv("GHSA-left-left-left", "left", "1.0.1", { ...GRAVE, withdrawn: new Date().toISOString() }));
    await server.rematch();
    expect((await client.run("shop", artifact)).status).toBe(200);
    expect((await client.call("GET", `/v1/findings?artifact=${artifact}`)).body.data).toEqual([]);
    expect((await eventsIn(connection, "finding.%")).map(({ type }) => type)).toEqual(["finding.opened", "finding.closed"]);
    // Nothing was scanned for that, and the same advisories again say nothing new.
    expect((await client.call("GET", "/v1/scans")).body.data).toHaveLength(1);
    const all = await eventsIn(connection, "%");
    await server.rematch();
    expect(await eventsIn(connection, "%")).toEqual(all);
    await server.close();
  }, 60_000);

  it("keeps what other analysers found, and says what a new scan would say", async () => {
    const { advisories, start } = await installation(wholeScan);
    await publish(advisories, osv("GHSA-gone-gone-gone", "left", "2.0.0"));
    const server = await start();
    const client = await TestClient.of(server);
    const artifact = await client.upload({ ...APP, "shell.js": 'require("child_process").exec("ls " + process.argv[2]);\nrequire("left").open(1);\n' });
    const scan = await client.scan(artifact);
    await publish(advisories, osv("GHSA-left-left-left", "left", "1.0.1", GRAVE));
    await server.rematch();
    const told = async (id: string) => {
      const { findings, coverage, status } = (await client.call("GET", `/v1/scans/${id}/report`)).body;
      return { findings, status, gaps: coverage.gaps, notes: coverage.notes, advisories: coverage.advisories };
    };
    const rematched = await told(scan);
    expect(rematched.findings.map(({ analyser }: { analyser: string }) => analyser)).toContain("dependencies");
    const fresh = await client.scan(artifact);
    expect(fresh).not.toBe(scan);
    expect(rematched).toEqual(await told(fresh));
    await server.close();
  }, 60_000);
});

describe("advisories that cannot be taken", () => {
  it("change nothing of what is stored, and it is said", async () => {
    const { advisories, connection, start } = await installation();
    await publish(advisories, osv("GHSA-left-left-left", "left", "1.0.1", GRAVE));
    const older = join(work, "older");
    cpSync(advisories, older, { recursive: true });
    const server = await start();
    const client = await TestClient.of(server);
    const artifact = await client.upload(APP);
    await client.scan(artifact);
    await publish(advisories);
    for (const page of readdirSync(join(advisories, "pages"))) writeFileSync(join(advisories, "pages", page), "[]\n");
    await server.rematch();
    await server.rematch();
    expect((await client.call("GET", "/v1/status")).body.advisories).toMatchObject({ state: "damaged", waiting: 1 });
    expect((await client.call("GET", "/v1/findings?cve=CVE-2026-4242")).body.data).toHaveLength(1);
    expect(await (await fetch(`${server.url}/metrics`)).text()).toMatch(/plastron_advisories_in_use 0\n/);
    expect(await eventsIn(connection, "advisories.refused")).toHaveLength(1);

    // Nor those of a server beside it that has older ones: what is stored is not turned back and forth between the two.
    await publish(advisories);
    await server.rematch();
    expect((await client.call("GET", "/v1/findings")).body.data).toEqual([]);
    const behind = await start({ advisories: older, serverId: "behind" });
    await behind.rematch();
    expect((await behind.call("GET", "/v1/status", { key: client.key })).body.advisories).toMatchObject({ state: "older" });
    expect((await client.call("GET", "/v1/findings")).body.data).toEqual([]);
    await Promise.all([server.close(), behind.close()]);
  }, 60_000);
});

describe("two servers", () => {
  it("that hold the same results against new advisories say each thing once", async () => {
    const { advisories, connection, start } = await installation();
    await publish(advisories);
    const servers = await Promise.all([start(), start({ serverId: "second" })]);
    const client = await TestClient.of(servers[0] as TestServer);
    await client.call("POST", "/v1/tenants", { id: "other" });
    const stranger = await TestClient.of(servers[0] as TestServer, "other");
    for (const owner of [client, stranger]) {
      await owner.call("PUT", "/v1/projects/shop", DEMANDS);
      for (const n of [1, 2]) await owner.scan(await owner.upload({ ...APP, "n.js": `${n}` }), { project: "shop" });
    }
    await publish(advisories, osv("GHSA-left-left-left", "left", "1.0.1", GRAVE));
    await Promise.all(servers.map((server) => server.rematch()));
    const opened = await eventsIn(connection, "finding.opened");
    expect(opened.map(({ tenant }) => tenant).sort()).toEqual(["default", "default", "other", "other"]);
    expect(new Set(opened.map(({ data }) => data.scan)).size).toBe(4);
    // Each artifact of a project was known to another by nothing but advisories: none of them makes the others' findings known.
    expect((await eventsIn(connection, "gate.denied")).map(({ data }) => data.before)).toEqual(Array(4).fill("pass"));
    for (const owner of [client, stranger]) {
      const seen = (await owner.call("GET", "/v1/findings")).body.data;
      expect(seen).toHaveLength(2);
      const own = new Set((await owner.call("GET", "/v1/scans")).body.data.map(({ id }: { id: string }) => id));
      expect(seen.every(({ scan }: { scan: string }) => own.has(scan))).toBe(true);
    }
    await Promise.all(servers.map((server) => server.close()));
  }, 120_000);
});

describe("a weakness that was known before", () => {
  it("and only gets another name is neither opened nor closed; one that gets graver ends passes, however many artifacts have it", async () => {
    const { advisories, connection, start } = await installation();
    const minor = { severity: [{ type: "CVSS_V3", score: "CVSS:3.1/AV:L/AC:H/PR:L/UI:R/S:U/C:L/I:N/A:N" }] };
    await publish(advisories, osv("GHSA-left-left-left", "left", "1.0.1", minor));
    const server = await start();
    const client = await TestClient.of(server);
    await client.call("PUT", "/v1/projects/shop", DEMANDS);
    const artifacts = [await client.upload(APP), await client.upload({ ...APP, "n.js": "2" })];
    for (const artifact of artifacts) await client.scan(artifact, { project: "shop" });
    const runs = async () => Promise.all(artifacts.map(async (artifact) => (await client.run("shop", artifact)).status));
    expect(await runs()).toEqual([200, 200]);
    await publish(advisories, osv("GHSA-left-left-left", "left", "1.0.1", { ...minor, aliases: ["CVE-2026-4242"] }));
    await server.rematch();
    expect((await client.call("GET", "/v1/findings?cve=CVE-2026-4242")).body.data).toHaveLength(2);
    expect(await eventsIn(connection, "finding.%")).toEqual([]);
    expect(await runs()).toEqual([200, 200]);
    await publish(advisories, osv("GHSA-left-left-left", "left", "1.0.1", GRAVE));
    await server.rematch();
    expect(await eventsIn(connection, "finding.%")).toEqual([]);
    expect(await runs()).toEqual([403, 403]);
    await server.close();
  }, 60_000);
});

describe("a rematch", () => {
  it("of an artifact that is scanned again just then leaves the newer scan's word", async () => {
    const { advisories, connection, server, client } = await running();
    await client.call("PUT", "/v1/projects/shop", DEMANDS);
    const artifact = await client.upload(APP);
    await client.scan(artifact, { project: "shop" });
    await publish(advisories, osv("GHSA-left-left-left", "left", "1.0.1", GRAVE));
    // A scan without a project: what is known of the artifact since then counts for every project that let it in.
    const [newer] = await Promise.all([client.scan(artifact), server.rematch()]);
    await server.rematch();
    expect(await client.admission("shop")).toMatchObject({ decision: "deny" });
    expect((await client.run("shop", artifact)).body.code).toBe("not_admitted");
    expect((await client.call("GET", "/v1/findings")).body.data).toMatchObject([{ scan: newer }]);
    const kept = await openClient(connection, () => {});
    expect((await kept.query("select scan from scan_matchables")).rows).toEqual([{ scan: newer }]);
    await kept.end();
    await server.close();
  }, 60_000);

  it("that a killed server began is done by another after a while, and not before", async () => {
    const { advisories, connection, server, client } = await running();
    await client.scan(await client.upload(APP));
    await publish(advisories, osv("GHSA-left-left-left", "left", "1.0.1", GRAVE));
    const database = await openClient(connection, () => {});
    await database.query("update scans set matching_until = now() + interval '1 hour'");
    await server.rematch();
    expect((await client.call("GET", "/v1/findings")).body.data).toEqual([]);
    await database.query("update scans set matching_until = now() - interval '1 second'");
    await server.rematch();
    expect((await client.call("GET", "/v1/findings")).body.data).toHaveLength(1);
    await database.end();
    await server.close();
  }, 60_000);

  it("of a server that is killed in the middle is gone on with, and nothing is said twice", async () => {
    const { advisories, connection, server, client } = await running();
    await client.call("PUT", "/v1/projects/shop", DEMANDS);
    for (const n of [1, 2, 3]) await client.scan(await client.upload({ ...APP, "n.js": `${n}` }), { project: "shop" });
    await publish(advisories, osv("GHSA-left-left-left", "left", "1.0.1", GRAVE));
    const child = spawn(process.execPath, [
      join(import.meta.dirname, "../../testing/rematch-alone.ts"),
      JSON.stringify({ connection, agent: agent.path, advisories }),
    ]);
    const killed = new Promise((resolve) => child.once("close", resolve));
    await expect.poll(async () => (await eventsIn(connection, "scan.rematched")).length, { timeout: 30_000, interval: 2 }).toBeGreaterThan(0);
    child.kill("SIGKILL");
    await killed;
    const database = await openClient(connection, () => {});
    await database.query("update scans set matching_until = now() where matching_until is not null"); // as if the lease were over
    await server.rematch();
    const opened = await eventsIn(connection, "finding.opened");
    expect(new Set(opened.map(({ data }) => data.scan)).size).toBe(3);
    expect(opened).toHaveLength(3);
    expect(await eventsIn(connection, "gate.denied")).toHaveLength(3);
    expect((await client.call("GET", "/v1/status")).body.advisories).toMatchObject({ state: "in_use", waiting: 0 });
    await database.end();
    await server.close();
  }, 90_000);

  it("is left to another server by one that ends, and that one ends soon", async () => {
    const { advisories, connection, start, server, client } = await running();
    await client.scan(await client.upload(APP));
    await publish(advisories, osv("GHSA-left-left-left", "left", "1.0.1", GRAVE));
    const begun = server.rematch();
    const database = await openClient(connection, () => {});
    const claimed = async () => (await database.query("select from scans where matching_until > now()")).rowCount;
    await expect.poll(claimed, { timeout: 20_000, interval: 5 }).toBe(1);
    await Promise.all([begun, server.close()]);
    expect(await claimed()).toBe(0);
    expect((await database.query("select count(*)::int as n from scans")).rows).toEqual([{ n: 1 }]);
    await database.end();
    const other = await start({ serverId: "other" });
    await other.rematch();
    expect((await other.call("GET", "/v1/findings", { key: client.key })).body.data).toHaveLength(1);
    await other.close();
  }, 60_000);

  it("scans an artifact again whose packages were not kept, or cannot be read any more", async () => {
    const { advisories, connection, server, client } = await running();
    const [first, second] = [await client.upload(APP), await client.upload({ ...APP, "b.js": "2" })];
    for (const artifact of [first, second]) await client.scan(artifact);
    const database = await openClient(connection, () => {});
    await database.query("delete from scan_matchables where scan in (select id from scans where artifact = $1)", [first]);
    await database.query("update scan_matchables set facts = 'broken'");
    await publish(advisories, osv("GHSA-left-left-left", "left", "1.0.1", GRAVE));
    await server.rematch();
    const again = (await client.call("GET", "/v1/scans")).body.data.filter(({ created_by }: { created_by: string }) => created_by === "advisories");
    expect(again.map(({ artifact }: { artifact: string }) => artifact).sort()).toEqual([first, second].sort());
    for (const { id } of again) await client.ended(id);
    expect((await client.call("GET", "/v1/findings?cve=CVE-2026-4242")).body.data).toHaveLength(2);
    await server.rematch();
    expect((await client.call("GET", "/v1/scans")).body.data).toHaveLength(4);
    await database.end();
    await server.close();
  }, 60_000);

  it("takes a bill of materials with 50,000 components, and the server answers meanwhile", async () => {
    const { advisories, server, client } = await running();
    const components = Array.from({ length: 50_000 }, (_, n) => ({ type: "library", name: `p${n}`, version: "1.0.0", purl: `pkg:npm/p${n}@1.0.0` }));
    const artifact = await client.upload({ "bom.cdx.json": JSON.stringify({ bomFormat: "CycloneDX", specVersion: "1.6", version: 1, components }) });
    await client.scan(artifact);
    await publish(advisories, osv("GHSA-many-many-many", "p49999", "1.0.1", GRAVE), osv("GHSA-most-most-most", "__proto__", "1.0.1"));
    let slowest = 0;
    let done = false;
    const rematched = server.rematch().finally(() => (done = true));
    while (!done) {
      const asked = performance.now();
      expect((await fetch(`${server.url}/v1/health`)).status).toBe(200);
      slowest = Math.max(slowest, performance.now() - asked);
    }
    await rematched;
    expect((await client.call("GET", "/v1/findings")).body.data).toMatchObject([
      { package: { name: "p49999" }, aliases: ["CVE-2026-4242", "GHSA-many-many-many"] },
    ]);
    expect(slowest).toBeLessThan(5_000);
    await server.close();
  }, 120_000);
});

it("of a scan that dependencies had no part in is none", async () => {
  const { advisories, start } = await installation(async (artifact) => ({ ...scanOf([findingNamed({ fingerprint: "1" })]), artifact: artifact.ref }));
  await publish(advisories);
  const server = await start();
  const client = await TestClient.of(server);
  const artifact = await client.upload({ "a.js": "1" });
  const { body } = await client.call("POST", "/v1/scans", { artifact, analysers: ["secrets"] });
  await client.ended(body.id);
  await server.rematch();
  expect((await client.call("GET", "/v1/scans")).body.data).toHaveLength(1);
  await server.close();
}, 30_000);
