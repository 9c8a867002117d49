import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { takeDown } from "./down.ts";
import { type Home, homeAt, resolveHome, writeJson } from "./home.ts";
import { identify } from "./processes.ts";
import { readState } from "./state.ts";
import { readStatus } from "./status.ts";

const root = process.getuid?.() === 0;
let place: string;
let home: Home;
let started: ChildProcess[];
beforeEach(() => {
  place = mkdtempSync(join(tmpdir(), "plastron-up-"));
  chmodSync(place, 0o755);
  home = resolveHome(join(place, "home"));
  started = [];
});
afterEach(async () => {
  await takeDown(home).catch(() => {});
  for (const child of started) child.kill("SIGKILL");
  for (const pid of pids()) if (identify(pid)) process.kill(pid, "SIGKILL");
  rmSync(place, { recursive: true, force: true });
});

/** Starts `up` with scripted parts and waits for its word. */
async function up(env: Record<string, string> = {}, port = 0): Promise<{ child: ChildProcess; said: string; lines: string[] }> {
  const child = spawn(process.execPath, [join(import.meta.dirname, "fixtures/up.ts"), home.root, String(port)], {
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "inherit"],
  });
  started.push(child);
  const lines: string[] = [];
  const said = await new Promise<string>((resolve) => {
    createInterface({ input: child.stdout as NodeJS.ReadableStream }).on("line", (line) => {
      lines.push(line);
      if (/^(up|failed) /.test(line)) resolve(line);
    });
    child.once("exit", () => resolve("exit"));
  });
  return { child, said, lines };
}

const word = (said: string) => JSON.parse(said.slice(said.indexOf("{")));
function pids(): number[] {
  return [home.agent, home.server].flatMap((part) =>
    existsSync(join(part, "pids")) ? readFileSync(join(part, "pids"), "utf8").trim().split("\n").map(Number) : [],
  );
}
async function until(what: () => boolean | Promise<boolean>, ms = 8000): Promise<void> {
  for (const end = Date.now() + ms; !(await what()); await sleep(20)) if (Date.now() > end) throw new Error(`not within ${ms} ms: ${what}`);
}

describe("up and down", () => {
  it("starts both parts, says where they are, and leaves nothing after down", async () => {
    const { said } = await up();
    expect(word(said)).toMatchObject({ firstKey: "pla_first", state: { driver: "scripted", tier: 2 } });
    const status = await readStatus(home);
    expect(status).toMatchObject({ running: true, health: "ok", tier: 2, driver: "scripted" });
    expect([status.pids.agent, status.pids.server]).toEqual(pids());
    expect(await takeDown(home)).toEqual({ stopped: true, forced: [] });
    expect(pids().filter((pid) => identify(pid))).toEqual([]);
    expect(await readStatus(home)).toMatchObject({ running: false, url: null });
    expect(await takeDown(home)).toEqual({ stopped: false, forced: [] });
  });

  it("keeps the first key for the local CLI alone, and out of the logs", async () => {
    await up();
    expect(JSON.parse(readFileSync(home.cli, "utf8"))).toMatchObject({ key: "pla_first", url: readState(home)?.url });
    expect(statSync(home.cli).mode & 0o777).toBe(0o600);
    expect(readFileSync(join(home.logs, "server.log"), "utf8")).not.toContain("pla_first");
    await takeDown(home);
    const again = await up();
    expect(word(again.said).firstKey).toBeNull();
    expect(JSON.parse(readFileSync(home.cli, "utf8")).key).toBe("pla_first");
  });

  it("does not tell the agent any secret", async () => {
    await up({ PLASTRON_ADMIN_KEY: "preset-key", DATABASE_URL: "postgres://u:secret@h/d", PLASTRON_API_KEY: "client-key", API_KEY: "dify-key" });
    const seen = readFileSync(join(home.agent, "environment"), "utf8");
    for (const secret of ["preset-key", "secret@", "client-key", "dify-key"]) expect(seen).not.toContain(secret);
    expect(readFileSync(join(home.server, "environment"), "utf8")).toContain("preset-key");
  });

  it("refuses a second one on the same home", async () => {
    await up();
    const second = await up();
    expect(word(second.said)).toMatchObject({ code: "already_running", message: expect.stringContaining(home.root) });
    expect((await readStatus(home)).running).toBe(true);
  });

  it("says that the port is taken, and leaves nothing running", async () => {
    const blocker = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => blocker.once("listening", resolve));
    const { port } = blocker.address() as { port: number };
    const { said } = await up({}, port);
    blocker.close();
    expect(word(said)).toMatchObject({ code: "port_in_use", message: expect.stringContaining(String(port)), hint: expect.stringContaining("--port") });
    expect(pids()).toEqual([]);
  });

  it("stops within five seconds also when a part does not listen", async () => {
    expect((await up({ FIXTURE_AGENT: "deaf" })).said).toMatch(/^up /);
    const begun = Date.now();
    await takeDown(home);
    expect(Date.now() - begun).toBeLessThan(5000);
    expect(pids()).toHaveLength(2);
    expect(pids().filter((pid) => identify(pid))).toEqual([]);
  });
});

describe("failures", () => {
  it("kill -9 of up ends agent and server, and the next up starts at once", async () => {
    const { child } = await up();
    child.kill("SIGKILL");
    await until(() => pids().every((pid) => identify(pid) === null));
    expect((await readStatus(home)).running).toBe(false);
    const again = await up();
    expect(again.said).toMatch(/^up /);
  });

  it("a part that dies is started again and the other stays", async () => {
    const { lines } = await up();
    const [agent, server] = pids() as [number, number];
    process.kill(agent, "SIGKILL");
    await until(() => lines.includes("told the agent is up again"));
    const status = await readStatus(home);
    expect(status.restarts).toEqual({ agent: 1, server: 0 });
    expect(status.pids.server).toBe(server);
    expect(status.pids.agent).not.toBe(agent);
    expect(status.pids.agent).not.toBeNull();
  });

  it.each(["agent", "server"])("a broken %s is named with its last words and its log", async (part) => {
    const { said } = await up({ [`FIXTURE_${part.toUpperCase()}`]: "broken" });
    const error = word(said);
    expect(error).toMatchObject({ code: "start_failed" });
    expect(error.message).toContain(part === "agent" ? "no sandbox today" : "no database today");
    expect(error.hint).toContain(join(home.logs, `${part}.log`));
    expect(pids().filter((pid) => identify(pid))).toEqual([]);
  });

  it("down does not kill a stranger that got the number of a dead supervisor", async () => {
    await up();
    const state = JSON.parse(readFileSync(home.state, "utf8"));
    await takeDown(home);
    const stranger = spawn("sleep", ["30"]);
    started.push(stranger);
    writeJson(home.state, { ...state, supervisor: { ...state.supervisor, pid: stranger.pid } });
    expect(await takeDown(home)).toEqual({ stopped: false, forced: [] });
    expect(identify(stranger.pid as number)).not.toBeNull();
  });
});

describe.runIf(root)("as root", () => {
  it("runs the server under its own uid, which owns its directory and nothing else", async () => {
    await up();
    expect(readFileSync(join(home.server, "uid"), "utf8")).toBe("61300");
    expect(statSync(home.server).uid).toBe(61_300);
    for (const path of [home.root, home.logs, home.agent, home.state, home.cli]) expect(statSync(path).uid).toBe(0);
  });

  it("shows the server its code and its state where a directory on the way is closed", async () => {
    chmodSync(place, 0o700);
    // Without the view that uid cannot reach its own directory.
    mkdirSync(home.root, { recursive: true });
    expect(() => execFileSync("setpriv", ["--reuid=61300", "--regid=61300", "--clear-groups", "ls", home.root], { stdio: "pipe" })).toThrow();
    const { said } = await up();
    expect(said).toMatch(/^up /);
    expect((await readStatus(home)).health).toBe("ok");
    const server = pids()[1] as number;
    const seen = execFileSync("ls", [`/proc/${server}/root${home.root}`], { encoding: "utf8" })
      .trim()
      .split("\n");
    expect(seen).toEqual(["advisories", "run", "server"]);
    expect(readFileSync("/proc/self/mountinfo", "utf8")).not.toContain(place);
  });
});

describe("homeAt", () => {
  it("gives a socket that a unix address can hold, however deep the home", () => {
    const deep = homeAt(`/${"x".repeat(150)}/home`);
    expect(Buffer.byteLength(deep.socket)).toBeLessThanOrEqual(107);
    expect(homeAt(`/${"x".repeat(150)}/other`).socket).not.toBe(deep.socket);
  });
});
