import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { NO_RULES, newId, runSpecSchema, TYPICAL_HOST } from "@plastron/contracts";
import { compileDefault } from "@plastron/policy";
import { openDriver, type SandboxDriver, sandboxGroup } from "@plastron/sandbox";
import { trySensor } from "@plastron/sensor";
import { type Measured, type Summary, summarize } from "../measure.ts";
import { table } from "../table.ts";

export interface HandsReport {
  bench: "hands";
  started_at: string;
  settings: { quick: boolean };
  holds: { program: string; freeze: Summary; thaw: Summary; kill_frozen: Summary }[];
  /** A warm run of one line of Python, in turn under a driver with a sensor and one without. */
  warm: { unseen: Summary; seen: Measured<Summary> };
  target: { freeze_at_most_ms: number; met: boolean };
}

const TARGET_MS = 5;
const PROGRAMS = {
  sleeps: "import time\nprint(1, flush=True)\ntime.sleep(600)",
  spins: "print(1, flush=True)\nwhile True: pass",
  forks: "import os\nprint(1, flush=True)\nwhile True:\n  pid = os.fork()\n  if pid == 0: os._exit(0)\n  os.waitpid(pid, 0)",
};
const TENANT = "ten_bench";
const PLAIN = { ...NO_RULES, id: "f".repeat(64), policy: "plain" };
const { confinement: DEFAULT } = compileDefault(TYPICAL_HOST);

/** How long it takes until a run stands still, goes on, and is dead; and what being seen costs a warm run. */
export async function measureHands(quick: boolean, say: (what: string) => void): Promise<HandsReport> {
  const started_at = new Date().toISOString();
  const homes = ["seen", "unseen"].map((name) => mkdtempSync(join(tmpdir(), `plastron-bench-${name}-`))) as [string, string];
  const presence = await trySensor({ cgroup: await sandboxGroup(homes[0]) });
  const warm = [{ runtime: "python3" as const, confinement: DEFAULT, count: 4 }];
  const seen = await openDriver({ home: homes[0], warm, ...presence }, "local");
  const unseen = await openDriver({ home: homes[1], warm }, "local");
  try {
    const holds: HandsReport["holds"] = [];
    for (const [program, code] of Object.entries(PROGRAMS)) {
      say(`a program that ${program}`);
      holds.push({ program, ...(await measureHolds(seen, code, quick ? 10 : 60)) });
    }
    say("warm runs, seen and not");
    const runs = await measureWarm(seen, unseen, quick ? 20 : 200);
    const target = { freeze_at_most_ms: TARGET_MS, met: holds.every(({ freeze }) => freeze.p50_ms <= TARGET_MS) };
    const costs = { unseen: runs.unseen, seen: presence.sensor ? runs.seen : { unavailable: presence.sensorMissing ?? "there is no sensor" } };
    return { bench: "hands", started_at, settings: { quick }, holds, warm: costs, target };
  } finally {
    await Promise.all([seen.close(), unseen.close()]);
    await presence.sensor?.close();
    for (const home of homes) rmSync(home, { recursive: true, force: true });
  }
}

async function measureHolds(driver: SandboxDriver, code: string, times: number): Promise<Omit<HandsReport["holds"][number], "program">> {
  const samples = { freeze: [] as number[], thaw: [] as number[], kill: [] as number[] };
  for (let round = 0; round < 5; round++) {
    const control = new AbortController();
    const begun = Promise.withResolvers<void>();
    const limits = { wall_ms: 120_000, rates: { forks_per_s: null } };
    const spec = runSpecSchema.parse({ run_id: newId("run"), tenant: TENANT, runtime: "python3", code, confinement: PLAIN, limits });
    const ended = driver.run(spec, { stdout: () => begun.resolve(), stderr() {} }, { signal: control.signal });
    await begun.promise;
    for (let i = 0; i < times / 5; i++) {
      samples.freeze.push(await timed(() => driver.freeze?.(spec.run_id, TENANT)));
      await sleep(10);
      samples.thaw.push(await timed(() => driver.thaw?.(spec.run_id, TENANT)));
      await sleep(10);
    }
    await driver.freeze?.(spec.run_id, TENANT);
    control.abort("measured");
    samples.kill.push(await timed(() => ended));
  }
  return { freeze: summarize(samples.freeze), thaw: summarize(samples.thaw), kill_frozen: summarize(samples.kill) };
}

async function measureWarm(seen: SandboxDriver, unseen: SandboxDriver, times: number): Promise<{ seen: Summary; unseen: Summary }> {
  const samples = { seen: [] as number[], unseen: [] as number[] };
  for (let i = 0; i < times; i++) {
    for (const [name, driver] of Object.entries({ seen, unseen }) as [keyof typeof samples, SandboxDriver][]) {
      await sleep(60);
      const spec = runSpecSchema.parse({ run_id: newId("run"), tenant: TENANT, runtime: "python3", code: "print(1)", confinement: DEFAULT });
      const start = performance.now();
      const { sandbox } = await driver.run(spec, { stdout() {}, stderr() {} });
      if (sandbox.start === "warm") samples[name].push(performance.now() - start);
    }
  }
  return { seen: summarize(samples.seen), unseen: summarize(samples.unseen) };
}

async function timed(work: () => Promise<unknown> | undefined): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

/** The report as lines for a person. */
export function printHands({ holds, warm, target }: HandsReport): string[] {
  const ms = (summary: Summary) => [`${summary.p50_ms} ms`, `${summary.p95_ms} ms`];
  const rows = holds.flatMap(({ program, freeze, thaw, kill_frozen }) => [
    [`${program}: freeze`, ...ms(freeze)],
    [`${program}: thaw`, ...ms(thaw)],
    [`${program}: kill while frozen, to the result`, ...ms(kill_frozen)],
  ]);
  const seen = "unavailable" in warm.seen ? [warm.seen.unavailable, ""] : ms(warm.seen);
  const lines = table([["", "p50", "p95"], ...rows, ["warm run, seen by the sensor", ...seen], ["warm run, not seen", ...ms(warm.unseen)]]);
  return [...lines, `a run is held within ${target.freeze_at_most_ms} ms (p50): ${target.met ? "yes" : "no"}`];
}
