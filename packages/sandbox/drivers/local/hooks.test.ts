import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { DEFAULT_LIMITS, type Hooks, NO_RULES, type Violation } from "@plastron/contracts";
import { afterAll, afterEach, beforeEach, describe, expect, it } from "vitest";
import type { SandboxDriver, SessionSpec } from "../../driver.ts";
import { bench } from "../../testing/harness.ts";
import { destination, hooked } from "../../testing/hooked.ts";
import { firstWord } from "../../testing/waiting.ts";
import { cgroupRecords, findCgroups } from "./cgroups.ts";
import { belowGroup, HookGroups } from "./hooks.ts";
import { localDriverMissing, openLocalDriver } from "./index.ts";
import { UidPool } from "./uids.ts";

const home = mkdtempSync(join(tmpdir(), "plastron-hooks-"));
afterAll(() => rmSync(home, { recursive: true, force: true }));
const HOOKED = fileURLToPath(new URL("../../testing/hooked-driver.ts", import.meta.url));
const BINARY = fileURLToPath(new URL("../../native/build/plastron-hooks", import.meta.url));
const { unified } = findCgroups(`plastron-${createHash("sha256").update(home).digest("hex").slice(0, 12)}`);

const rules = hooked([destination("127.0.0.1")]);
const CONNECT = (port: number) => `
import socket
try: socket.socket().connect(('127.0.0.1', ${port}))
except OSError as error: print(error.errno)`;
const portsOf = (violations: readonly Violation[]) =>
  violations.map(({ event }) => (event.operation === "Network" && event.type === "connect" ? event.port : null));

/** The readers that a process has started; other tests of this machine have their own. */
function readersOf(parent: number | undefined): number[] {
  const isReader = (pid: string) => {
    try {
      const status = readFileSync(`/proc/${pid}/status`, "utf8");
      return status.startsWith("Name:\tplastron-hooks\n") && status.includes(`\nPPid:\t${parent}\n`);
    } catch {
      return false;
    }
  };
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && isReader(name))
    .map(Number);
}

const later = (ms: number) => new Promise((done) => setTimeout(done, ms));

describe.runIf(localDriverMissing() === null)("hooks of the local driver [needs: root, the unified cgroup hierarchy]", { timeout: 60_000 }, () => {
  let driver: SandboxDriver;
  const ours = () => readersOf(process.pid);
  beforeEach(async () => {
    driver = await openLocalDriver({ home }, { zygoteCores: 0.001 });
  });
  afterEach(() => driver.close());
  const { python } = { python: (...args: Parameters<ReturnType<typeof bench>["python"]>) => bench(driver, rules).python(...args) };

  it("have told all that a program did when its result comes, however it ended", async () => {
    for (let i = 1; i <= 20; i++) {
      const ran = await python(`${CONNECT(i)}\nimport os; os._exit(${i % 2})`);
      expect(portsOf(ran.violations)).toEqual([i]);
    }
    const killed = await python(`${CONNECT(99)}\nwhile True: pass`, { limits: { ...DEFAULT_LIMITS, wall_ms: 300 } });
    expect([killed.status, portsOf(killed.violations)]).toEqual(["timed_out", [99]]);
  });

  it("tell the sandbox's mount namespace of processes that have ended, too", async () => {
    const child = (port: number) => `subprocess.run([sys.executable, '-c', ${JSON.stringify(CONNECT(port))}])`;
    const ran = await python(`import os, subprocess, sys\n${[1, 2, 3].map(child).join("\n")}\nprint(os.stat('/proc/self/ns/mnt').st_ino)`);
    const namespace = Number(ran.stdout.trim().split("\n").at(-1));
    expect(ran.violations.map(({ mnt_ns_id }) => mnt_ns_id)).toEqual([namespace, namespace, namespace]);
  });

  it("tell each run of its own, whether its sandbox had a launcher or came from a zygote", async () => {
    const sources = new Set<string>();
    for (let round = 0; round < 12; round++) {
      const ran = await Promise.all([1, 2, 3, 4].map((i) => python(CONNECT(round * 10 + i))));
      for (const [i, { stdout, violations, sandbox }] of ran.entries()) {
        expect([stdout, portsOf(violations)]).toEqual(["1\n", [round * 10 + i + 1]]);
        sources.add(sandbox.source);
      }
      await later(100);
    }
    expect([...sources].sort()).toEqual(["process", "zygote"]);
  });

  it("tell each program of a session of its own", async () => {
    const spec: SessionSpec = {
      session_id: "s",
      tenant: "ten_conformance",
      runtime: "python3",
      limits: DEFAULT_LIMITS,
      imports: [],
      confinement: rules,
      min_tier: 1,
    };
    const session = await driver.openSession(spec);
    for (const port of [7, 8]) {
      const ran = await bench(driver, rules).inSession(session, { runtime: "python3", code: CONNECT(port) });
      expect([ran.stdout, portsOf(ran.violations)]).toEqual(["1\n", [port]]);
    }
    await session.close("done");
  });

  it("deny a flood to its end, keep the first hundred records and count the others", async () => {
    const flood = "import socket\nn = 0\nfor i in range(20000):\n  try: socket.socket().connect(('127.0.0.1', 1))\n  except PermissionError: n += 1\nprint(n)";
    const ran = await python(flood, { limits: { ...DEFAULT_LIMITS, wall_ms: 30_000 } });
    expect([ran.status, ran.stdout, ran.violations.length]).toEqual(["completed", "20000\n", 100]);
    expect(ran.violations_dropped).toBeGreaterThan(2000);
    expect(ran.violations_dropped).toBeLessThanOrEqual(19_900);
  });

  it("hold on when the reader of their records is killed, and another one follows", async () => {
    const spec: SessionSpec = {
      session_id: "r",
      tenant: "ten_conformance",
      runtime: "python3",
      limits: DEFAULT_LIMITS,
      imports: [],
      confinement: rules,
      min_tier: 1,
    };
    const session = await driver.openSession(spec);
    const inSession = (port: number) => bench(driver, rules).inSession(session, { runtime: "python3", code: CONNECT(port) });
    expect(portsOf((await inSession(1)).violations)).toEqual([1]);
    const [first] = ours();
    process.kill(first as number, "SIGKILL");
    expect((await inSession(2)).stdout).toBe("1\n");
    for (let i = 0; i < 100 && (ours().length === 0 || ours()[0] === first); i++) await later(20);
    await later(100);
    expect(portsOf((await inSession(3)).violations)).toEqual([3]);
    expect(portsOf((await python(CONNECT(4))).violations)).toEqual([4]);
    await session.close("done");
  });

  it("that the kernel does not take refuse the run by name, and leave nothing", async () => {
    const broken: Hooks = { programs: [{ at: "connect6", code: Buffer.from([0x95, 0, 0, 0, 0, 0, 0, 0]).toString("base64") }] };
    const run = bench(driver, { ...rules, id: "b".repeat(64), hooks: broken }).python("print('ran')");
    await expect(run).rejects.toMatchObject({
      code: "sandbox_failed",
      message: expect.stringMatching(/hooks could not be put in place: load connect6: .*R0 !read_ok/s),
    });
    expect(ours()).toEqual([]);
    expect((await bench(driver, { ...NO_RULES, id: "c".repeat(64) }).python("print('ran')")).stdout).toBe("ran\n");
  });

  it("leave neither cgroup nor process when the driver closes", async () => {
    await python(CONNECT(1));
    expect(existsSync(unified)).toBe(true);
    expect(ours()).toHaveLength(1);
    await driver.close();
    expect([existsSync(unified), ours()]).toEqual([false, []]);
  });

  it("outlive an agent that is killed for as long as its sandboxes do, and are reclaimed by the next", async () => {
    await driver.close();
    const child: ChildProcess = spawn(process.execPath, [HOOKED, home], { stdio: ["ignore", "pipe", "inherit"] });
    await firstWord(child);
    const groups = () => (existsSync(unified) ? readdirSync(unified).filter((name) => name.startsWith("hooks-")) : []);
    const readers = readersOf(child.pid);
    expect([groups().length, readers.length]).toEqual([1, 1]);
    child.kill("SIGKILL");
    await new Promise((gone) => child.once("exit", gone));
    expect(groups()).toHaveLength(1);
    driver = await openLocalDriver({ home });
    expect(groups()).toEqual([]);
    const left = () => readers.filter((pid) => existsSync(`/proc/${pid}`));
    for (let i = 0; i < 100 && left().length > 0; i++) await later(20);
    expect(left()).toEqual([]);
  });
});

describe("groups for hooks", () => {
  const log = () => {};
  const V1 = ["memory", "pids", "cpu"].map((controller) => `cgroup /cg/${controller} cgroup rw,${controller} 0 0`).join("\n");

  it("are refused by name where there is no unified hierarchy, or no cgroups at all", async () => {
    for (const mounts of ["", V1]) {
      const groups = new HookGroups({ cgroups: findCgroups("p", mounts), binary: BINARY, uids: new UidPool(1_900_000_000), log });
      await expect(groups.enter(rules)).rejects.toMatchObject({
        code: "sandbox_failed",
        message: expect.stringContaining("unified hierarchy"),
        hint: expect.stringContaining("mount -t cgroup2"),
      });
      expect((await groups.enter({ ...rules, hooks: null })).cgroups).toEqual(findCgroups("p", mounts));
    }
  });

  it("stand beside the controllers' groups on version 1, and around them on version 2", () => {
    const beside = belowGroup({ ...findCgroups("p", V1), unified: "/cg2/p" }, "/cg2/p/hooks");
    const records = cgroupRecords(beside, "box", DEFAULT_LIMITS);
    for (const [dir, join] of [
      ["/cg/memory/p", "cgjoin"],
      ["/cg/pids/p", "cgjoin"],
      ["/cg/cpu/p", "cgjoin"],
      ["/cg2/p/hooks", "cgjoin-program"],
    ]) {
      expect(records).toContainEqual(["cgroup", `${dir}/box`]);
      expect(records).toContainEqual([join, `${dir}/box/cgroup.procs`]);
    }
    const v2 = {
      version: "v2",
      dirs: ["/cg/p"],
      memory: "/cg/p",
      pids: "/cg/p",
      cpu: "/cg/p",
      cpuacct: "/cg/p",
      unified: "/cg/p",
      io: "",
      socketMemory: false,
    } as const;
    const around = cgroupRecords(belowGroup({ ...v2, dirs: [...v2.dirs] }, "/cg/p/hooks"), "box", DEFAULT_LIMITS);
    expect(around.filter(([op]) => op === "cgroup" || op === "cgjoin")).toEqual([
      ["cgroup", "/cg/p/hooks/box"],
      ["cgjoin", "/cg/p/hooks/box/cgroup.procs"],
    ]);
    expect(around).toContainEqual(["cgset", "/cg/p/hooks/box/memory.max", String(DEFAULT_LIMITS.memory_bytes)]);
  });

  it.runIf(localDriverMissing() === null)("go some time after their last sandbox [needs: root, the unified cgroup hierarchy]", async () => {
    const cgroups = findCgroups(`plastron-hooks-idle-${process.pid}`);
    const uids = new UidPool(1_900_000_000);
    const groups = new HookGroups({ cgroups, binary: BINARY, uids, log, idleMs: 50 });
    const one = await groups.enter(rules);
    const other = await groups.enter(rules);
    expect([one.cgroups.dirs, readdirSync(cgroups.unified).filter((name) => name.startsWith("hooks-")).length]).toEqual([other.cgroups.dirs, 1]);
    one.leave();
    await later(150);
    expect(uids.inUse).toBe(1);
    other.leave();
    for (let i = 0; i < 100 && uids.inUse > 0; i++) await later(20);
    expect([uids.inUse, groups.layouts()]).toEqual([0, []]);
    const again = await groups.enter(rules);
    expect(again.cgroups.dirs).not.toEqual(one.cgroups.dirs);
    await groups.close();
    expect(readdirSync(cgroups.unified).filter((name) => name.startsWith("hooks-"))).toEqual([]);
    rmdirSync(cgroups.unified); // the driver's, with its other groups
    await expect(groups.enter(rules)).rejects.toThrow("closing");
  });
});
