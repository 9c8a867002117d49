import { type ChildProcess, spawn } from "node:child_process";
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { takeDown } from "./down.ts";
import { CHECKOUT, resolveHome } from "./home.ts";

const built = existsSync(join(CHECKOUT, "packages/sandbox/native/build/plastron-launcher"));
const MAIN = join(CHECKOUT, "packages/cli/main.ts");

/** The real agent and the real server with its database, behind a directory that the server's uid may not enter. */
describe.runIf(process.getuid?.() === 0 && built)("the whole platform", { timeout: 60_000 }, () => {
  let place: string;
  let env: NodeJS.ProcessEnv;
  beforeAll(() => {
    place = mkdtempSync(join(tmpdir(), "plastron-real-"));
    chmodSync(place, 0o700);
    env = {
      ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("PLASTRON_"))),
      PLASTRON_HOME: join(place, "home"),
      PLASTRON_PORT: "0",
    };
  });
  afterAll(async () => {
    await takeDown(resolveHome(join(place, "home"))).catch(() => {});
    rmSync(place, { recursive: true, force: true });
  });

  const start = (args: string[]) => spawn(process.execPath, [MAIN, ...args], { env, cwd: place });
  async function plastron(args: string[], stdin = ""): Promise<{ code: number | null; out: string; err: string }> {
    const child = start(args);
    child.stdin?.end(stdin);
    return await ended(child);
  }

  it("up --detach returns when programs can run, and status, run and the first key work at once", async () => {
    const up = await plastron(["up", "--detach", "--json"]);
    expect(up.code, up.err).toBe(0);
    const said = JSON.parse(up.out);
    expect(said).toMatchObject({ running: true, tier: expect.any(Number), admin_key: expect.stringMatching(/^pla_/) });
    expect(await plastron(["run", "-", "-l", "python3"], "import sys; print(6 * 7); sys.exit(5)")).toMatchObject({ code: 5, out: "42\n" });
    const status = await plastron(["status", "--json"]);
    expect([status.code, JSON.parse(status.out)]).toEqual([0, expect.objectContaining({ running: true, health: "ok", url: said.url })]);
    expect(JSON.parse(status.out).pools.length).toBeGreaterThan(0);
    expect(readFileSync(`/proc/${said.pids.server}/status`, "utf8")).toMatch(/^Uid:\t61300\t61300\t61300\t61300$/m);
    expect(readFileSync(`/proc/${said.pids.server}/status`, "utf8")).toMatch(/^CapBnd:\t0+$/m);
  });

  it("a run that uses files brings them back", async () => {
    writeFileSync(join(place, "in.txt"), "seven");
    const ran = await plastron(
      ["run", "-", "-l", "bash", "--file", `${join(place, "in.txt")}:data/in.txt`, "--collect", "*.out", "--out", join(place, "out")],
      "tr a-z A-Z < data/in.txt > up.out",
    );
    expect(ran).toMatchObject({ code: 0, err: "" });
    expect(readFileSync(join(place, "out/up.out"), "utf8")).toBe("SEVEN");
  });

  it("kill -9 of up leaves no process", async () => {
    const { pids } = JSON.parse((await plastron(["status", "--json"])).out);
    expect(family(place).length).toBeGreaterThanOrEqual(4);
    process.kill(pids.supervisor, "SIGKILL");
    await until(() => family(place).length === 0);
    expect((await plastron(["status"])).code).toBe(1);
  });

  it("in the foreground Ctrl-C stops everything within five seconds", async () => {
    const child = start(["up", "--json"]);
    await new Promise((resolve) => child.once("exit", resolve).stdout?.once("data", resolve));
    expect(family(place).length).toBeGreaterThanOrEqual(4);
    const begun = Date.now();
    child.kill("SIGINT");
    expect((await ended(child)).code).toBe(0);
    expect(Date.now() - begun).toBeLessThan(5000);
    expect(family(place)).toEqual([]);
  });
});

function ended(child: ChildProcess): Promise<{ code: number | null; out: string; err: string }> {
  let out = "";
  let err = "";
  child.stdout?.on("data", (chunk) => (out += chunk));
  child.stderr?.on("data", (chunk) => (err += chunk));
  return new Promise((resolve) => child.once("close", (code) => resolve({ code, out, err })));
}

/** Every process that names the place in its arguments or its environment: up, agent, server, PostgreSQL. */
function family(place: string): number[] {
  const mentions = (pid: string) => ["cmdline", "environ"].some((file) => readOrEmpty(`/proc/${pid}/${file}`).includes(place));
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid && mentions(name))
    .map(Number);
}

function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

async function until(what: () => boolean): Promise<void> {
  for (const end = Date.now() + 10_000; !what(); await sleep(50)) if (Date.now() > end) throw new Error("not within ten seconds");
}
