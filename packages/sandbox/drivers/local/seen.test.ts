import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DEFAULT_LIMITS, newId, type Stack, TYPICAL_HOST } from "@plastron/contracts";
import { compileDefault } from "@plastron/policy";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bench } from "../../testing/harness.ts";
import { canSee, openSeeing, rates, type Seeing, toldOf } from "../../testing/seen.ts";
import { denied, watched } from "../../testing/watched.ts";
import { localDriverMissing, openLocalDriver } from "./index.ts";

const home = mkdtempSync(join(tmpdir(), "plastron-seen-"));
afterAll(() => rmSync(home, { recursive: true, force: true }));
const { confinement } = compileDefault(TYPICAL_HOST);
const python = (code: string) => ({ runtime: "python3" as const, code });

/** Calls by their bare names and no others than these: libc is asked for each by its number. */
const EXACT = `
import ctypes, os
call = ctypes.CDLL(None).syscall
for _ in range(137): call(110)   # getppid, which nothing else asks for
for i in range(5):
  try: os.open('/etc/none-%d' % i, os.O_RDONLY)
  except OSError: pass
open('made', 'w').close(); open('made').close(); os.unlink('made')
for _ in range(3):
  if os.fork() == 0: os._exit(0)
for _ in range(3): os.wait()
os.spawnv(os.P_WAIT, '/usr/bin/true', ['true', 'with', 'words'])`;

/** A stack is taken where the process comes to stand in time: on a machine whose cores are all taken not each time. */
async function firstStack(run: () => Promise<Stack | null | undefined>): Promise<Stack | null | undefined> {
  for (let tries = 0; tries < 40; tries++) {
    const stack = await run();
    if (stack) return stack;
  }
  return null;
}

describe.runIf(await canSee())("a sandbox that is seen [needs: root, the sensor]", { timeout: 60_000 }, () => {
  let seeing: Seeing;
  beforeAll(async () => {
    seeing = await openSeeing({ home }, confinement, { zygoteCores: 0.001 });
  }, 60_000);
  afterAll(() => seeing.close(), 60_000);

  it("has its interpreter among its processes however fast it ends, and nothing of ours", async () => {
    for (let n = 0; n < 12; n++) {
      const { telemetry } = await seeing.run({ ...python("pass"), sensing: n % 2 ? "trace" : "account" });
      expect(telemetry.processes.list).toEqual([
        expect.objectContaining({ parent: null, exe: expect.stringMatching(/python3/), argv: ["/usr/bin/python3", "/workspace/main.py"] }),
      ]);
      const [{ pid } = { pid: 0 }] = telemetry.processes.list;
      expect(telemetry.timeline?.filter((each) => each.pid !== pid) ?? []).toEqual([]);
    }
  });

  it("has its calls counted, and its programs, processes and files listed", async () => {
    const { telemetry, status } = await seeing.run(python(EXACT));
    expect(status).toBe("completed");
    expect(telemetry).toMatchObject({ level: "full", reason: null, lost: { events: 0 }, timeline: null, model: null });
    expect(telemetry.syscalls.by_name).toMatchObject({ getppid: 137 });
    expect(telemetry.syscalls.errors.ENOENT).toBeGreaterThanOrEqual(5);
    expect(telemetry.processes).toMatchObject({ forks: 4, execs: 1 });
    expect(telemetry.processes.list.find(({ exe }) => exe === "/usr/bin/true")).toMatchObject({ argv: ["true", "with", "words"], code: 0 });
    const { list } = telemetry.files;
    expect(list.filter(({ path }) => path.startsWith("/etc/none-")).map(({ failures }) => failures)).toEqual(Array(5).fill({ ENOENT: 1 }));
    expect(list.find(({ path }) => path === "/workspace/made")).toMatchObject({ class: "workspace", writes: 1, creates: 1, reads: 1 });
    const { user_us = 0, system_us = 0 } = telemetry.resources.cpu ?? {};
    expect(user_us + system_us).toBeGreaterThan(0); // the kernel shares so short a time out between the two by its ticks
    expect(telemetry.resources.memory?.peak_bytes).toBeGreaterThan(1_000_000);
  });

  it("tells a denied call as it happens, once, with the line of the program that made it", async () => {
    const code =
      "import socket\ndef reach():\n  try: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)\n  except PermissionError: print('no')\nreach(); reach()";
    const { telemetry, denials, stdout } = await seeing.run(python(code));
    expect(stdout).toBe("no\nno\n");
    expect(denials.map(({ call, errno }) => [call, errno])).toEqual([["socket", "EPERM"]]);
    expect(telemetry.denials[0]).toMatchObject({ call: "socket", count: 2, exe: expect.stringContaining("python3") });
    const stack = await firstStack(async () => (await seeing.run(python(code))).denials[0]?.stack);
    expect(stack?.frames).toContainEqual({ language: "python", function: "reach", file: "/workspace/main.py", line: 3 });
    expect(telemetry.syscalls.denied).toEqual({ socket: 2 });
  });

  it("is seen in children of zygotes, and exactly beside one that floods", async () => {
    let source = "";
    for (let i = 0; i < 200 && source !== "zygote"; i++) source = (await seeing.run(python("pass"))).sandbox.source;
    expect(source).toBe("zygote");
    const flood =
      "import ctypes, time\ncall = ctypes.CDLL(None).syscall\nend = time.time() + 2\nwhile time.time() < end:\n  for _ in range(1000): call(110); call(257, -100, b'/etc/none', 0, 0)";
    const [storm, ...others] = await Promise.all([
      seeing.run({ ...python(flood), limits: { ...DEFAULT_LIMITS, rates: { ...DEFAULT_LIMITS.rates, denied_per_s: null } } }),
      ...[1, 2, 3].map(() => seeing.run({ ...python(EXACT), limits: rates({}) })),
    ]);
    expect(storm.telemetry.syscalls.by_name.getppid).toBeGreaterThan(1000);
    for (const { telemetry } of others) {
      expect(telemetry.syscalls.by_name.getppid).toBe(137);
      expect(telemetry.processes).toMatchObject({ forks: 4, execs: 1 });
    }
  });

  it("has each run of a session for itself", async () => {
    const open = {
      session_id: newId("session"),
      tenant: "ten_seen",
      runtime: "python3",
      imports: [],
      confinement,
      min_tier: 1,
      limits: DEFAULT_LIMITS,
    } as const;
    const session = await seeing.driver.openSession({ ...open, imports: [], image: null, secrets: [] });
    const counts: (number | undefined)[] = [];
    for (const times of [3, 0, 50]) {
      const code = `import ctypes\nfor _ in range(${times}): ctypes.CDLL(None).syscall(110)`;
      const { telemetry, status } = await toldOf(session, { ...python(code), confinement });
      expect(status).toBe("completed");
      counts.push(telemetry.syscalls.by_name.getppid);
    }
    expect(counts).toEqual([3, undefined, 50]);
    await session.close("done");
  });

  it("is seen from its interpreter's first call on where a profile is to be made, and in order where it is traced", async () => {
    const modelled = await seeing.run({ ...python("open('/etc/passwd').close()"), sensing: "model" });
    expect(modelled).toMatchObject({ status: "completed", sandbox: { start: "cold", source: "process" } });
    const { model } = modelled.telemetry;
    expect(model?.complete).toBe(true);
    expect(model?.executions.some((path) => path.includes("python3"))).toBe(true);
    expect(model?.files.map(({ path }) => path)).toEqual(expect.arrayContaining(["/etc/passwd", "/workspace/main.py"]));

    const traced = await seeing.run({ ...python("open('/etc/passwd').close(); open('/etc/group').close()"), sensing: "trace" });
    const opened = traced.telemetry.timeline?.flatMap((each) => (each.kind === "open" ? [each.path] : [])) ?? [];
    expect(opened.indexOf("/etc/passwd")).toBeGreaterThanOrEqual(0);
    expect(opened.indexOf("/etc/group")).toBeGreaterThan(opened.indexOf("/etc/passwd"));
  });

  it("gives violations of watched paths the program and the line, and tells none of them a second time as a denial", async () => {
    const rules = watched({ paths: [denied("/etc/hostname"), denied("/workspace/kept", ["write"], { report: false })] });
    const code =
      "import os\nopen('kept','x') if False else None\ndef look():\n  open('/etc/hostname')\ntry: look()\nexcept OSError: print('no')\ntry: os.mkdir('kept')\nexcept OSError: print('nor')";
    const { violations, told, denials, telemetry, stdout } = await seeing.run({ ...python(code), confinement: rules });
    expect(stdout).toBe("no\nnor\n");
    expect(told).toEqual(violations);
    expect(violations).toHaveLength(1);
    expect(violations[0]).toMatchObject({ action: "DENIED", event: { path: "/etc/hostname" }, exe: expect.stringContaining("python3") });
    const stack = await firstStack(async () => (await seeing.run({ ...python(code), confinement: rules })).violations[0]?.stack);
    expect(stack?.frames).toContainEqual({ language: "python", function: "look", file: "/workspace/main.py", line: 4 });
    expect(telemetry.denials.map(({ path }) => path)).toEqual(expect.arrayContaining(["/etc/hostname", "/workspace/kept"]));
    expect(denials.map(({ path }) => path)).toEqual(["/workspace/kept"]);
  });
});

describe.runIf(localDriverMissing() === null)("a sandbox that nobody sees [needs: root]", { timeout: 60_000 }, () => {
  it("runs as ever, and says so", async () => {
    const driver = await openLocalDriver({ home: join(home, "blind"), sensorMissing: "this host has none" });
    try {
      const { python: run } = bench(driver, confinement);
      for (const sensing of ["account", "model"] as const) {
        const ran = await run("print(1)", { sensing });
        expect(ran).toMatchObject({ status: "completed", stdout: "1\n", telemetry: { level: "none", reason: "this host has none" } });
        expect(ran.telemetry.resources.memory?.peak_bytes).toBeGreaterThan(0);
      }
    } finally {
      await driver.close();
    }
  });
});
