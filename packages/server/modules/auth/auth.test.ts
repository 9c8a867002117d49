import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { type Connection, openClient } from "../../database/pool.ts";
import { startTestCluster, type TestCluster } from "../../testing/database.ts";
import { startTestServer, type TestServer } from "../../testing/harness.ts";
import { type ScriptedAgent, startScriptedAgent } from "../../testing/scripted-agent.ts";
import { FailedAttempts } from "./attempts.ts";
import { claimedId, makeToken } from "./token.ts";
import { VerifiedKeys } from "./verified-keys.ts";

let cluster: TestCluster;
let agent: ScriptedAgent;
let connection: Connection;
let server: TestServer;
let admin: string;

beforeAll(async () => {
  [cluster, agent] = await Promise.all([startTestCluster(), startScriptedAgent()]);
  connection = await cluster.database();
  server = await startTestServer(connection, agent.path);
  admin = await server.key(["admin"]);
}, 60_000);
afterAll(async () => {
  await server.close();
  await Promise.all([cluster.stop(), agent.stop()]);
});

describe("keys", () => {
  it("are shown once, and only their argon2id hash is kept", async () => {
    const { status, body } = await server.call("POST", "/v1/keys", { key: admin, body: { name: "ci", scopes: ["read"] } });
    expect(status).toBe(201);
    expect(body.key).toMatch(/^pla_[0-9A-Z]{26}_[\w-]{43}$/);
    const client = await openClient(connection, () => {});
    const { rows } = await client.query("select * from api_keys where id = $1", [body.id]);
    const whole = JSON.stringify((await client.query("select * from events")).rows) + JSON.stringify(rows);
    await client.end();
    expect(rows[0].hash).toMatch(/^\$argon2id\$/);
    // The secret itself may hold an underscore: it is what follows the id.
    const secret = body.key.slice("pla_".length + 27);
    expect(secret).toHaveLength(43);
    expect(whole).not.toContain(secret);
    const list = await server.call("GET", "/v1/keys", { key: admin });
    expect(list.body.data.map((row: { id: string }) => row.id)).toContain(body.id);
    expect(JSON.stringify(list.body)).not.toContain("pla_");
  });

  it("stop working at once when revoked, although they were in use", async () => {
    const { body } = await server.call("POST", "/v1/keys", { key: admin, body: { scopes: ["read"] } });
    expect((await server.call("GET", "/v1/runs", { key: body.key })).status).toBe(200);
    expect((await server.call("DELETE", `/v1/keys/${body.id}`, { key: admin })).status).toBe(204);
    expect((await server.call("GET", "/v1/runs", { key: body.key })).status).toBe(401);
    expect((await server.call("DELETE", `/v1/keys/${body.id}`, { key: admin })).status).toBe(404);
  });

  it("do not repeat the secret to a repeated Idempotency-Key, and are not made twice", async () => {
    const options = { key: admin, body: { name: "once" }, headers: { "idempotency-key": "make-key-1" } };
    const first = await server.call("POST", "/v1/keys", options);
    const second = await server.call("POST", "/v1/keys", options);
    expect(first.body.key).toMatch(/^pla_/);
    expect(second.body).toEqual({ ...first.body, key: null });
  });

  it.each([
    ["no key", undefined],
    ["a key of the right form that is none", makeToken().token],
    ["something else", "hello"],
    ["a very long one", "x".repeat(5000)],
    ["an empty one", " "],
  ])("refuse in the same words: %s", async (_what, key) => {
    const { status, body, headers } = await server.call("GET", "/v1/runs", key === undefined ? {} : { key });
    expect({ status, code: body.code, detail: body.detail }).toEqual({ status: 401, code: "unauthorized", detail: "The request has no valid API key" });
    expect(headers.get("www-authenticate")).toContain("Bearer");
  });

  it("refuse the right id with a wrong secret", async () => {
    const forged = `${admin.slice(0, -5)}AAAAA`;
    expect((await server.call("GET", "/v1/runs", { key: forged })).status).toBe(401);
  });

  it("may do what their scope says and no more", async () => {
    const [run, read] = [await server.key(["run"]), await server.key(["read"])];
    const program = { language: "python3", code: "1" };
    expect((await server.call("POST", "/v1/runs", { key: run, body: program })).status).toBe(200);
    expect((await server.call("POST", "/v1/runs", { key: read, body: program })).body).toMatchObject({ status: 403, code: "forbidden" });
    expect((await server.call("GET", "/v1/keys", { key: run })).status).toBe(403);
    expect((await server.call("PUT", "/v1/policies/p", { key: run, body: { yaml: "ok" } })).status).toBe(403);
    expect((await server.call("GET", "/v1/policies", { key: read })).status).toBe(200);
  });

  it("preset by the environment work whatever their form, and a new value replaces the old one", async () => {
    await server.auth.preset("key_preset_admin", "my own key", ["admin"]);
    expect((await server.call("GET", "/v1/keys", { key: "my own key" })).status).toBe(200);
    await server.auth.preset("key_preset_admin", "my new key", ["admin"]);
    const other = await startTestServer(connection, agent.path);
    expect((await other.call("GET", "/v1/keys", { key: "my own key" })).status).toBe(401);
    expect((await other.call("GET", "/v1/keys", { key: "my new key" })).status).toBe(200);
    await other.close();
  });

  it("are checked once for many first requests at once", async () => {
    const key = await server.key(["read"]);
    const answers = await Promise.all(Array.from({ length: 40 }, () => server.call("GET", "/v1/policies", { key })));
    expect(answers.map(({ status }) => status)).toEqual(Array(40).fill(200));
  });

  it("come from the hot path's memory in well under 50 µs", async () => {
    await server.call("GET", "/v1/runs", { key: admin });
    for (let i = 0; i < 500; i++) server.auth.remembered(admin);
    const start = process.threadCpuUsage();
    for (let i = 0; i < 1000; i++) expect(server.auth.remembered(admin)).toBeDefined();
    expect(process.threadCpuUsage(start).user / 1000).toBeLessThan(50 * 5); // of 1000 calls; five times the room for a busy machine
  });
});

describe("tenants", () => {
  it("never see each other's objects, and cannot tell them from what never was", async () => {
    await server.call("POST", "/v1/tenants", { key: admin, body: { id: "acme" } });
    const acme = (await server.call("POST", "/v1/keys", { key: admin, body: { tenant: "acme", scopes: ["admin"] } })).body.key;
    const run = await server.call("POST", "/v1/runs", { key: admin, body: { language: "python3", code: "1" } });
    const session = await server.call("POST", "/v1/sessions", { key: admin, body: { language: "python3" } });
    await server.call("PUT", "/v1/policies/mine", { key: admin, body: { yaml: "ok" } });
    const unknown = `run_${"0".repeat(26)}`;
    const mine = await server.call("GET", `/v1/runs/${run.body.id}`, { key: acme });
    const none = await server.call("GET", `/v1/runs/${unknown}`, { key: acme });
    expect(mine.body).toEqual(none.body);
    expect(mine.status).toBe(404);
    for (const [method, path] of [
      ["POST", `/v1/runs/${run.body.id}/cancel`],
      ["GET", `/v1/sessions/${session.body.id}`],
      ["DELETE", `/v1/sessions/${session.body.id}`],
      ["GET", "/v1/policies/mine"],
      ["DELETE", "/v1/policies/mine"],
    ] as const) {
      expect((await server.call(method, path, { key: acme })).status, path).toBe(404);
    }
    expect((await server.call("POST", "/v1/runs", { key: acme, body: { language: "python3", code: "1", policy: "mine" } })).status).toBe(404);
    expect((await server.call("GET", "/v1/runs", { key: acme })).body.data).toEqual([]);
    expect((await server.call("GET", `/v1/sessions/${session.body.id}`, { key: admin })).body.status).toBe("open");
  });

  it("are the operator's to make: another tenant's admin hears the same whether a tenant exists or not", async () => {
    await server.call("POST", "/v1/tenants", { key: admin, body: { id: "beta" } });
    const beta = (await server.call("POST", "/v1/keys", { key: admin, body: { tenant: "beta", scopes: ["admin"] } })).body.key;
    expect((await server.call("POST", "/v1/tenants", { key: beta, body: { id: "gamma" } })).status).toBe(403);
    expect((await server.call("GET", "/v1/doctor", { key: beta })).status).toBe(403);
    const answers = await Promise.all(
      ["default", "nobody"].map((tenant) => server.call("POST", "/v1/keys", { key: beta, body: { tenant, scopes: ["admin"] } })),
    );
    expect(answers.map(({ status, body }) => [status, body.detail])).toEqual(Array(2).fill([403, "This needs an admin key of the operator's tenant"]));
    expect((await server.call("POST", "/v1/keys", { key: beta, body: { scopes: ["read"] } })).body.tenant).toBe("beta");
    expect((await server.call("POST", "/v1/keys", { key: admin, body: { tenant: "nobody" } })).status).toBe(404);
    expect((await server.call("POST", "/v1/tenants", { key: admin, body: { id: "beta" } })).status).toBe(409);
  });
});

describe("guessing", () => {
  it("is slowed down by address, without harm to keys in use", async () => {
    const attempts = new FailedAttempts(3, 60_000);
    const wrong = vi.fn(async () => false);
    for (let i = 0; i < 3; i++) expect(await attempts.guard("1.2.3.4", wrong, 1000)).toBe(false);
    await expect(attempts.guard("1.2.3.4", wrong, 2000)).rejects.toMatchObject({ code: "rate_limited", retryAfterSeconds: 59 });
    expect(wrong).toHaveBeenCalledTimes(3);
    expect(await attempts.guard("5.6.7.8", async () => true, 2000)).toBe(true);
    expect(await attempts.guard("1.2.3.4", async () => true, 62_000)).toBe(true);
  });

  it("cannot run many costly checks at once", async () => {
    const attempts = new FailedAttempts();
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const pending = Array.from({ length: 16 }, (_, i) => attempts.guard(`10.0.0.${i}`, () => promise));
    await expect(attempts.guard("10.0.1.1", async () => true)).rejects.toMatchObject({ code: "rate_limited" });
    resolve(true);
    await Promise.all(pending);
  });
});

describe("remembered keys", () => {
  const principal = { key: "key_1", tenant: "default", scopes: ["run"] as const, project: null };
  it("go stale, so that another server's revocation is noticed", () => {
    const keys = new VerifiedKeys(1000);
    keys.put("f", principal, 0);
    expect(keys.get("f", 1000)).toEqual({ principal, stale: false });
    expect(keys.get("f", 1001)).toEqual({ principal, stale: true });
  });

  it("do not grow without bound", () => {
    const keys = new VerifiedKeys(1000, 2);
    for (const name of ["a", "b", "c"]) keys.put(name, principal, 0);
    expect(["a", "b", "c"].map((name) => keys.get(name, 0) !== undefined)).toEqual([false, true, true]);
  });
});

describe("tokens", () => {
  it("carry their id, and claim none in any other form", () => {
    const { id, token } = makeToken();
    expect(claimedId(token)).toBe(id);
    for (const other of ["", "pla_", `${token}x`, token.toLowerCase(), `pla_${"'".repeat(26)}_${"a".repeat(43)}`]) expect(claimedId(other)).toBeUndefined();
  });
});
