import { PlastronError } from "@plastron/contracts";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { startTestCluster, type TestCluster } from "../../testing/database.ts";
import { startTestServer, type TestServer } from "../../testing/harness.ts";
import { madeUpImage, type ScriptedAgent, startScriptedAgent } from "../../testing/scripted-agent.ts";

let cluster: TestCluster;
let agent: ScriptedAgent;
let server: TestServer;
let admin: string;
let stranger: string;

beforeAll(async () => {
  [cluster, agent] = await Promise.all([startTestCluster(), startScriptedAgent()]);
  server = await startTestServer(await cluster.database(), agent.path);
  admin = await server.key(["admin", "run", "read"]);
  await server.call("POST", "/v1/tenants", { key: admin, body: { id: "other" } });
  stranger = await server.key(["admin", "run", "read"], "other");
}, 60_000);
afterEach(() => {
  agent.build = madeUpImage;
});
afterAll(async () => {
  await server.close();
  await Promise.all([cluster.stop(), agent.stop()]);
});

const call = (method: string, path: string, body?: object, key = admin) => server.call(method, path, { key, ...(body ? { body } : {}) });
const create = (name: string, more: object = { packages: ["leaf==1.0"] }, key = admin) => call("POST", "/v1/runtimes", { name, from: "python3", ...more }, key);
const ran = () => agent.requests.filter((request) => request.op === "run").at(-1);
const built = () => agent.requests.filter((request) => request.op === "image.build");

describe("a runtime", () => {
  it("is made, listed, shown with what it holds, and gone after its deletion", async () => {
    const made = await create("shown", { packages: ["numpy==1.26.4", "pandas"] });
    expect(made).toMatchObject({
      status: 201,
      body: { name: "shown", version: 1, language: "python3", current: true, bytes: 3_000_000_000, packages_total: 2 },
    });
    expect(built().at(-1)).toMatchObject({ packages: { from: "python3", requirements: "numpy==1.26.4\npandas" } });
    expect((await call("GET", "/v1/runtimes")).body.data).toEqual([expect.objectContaining({ name: "shown" })]);
    const shown = (await call("GET", "/v1/runtimes/shown")).body;
    expect(shown).toMatchObject({
      packages: [{ name: "numpy==1.26.4" }, { name: "pandas" }],
      lock: expect.stringContaining("numpy"),
      versions: [{ version: 1 }],
    });
    expect((await create("shown")).body).toMatchObject({ code: "conflict", hint: expect.stringContaining("update shown") });
    expect((await call("DELETE", "/v1/runtimes/shown")).status).toBe(204);
    expect((await call("GET", "/v1/runtimes/shown")).body.code).toBe("not_found");
    expect((await call("DELETE", "/v1/runtimes/shown")).body.code).toBe("not_found");
  });

  it.each([
    [{ packages: ["a"], requirements: "a" }, "in one way"],
    [{}, "No package is named"],
    [{ package_json: "{}" }, "package_json is for nodejs"],
    [{ from: "nodejs", requirements: "a" }, "requirements is for python3"],
    [{ from: "nodejs", packages: ["a"], package_lock: "{}" }, "package_lock needs its package_json"],
    [{ packages: ["a\n--index-url http://elsewhere"] }, "one line"],
    [{ packages: ["a\0"] }, "NUL"],
    [{ name: "python3", packages: ["a"] }, "name of an interpreter"],
    [{ name: "../x", packages: ["a"] }, "lower case letters"],
    [{ from: "bash", packages: ["a"] }, ""],
  ])("is not made of %o", async (more, why) => {
    const before = built().length;
    const answer = await create("wrong", more);
    expect([answer.status, JSON.stringify(answer.body)]).toEqual([400, expect.stringContaining(why)]);
    expect(built().length).toBe(before);
  });

  it("says what the installer said where it failed, and leaves nothing", async () => {
    agent.build = () => {
      throw new PlastronError("packages_failed", "The packages could not be chosen: no such version");
    };
    expect(await create("failed")).toMatchObject({ status: 422, body: { code: "packages_failed", detail: expect.stringContaining("no such version") } });
    expect((await call("GET", "/v1/runtimes/failed")).status).toBe(404);
  });

  it("tells what the installer prints as it comes", async () => {
    agent.build = (packages, progress) => {
      progress("Collecting lea");
      progress("f\n");
      return madeUpImage(packages);
    };
    const response = await fetch(`${server.url}/v1/runtimes`, {
      method: "POST",
      headers: { authorization: `Bearer ${admin}`, "content-type": "application/json" },
      body: JSON.stringify({ name: "streamed", from: "python3", packages: ["leaf"], stream: true }),
    });
    const text = await response.text();
    expect(text).toMatch(/event: progress\ndata: {"text":"Collecting lea/);
    expect(text).toMatch(/event: result\ndata: {"name":"streamed","version":1/);
  });

  it("is made by admins alone", async () => {
    const runner = await server.key(["run", "read"]);
    expect((await create("not-mine", undefined, runner)).status).toBe(403);
    expect((await call("GET", "/v1/runtimes", undefined, runner)).status).toBe(200);
  });

  it("takes packages of npm by name, range and scope", async () => {
    await create("node-one", { from: "nodejs", packages: ["left-pad@1.3.0", "@scope/thing@^2", "plain"] });
    const request = built().at(-1)?.packages as { package_json: string };
    expect(JSON.parse(request.package_json)).toEqual({ dependencies: { "left-pad": "1.3.0", "@scope/thing": "^2", plain: "latest" } });
  });
});

describe("its versions", () => {
  it("follow each other, can be gone back to, and are forgotten by prune", async () => {
    await create("versioned", { packages: ["leaf==1.0"] });
    const same = await call("POST", "/v1/runtimes/versioned/versions", {});
    expect(same).toMatchObject({ status: 200, body: { version: 1 } });
    const next = await call("POST", "/v1/runtimes/versioned/versions", { packages: ["leaf==2.0"] });
    expect(next).toMatchObject({ status: 201, body: { version: 2, current: true } });
    await call("POST", "/v1/runs", { runtime: "versioned", code: "1" });
    const second = madeUpImage({ from: "python3", requirements: "leaf==2.0" }).id;
    const first = madeUpImage({ from: "python3", requirements: "leaf==1.0" }).id;
    expect(ran()).toMatchObject({ spec: { image: second } });
    expect((await call("POST", "/v1/runtimes/versioned/rollback", { version: 1 })).body).toMatchObject({ version: 1, current: true });
    await call("POST", "/v1/runs", { runtime: "versioned", code: "1" });
    expect(ran()).toMatchObject({ spec: { image: first } });
    await call("POST", "/v1/runs", { runtime: "versioned@2", code: "1" });
    expect(ran()).toMatchObject({ spec: { image: second } });
    expect((await call("POST", "/v1/runtimes/versioned/rollback", { version: 9 })).status).toBe(404);
    expect((await call("POST", "/v1/runtimes/prune")).body).toMatchObject({ versions: 1, images: expect.any(Number) });
    expect([agent.images.has(first), agent.images.has(second)]).toEqual([true, false]);
    expect((await call("POST", "/v1/runs", { runtime: "versioned@2", code: "1" })).body).toMatchObject({ code: "unsupported_runtime" });
  });

  it("do not change an open session, nor the image that it holds", async () => {
    await create("held", { packages: ["held==1.0"] });
    const image = madeUpImage({ from: "python3", requirements: "held==1.0" }).id;
    const session = (await call("POST", "/v1/sessions", { runtime: "held" })).body;
    expect(session).toMatchObject({ language: "python3", runtime: "held@1" });
    expect(agent.requests.filter(({ op }) => op === "session.open").at(-1)).toMatchObject({ image });
    await call("POST", "/v1/runtimes/held/versions", { packages: ["held==2.0"] });
    await call("POST", "/v1/runtimes/prune");
    expect(agent.images.has(image)).toBe(true);
    expect((await call("POST", `/v1/sessions/${session.id}/runs`, { code: "1" })).body).toMatchObject({ runtime: "held@1", status: "completed" });
    await call("DELETE", `/v1/sessions/${session.id}`);
    await call("POST", "/v1/runtimes/prune");
    expect(agent.images.has(image)).toBe(false);
  });
});

describe("a run", () => {
  it("names a language or a runtime, and its record says which", async () => {
    await create("used");
    const run = (await call("POST", "/v1/runs", { runtime: "used", code: "import leaf" })).body;
    expect(run).toMatchObject({ language: "python3", runtime: "used@1" });
    expect((await call("GET", `/v1/runs/${run.id}`)).body).toMatchObject({ language: "python3", runtime: "used@1" });
    expect((await call("POST", "/v1/runs", { language: "python3", code: "1" })).body.runtime).toBeNull();
    expect((await call("POST", "/v1/runs", { language: "python3", runtime: "used", code: "1" })).status).toBe(400);
    expect((await call("POST", "/v1/runs", { code: "1" })).status).toBe(400);
    expect((await call("POST", "/v1/runs", { runtime: "used", image: "0".repeat(64), code: "1" })).status).toBe(400);
  });
});

describe("another tenant", () => {
  it("has names of its own, and shares the image of an equal lock without hearing of it", async () => {
    await create("mine", { packages: ["same==1.0"] });
    for (const [method, path, body] of [
      ["GET", "/v1/runtimes/mine"],
      ["DELETE", "/v1/runtimes/mine"],
      ["POST", "/v1/runtimes/mine/versions", {}],
      ["POST", "/v1/runtimes/mine/rollback", { version: 1 }],
    ] as const)
      expect((await call(method, path, body, stranger)).body).toMatchObject({ code: "not_found" });
    expect((await call("GET", "/v1/runtimes", undefined, stranger)).body.data).toEqual([]);
    expect((await call("POST", "/v1/runs", { runtime: "mine", code: "1" }, stranger)).body).toMatchObject({ code: "unsupported_runtime" });
    expect((await create("mine", { packages: ["same==1.0"] }, stranger)).status).toBe(201);
    const { id } = madeUpImage({ from: "python3", requirements: "same==1.0" });
    await call("DELETE", "/v1/runtimes/mine");
    await call("POST", "/v1/runtimes/prune");
    expect(agent.images.has(id)).toBe(true);
    await call("DELETE", "/v1/runtimes/mine", undefined, stranger);
    await call("POST", "/v1/runtimes/prune", undefined, stranger);
    expect(agent.images.has(id)).toBe(false);
  });
});

describe("what comes through Dify's door", () => {
  const dify = async (method: string, path: string, body?: object) => {
    const response = await fetch(`${server.url}${path}`, {
      method,
      headers: { "x-api-key": admin, "content-type": "application/json" },
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
    return response.json() as Promise<{ code: number; data: { dependencies: unknown } }>;
  };

  it("has the packages of the runtime dify-sandbox, lists them, and makes its next version", async () => {
    await create("dify-sandbox", { packages: ["jinja2"] });
    const image = madeUpImage({ from: "python3", requirements: "jinja2" }).id;
    await new Promise((later) => setTimeout(later, 1_100));
    await dify("POST", "/v1/sandbox/run", { language: "python3", code: "import jinja2" });
    expect(ran()).toMatchObject({ spec: { image } });
    await dify("POST", "/v1/sandbox/run", { language: "nodejs", code: "1" });
    expect(ran()).toMatchObject({ spec: { image: null } });
    const before = agent.requests.length;
    for (const path of ["/v1/sandbox/dependencies", "/v1/sandbox/dependencies/refresh"])
      expect((await dify("GET", `${path}?language=python3`)).data.dependencies).toEqual([{ name: "jinja2", version: "1.0" }]);
    expect(agent.requests.length).toBe(before);
    agent.build = (packages) => ({ ...madeUpImage(packages), id: "f".repeat(64), packages: [{ name: "jinja2", version: "2.0", hash: null }] });
    expect(await dify("POST", "/v1/sandbox/dependencies/update", { language: "python3" })).toMatchObject({ code: 0, data: {} });
    await new Promise((later) => setTimeout(later, 1_100));
    expect((await dify("GET", "/v1/sandbox/dependencies?language=python3")).data.dependencies).toEqual([{ name: "jinja2", version: "2.0" }]);
    expect((await call("GET", "/v1/runtimes/dify-sandbox")).body).toMatchObject({ version: 2 });
  });
});
