import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
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
  /** `kill`: until none of its processes runs any more; `told`: until the caller has the result, with all that was seen. */
  holds: { program: string; freeze: Summary; thaw: Summary; kill: Summary; told: Summary }[];
  /** A warm run of one line of Python, in turn under a driver with a sensor and one without. */
  warm: { unseen: Summary; seen: Measured<Summary> };
  target: { at_most_ms: number; met: boolean };
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
  const group = await sandboxGroup(homes[0]);
  const presence = await trySensor({ cgroup: group });
  const warm = [{ runtime: "python3" as const, confinement: DEFAULT, count: 4 }];
  const seen = await openDriver({ home: homes[0], warm, ...presence }, "local");
  const unseen = await openDriver({ home: homes[1], warm }, "local");
  try {
    const holds: HandsReport["holds"] = [];
    for (const [program, code] of Object.entries(PROGRAMS)) {
      say(`a program that ${program}`);
      holds.push({ program, ...(await measureHolds(seen, group, code, quick ? 10 : 60)) });
    }
    say("warm runs, seen and not");
    const runs = await measureWarm(seen, unseen, quick ? 20 : 200);
    const met = holds.every(({ freeze, thaw, kill }) => Math.max(freeze.p50_ms, thaw.p50_ms, kill.p50_ms) <= TARGET_MS);
    const target = { at_most_ms: TARGET_MS, met };
    const costs = { unseen: runs.unseen, seen: presence.sensor ? runs.seen : { unavailable: presence.sensorMissing ?? "there is no sensor" } };
    return { bench: "hands", started_at, settings: { quick }, holds, warm: costs, target };
  } finally {
    await Promise.all([seen.close(), unseen.close()]);
    await presence.sensor?.close();
    for (const home of homes) rmSync(home, { recursive: true, force: true });
  }
}

async function measureHolds(driver: SandboxDriver, group: string | null, code: string, times: number): Promise<Omit<HandsReport["holds"][number], "program">> {
  const samples = { freeze: [] as number[], thaw: [] as number[], kill: [] as number[], told: [] as number[] };
  for (let round = 0; round < 10; round++) {
    const control = new AbortController();
    const begun = Promise.withResolvers<void>();
    const limits = { wall_ms: 120_000, rates: { forks_per_s: null } };
    const spec = runSpecSchema.parse({ run_id: newId("run"), tenant: TENANT, runtime: "python3", code, confinement: PLAIN, limits });
    const ended = driver.run(spec, { stdout: () => begun.resolve(), stderr() {} }, { signal: control.signal });
    await begun.promise;
    for (let i = 0; i < times / 10; i++) {
      samples.freeze.push(await timed(() => driver.freeze?.(spec.run_id, TENANT)));
      await sleep(10);
      samples.thaw.push(await timed(() => driver.thaw?.(spec.run_id, TENANT)));
      await sleep(10);
    }
    await driver.freeze?.(spec.run_id, TENANT);
    const pids = frozenIn(group);
    const killed = performance.now();
    control.abort("measured");
    const gone = allGone(pids).then(() => samples.kill.push(performance.now() - killed));
    await ended;
    samples.told.push(performance.now() - killed);
    await gone;
  }
  return { freeze: summarize(samples.freeze), thaw: summarize(samples.thaw), kill: summarize(samples.kill), told: summarize(samples.told) };
}

/** Processes of the one sandbox that is held: that was told to be, for those of a busy machine may be at rest a moment later. */
function frozenIn(group: string | null): number[] {
  if (group === null) return [];
  const read = (box: string, file: string) => readFileSync(join(group, box, file), "utf8");
  const boxes = readdirSync(group).filter((name) => name.startsWith("box-") && read(name, "cgroup.freeze").trim() === "1");
  return boxes.flatMap((box) => read(box, "cgroup.procs").split("\n").filter(Boolean).map(Number));
}

async function allGone(pids: readonly number[]): Promise<void> {
  while (pids.some(runs)) await new Promise(setImmediate);
}

/** A process that has ended and waits to be fetched runs nothing. */
function runs(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    return !"ZX".includes(stat.charAt(stat.lastIndexOf(")") + 2));
  } catch {
    return false;
  }
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
  const rows = holds.flatMap(({ program, freeze, thaw, kill, told }) => [
    [`${program}: freeze`, ...ms(freeze)],
    [`${program}: thaw`, ...ms(thaw)],
    [`${program}: kill while frozen`, ...ms(kill)],
    [`${program}: kill while frozen, to the result`, ...ms(told)],
  ]);
  const seen = "unavailable" in warm.seen ? [warm.seen.unavailable, ""] : ms(warm.seen);
  const lines = table([["", "p50", "p95"], ...rows, ["warm run, seen by the sensor", ...seen], ["warm run, not seen", ...ms(warm.unseen)]]);
  return [...lines, `a run is held, goes on and is dead within ${target.at_most_ms} ms each (p50): ${target.met ? "yes" : "no"}`];
}
