import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { DEFAULT_LIMITS, NO_RULES, newId, runSpecSchema } from "@plastron/contracts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { SandboxDriver } from "../../driver.ts";
import { bench } from "../../testing/harness.ts";
import { standsStill } from "../../testing/waiting.ts";
import { denied, watched } from "../../testing/watched.ts";
import { findCgroups } from "./cgroups.ts";
import { localDriverMissing, openLocalDriver } from "./index.ts";

const home = mkdtempSync(join(tmpdir(), "plastron-hands-"));
afterAll(() => rmSync(home, { recursive: true, force: true }));
const UNHELD = fileURLToPath(new URL("../../testing/unheld-driver.ts", import.meta.url));
const PLAIN = { ...NO_RULES, id: "f".repeat(64), policy: "plain" };
const TENANT = "ten_conformance";
const LONG = { ...DEFAULT_LIMITS, wall_ms: 20_000, output_bytes: 64 * 1024 * 1024, cpus: 2 };
const canHold = localDriverMissing() === null && findCgroups("p").unified !== "";
const later = (ms: number) => new Promise((done) => setTimeout(done, ms));

/** A line a millisecond, of a program that does as `inside` says beside it. */
const TICKS = "import time\nwhile True:\n  print('t', flush=True)\n  time.sleep(0.001)";
/** Forks all the time; each child prints and forks the next. */
const FORKS = `
import os, sys
def chain():
  while True:
    pid = os.fork()
    if pid == 0:
      os.write(1, b't')
      continue
    os._exit(0)
for _ in range(8):
  if os.fork() == 0: chain()
import time
time.sleep(60)`;
/** Ten that wake each other all the time, as job control would. */
const WAKERS = `
import os, signal, time
pids = []
for _ in range(10):
  r, w = os.pipe()
  pid = os.fork()
  if pid == 0:
    while True:
      try: os.kill(-1, signal.SIGCONT)
      except ProcessLookupError: pass
      os.write(1, b't')
  pids.append(pid)
time.sleep(60)`;

describe.runIf(canHold)("a run that is held still [needs: root, the unified cgroup hierarchy]", { timeout: 60_000 }, () => {
  let driver: SandboxDriver;
  beforeAll(async () => {
    driver = await openLocalDriver({ home }, { zygoteCores: 0.001 });
  }, 60_000);
  afterAll(() => driver.close());

  /** Starts it and waits until it has said something. `count` grows with each byte that it writes. */
  async function begin(code: string, confinement = PLAIN) {
    const spec = runSpecSchema.parse({ run_id: newId("run"), tenant: TENANT, runtime: "python3", code, confinement, limits: LONG });
    const control = new AbortController();
    let count = 0;
    const stdout = (chunk: Uint8Array) => {
      count += chunk.length;
    };
    const ended = driver.run(spec, { stdout, stderr() {} }, { signal: control.signal });
    await expect.poll(() => count, { timeout: 15_000 }).toBeGreaterThan(0);
    await later(50);
    return { id: spec.run_id, ended, count: () => count, kill: () => control.abort("enough") };
  }

  it.each([
    ["writes all the time", TICKS],
    ["forks all the time", FORKS],
    ["has children that wake each other", WAKERS],
  ])("stands still while it %s, goes on when it is let, and dies at once when it is killed held", async (_, code) => {
    const run = await begin(code);
    for (let round = 0; round < 5; round++) {
      await driver.freeze?.(run.id, TENANT);
      await standsStill(run.count); // what was in the pipes comes first
      const still = run.count();
      await later(100);
      expect(run.count()).toBe(still);
      await driver.thaw?.(run.id, TENANT);
      await expect.poll(run.count, { timeout: 10_000 }).toBeGreaterThan(still);
    }
    await driver.freeze?.(run.id, TENANT);
    const before = performance.now();
    run.kill();
    expect(await run.ended).toMatchObject({ status: "killed", reason: "enough" });
    expect(performance.now() - before).toBeLessThan(5000); // how fast it is on a quiet machine is the bench's to say
  });

  it("is held in the middle of calls that its watcher answers, as a child of a zygote, and in a session", async () => {
    const files = "import os\nopen('a','w').close()\nwhile True:\n  os.close(os.open('a', os.O_RDONLY)); os.write(1, b't')";
    const watchedRun = await begin(files, watched({ paths: [denied("/etc/shadow")] }));
    for (let round = 0; round < 10; round++) {
      await driver.freeze?.(watchedRun.id, TENANT);
      await driver.thaw?.(watchedRun.id, TENANT);
    }
    watchedRun.kill();
    expect(await watchedRun.ended).toMatchObject({ status: "killed" });

    const { python } = bench(driver, PLAIN);
    let source = "";
    for (let i = 0; i < 200 && source !== "zygote"; i++) source = (await python("print(1)")).sandbox.source;
    expect(source).toBe("zygote");
    const child = await begin(TICKS);
    await driver.freeze?.(child.id, TENANT);
    await standsStill(child.count);
    const still = child.count();
    await later(100);
    expect(child.count()).toBe(still);
    child.kill();
    expect((await child.ended).sandbox.source).toBe("zygote");

    const session = await driver.openSession({
      session_id: newId("session"),
      tenant: TENANT,
      runtime: "python3",
      limits: LONG,
      imports: [],
      confinement: PLAIN,
      min_tier: 1,
      image: null,
      secrets: [],
    });
    const spec = runSpecSchema.parse({
      run_id: newId("run"),
      tenant: TENANT,
      runtime: "python3",
      code: "import time\nfor _ in range(200): print('t', flush=True); time.sleep(0.01)",
      confinement: PLAIN,
      limits: LONG,
    });
    let said = 0;
    const stdout = (chunk: Uint8Array) => {
      said += chunk.length;
    };
    const ended = session.run(spec, { stdout, stderr() {} });
    await expect.poll(() => said, { timeout: 10_000, interval: 5 }).toBeGreaterThan(0);
    await driver.freeze?.(spec.run_id, TENANT);
    await later(300);
    await driver.thaw?.(spec.run_id, TENANT);
    expect(await ended).toMatchObject({ status: "completed" });
    expect(said).toBe(400);
    await session.close("done");
  });

  it("belongs to its tenant, and ends by its wall clock", async () => {
    const run = await begin(TICKS);
    await expect(driver.freeze?.(run.id, "ten_other")).rejects.toMatchObject({ code: "not_found" });
    await expect(driver.thaw?.("run_unknown", TENANT)).rejects.toMatchObject({ code: "not_found" });
    run.kill();
    await run.ended;
    await expect(driver.freeze?.(run.id, TENANT)).rejects.toMatchObject({ code: "not_found" });

    const spec = runSpecSchema.parse({
      run_id: newId("run"),
      tenant: TENANT,
      runtime: "python3",
      code: TICKS,
      confinement: PLAIN,
      limits: { ...LONG, wall_ms: 2000 },
    });
    let said = 0;
    const ended = driver.run(spec, { stdout: () => void said++, stderr() {} });
    await expect.poll(() => said, { timeout: 10_000, interval: 5 }).toBeGreaterThan(0);
    await driver.freeze?.(spec.run_id, TENANT);
    expect(await ended).toMatchObject({ status: "timed_out", limits_hit: ["wall"] });
  });

  it("is held while one of its calls waits for an answer of its watcher that may never come", async () => {
    const waits =
      "import os, threading, time\nos.mkfifo('f')\nthreading.Thread(target=lambda: os.open('f', os.O_RDONLY)).start()\nwhile True: os.write(1, b't')";
    const run = await begin(waits, watched({ paths: [denied("/etc/shadow")] }));
    await driver.freeze?.(run.id, TENANT);
    await standsStill(run.count);
    const still = run.count();
    await later(100);
    expect(run.count()).toBe(still);
    await driver.thaw?.(run.id, TENANT);
    await expect.poll(run.count, { timeout: 10_000 }).toBeGreaterThan(still);
    run.kill();
    await run.ended;
  });

  it("is killed where the host has nothing to hold it by", () => {
    const alone = `umount "$(findmnt -nt cgroup2 -o TARGET | head -1)" && exec "$0" "$1" "$2"`;
    const ran = spawnSync("unshare", ["--mount", "sh", "-c", alone, process.execPath, UNHELD, join(home, "unheld")], { encoding: "utf8" });
    expect(ran.stderr).toBe("");
    expect(JSON.parse(ran.stdout)).toEqual({ code: "conflict", status: "killed", reason: "it was to be held and could not be" });
  });
});
