import { type ChildProcess, spawn } from "node:child_process";
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { testIdentity } from "./testing/database.ts";
import { type ScriptedAgent, startScriptedAgent } from "./testing/scripted-agent.ts";

interface Ready {
  event: string;
  url: string;
  port: number;
  pid: number;
  dify_port: number | null;
  admin_key?: string;
}
interface Process {
  child: ChildProcess;
  ready: Ready;
  output(): string;
  ended: Promise<number | string>;
}

const root = mkdtempSync(join(tmpdir(), "plastron-test-main-"));
const processes: ChildProcess[] = [];
let agent: ScriptedAgent;

beforeAll(async () => {
  chmodSync(root, 0o777);
  agent = await startScriptedAgent();
  chmodSync(dirname(agent.path), 0o755);
  chmodSync(agent.path, 0o777);
});
afterEach(async () => {
  for (const child of processes.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGTERM");
    await ended;
  }
});
afterAll(async () => {
  await agent.stop();
  rmSync(root, { recursive: true, force: true });
});

async function start(home: string, environment: Record<string, string> = {}, identity = testIdentity().identity): Promise<Process> {
  const child = spawn(process.execPath, [join(import.meta.dirname, "main.ts")], {
    ...identity,
    cwd: "/",
    env: { PATH: process.env.PATH, PLASTRON_HOME: join(root, home), PLASTRON_PORT: "0", PLASTRON_AGENT_SOCKET: agent.path, ...environment },
    stdio: ["pipe", "pipe", "pipe"],
  });
  processes.push(child);
  let output = "";
  child.stderr.on("data", (chunk) => {
    output += chunk;
  });
  const ended = new Promise<number | string>((resolve) => child.once("exit", (code, signal) => resolve(code ?? (signal as string))));
  const ready = await new Promise<Ready>((resolve, reject) => {
    let text = "";
    child.stdout.on("data", (chunk) => {
      text += chunk;
      if (text.includes("\n")) resolve(JSON.parse(text));
    });
    void ended.then((how) => reject(new Error(`ended with ${how}: ${output}`)));
  });
  return { child, ready, output: () => output, ended };
}

const run = async (url: string, key: string, body: object = { language: "python3", code: "hello" }) => {
  const response = await fetch(`${url}/v1/runs`, {
    ...{ method: "POST", body: JSON.stringify(body) },
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
  });
  return { status: response.status, body: (await response.json()) as { id: string; stdout: string } };
};

/** Processes whose working directory lies under `home`: PostgreSQL's all do. */
function processesOf(home: string): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        return readlinkSync(`/proc/${pid}/cwd`).startsWith(join(root, home));
      } catch {
        return false;
      }
    });
}

it("starts from nothing, shows the first key once and nowhere else, and keeps its state over a restart", async () => {
  const first = await start("fresh");
  const key = first.ready.admin_key as string;
  expect(key).toMatch(/^pla_/);
  expect(JSON.parse(readFileSync(join(root, "fresh", "server.json"), "utf8"))).toMatchObject({
    url: first.ready.url,
    port: first.ready.port,
    pid: first.child.pid,
  });
  const answer = await run(first.ready.url, key, { language: "python3", code: "THE-PROGRAM", stdin: "THE-INPUT" });
  expect(answer).toMatchObject({ status: 200, body: { stdout: "THE-PROGRAM" } });
  first.child.kill("SIGTERM");
  expect(await first.ended).toBe(0);
  expect(existsSync(join(root, "fresh", "server.json"))).toBe(false);
  expect(processesOf("fresh")).toEqual([]);
  for (const secret of [key, "THE-PROGRAM", "THE-INPUT"]) expect(first.output()).not.toContain(secret);

  const second = await start("fresh");
  expect(second.ready.admin_key).toBeUndefined();
  const stored = await fetch(`${second.ready.url}/v1/runs/${answer.body.id}`, { headers: { authorization: `Bearer ${key}` } });
  expect(await stored.json()).toMatchObject({ status: "completed", stdout: "THE-PROGRAM" });
}, 60_000);

it("comes back after kill -9 with every run that it had answered, and PostgreSQL does not outlive it", async () => {
  const environment = { PLASTRON_ADMIN_KEY: "preset-admin-key", API_KEY: "dify-sandbox", PLASTRON_DIFY_PORT: "0" };
  const first = await start("killed", environment);
  expect(first.ready.admin_key).toBeUndefined();
  const answered = await Promise.all(Array.from({ length: 20 }, () => run(first.ready.url, "preset-admin-key")));
  first.child.kill("SIGKILL");
  await first.ended;
  await expect.poll(() => processesOf("killed"), { timeout: 10_000 }).toEqual([]);

  const second = await start("killed", environment);
  for (const { body } of answered) {
    const stored = await fetch(`${second.ready.url}/v1/runs/${body.id}`, { headers: { authorization: "Bearer preset-admin-key" } });
    expect(await stored.json()).toMatchObject({ status: "completed", stdout: "hello" });
  }
  const dify = await fetch(`http://127.0.0.1:${second.ready.dify_port}/v1/sandbox/run`, {
    ...{ method: "POST", body: JSON.stringify({ language: "python3", code: "over dify" }) },
    headers: { "x-api-key": "dify-sandbox", "content-type": "application/json" },
  });
  expect(await dify.json()).toMatchObject({ code: 0, data: { stdout: "over dify" } });
}, 60_000);

it("after kill -9 in the middle of runs has every violation that anybody had heard of", async () => {
  const environment = { PLASTRON_ADMIN_KEY: "preset-admin-key" };
  const echo = agent.script;
  agent.script = async (scene) => {
    for (let i = 0; i < 40; i++) {
      scene.violation({ event: { operation: "File", path: `/etc/${i}`, permissions: ["read"] } });
      await sleep(3);
    }
  };
  const first = await start("violated", environment);
  const heard = new Map<string, string[]>();
  const follow = async () => {
    const response = await fetch(`${first.ready.url}/v1/runs`, {
      ...{ method: "POST", body: JSON.stringify({ language: "bash", code: "x", stream: true }) },
      headers: { authorization: "Bearer preset-admin-key", "content-type": "application/json" },
    });
    let text = "";
    for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      text += chunk;
      const id = /"id":"(run_[^"]+)"/.exec(text)?.[1] ?? "";
      heard.set(
        id,
        [...text.matchAll(/"path":"([^"]+)"[^\n]*\n\n/g)].map(([, path]) => path as string),
      );
    }
  };
  const runs = Array.from({ length: 5 }, () => follow().catch(() => "cut"));
  await expect.poll(() => heard.size, { timeout: 10_000 }).toBe(5);
  await expect.poll(() => Math.min(...[...heard.values()].map(({ length }) => length)), { timeout: 10_000 }).toBeGreaterThan(3);
  first.child.kill("SIGKILL");
  await Promise.all([first.ended, ...runs]);
  await expect.poll(() => processesOf("violated"), { timeout: 10_000 }).toEqual([]);
  agent.script = echo;

  const second = await start("violated", environment);
  for (const [id, paths] of heard) {
    const page = await fetch(`${second.ready.url}/v1/violations?run_id=${id}&limit=200`, { headers: { authorization: "Bearer preset-admin-key" } });
    const { data } = (await page.json()) as { data: { event: { path: string } }[] };
    expect(
      data
        .map(({ event }) => event.path)
        .reverse()
        .slice(0, paths.length),
    ).toEqual(paths);
  }
  const log = readFileSync(join(root, "violated", "logs", "violations.log"), "utf8");
  expect(JSON.parse(log.split("\n")[0] as string)).toMatchObject({ level: "warn", message: "violation event", policyName: "default" });
}, 60_000);

it("ends when its lifeline closes", async () => {
  const { child, ended } = await start("lifeline", { PLASTRON_LIFELINE: "stdin" });
  await sleep(50);
  expect(child.exitCode).toBeNull();
  child.stdin?.end();
  expect(await ended).toBe(0);
  expect(processesOf("lifeline")).toEqual([]);
}, 60_000);

it("ends with an error that says so when its database dies", async () => {
  const { ended, output } = await start("orphaned");
  const postmaster = Number(readFileSync(join(root, "orphaned", "pg", "data", "postmaster.pid"), "utf8").split("\n")[0]);
  process.kill(postmaster, "SIGKILL");
  expect(await ended).toBe(1);
  expect(output()).toContain("the database ended");
}, 60_000);

it("says which variable is wrong", async () => {
  await expect(start("wrong", { PLASTRON_PORT: "many" })).rejects.toThrow(/ended with 1: .*PLASTRON_PORT/s);
}, 30_000);

it.runIf(process.getuid?.() === 0)(
  "does not run as root",
  async () => {
    await expect(start("root", {}, { uid: 0, gid: 0 })).rejects.toThrow(/ended with 2: .*does not run as root/s);
  },
  30_000,
);
