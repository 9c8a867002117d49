import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Sensor } from "@plastron/contracts";
import { openSensor } from "@plastron/sensor";
import { type Measured, quantile, round } from "../measure.ts";
import { type Flood, measureFloods } from "./floods.ts";
import { pythonStart, run, statLoop } from "./subject.ts";

/** One thing without and with the sensor, in nanoseconds. */
export interface Cost {
  name: string;
  without_ns: number;
  with_ns: number;
  added_ns: number;
  added_percent: number;
}

export interface SensorReport {
  bench: "sensor";
  started_at: string;
  settings: { quick: boolean };
  costs: Cost[];
  floods: Flood[];
  /** The getppid loop under peers that count calls too. */
  peers: { name: string; ns: Measured<{ ns: number; times: number }> }[];
  targets: { name: string; at_most: number; unit: "%" | "ns" | "lost"; measured: number; met: boolean }[];
}

/** Others' work on the machine only ever adds: the best tenth of the rounds stands for each. */
const BEST = 0.1;
type Samples = Map<string, { without: number[]; with: number[] }>;

/** What looking costs: the same programs in turns without and with the sensor. */
export async function benchSensor(quick: boolean, say: (what: string) => void): Promise<SensorReport> {
  const started_at = new Date().toISOString();
  const folder = mkdtempSync(join(tmpdir(), "plastron-bench-"));
  try {
    const loop = build(folder);
    const samples: Samples = new Map();
    const turns = quick ? 2 : 5;
    for (let turn = 0; turn < turns; turn++) {
      say(`turn ${turn + 1} of ${turns} without the sensor`);
      await measure(loop, samples, "without", quick);
      say(`turn ${turn + 1} of ${turns} with the sensor`);
      await withSensor((sensor) => measure(loop, samples, "with", quick, sensor));
    }
    say("floods");
    const floods = await withSensor((sensor) => measureFloods(loop, sensor, quick));
    say("peers");
    const costs = [...samples].map(([name, of]) => costOf(name, of));
    const peers = await measurePeers(loop, (costs.find(({ name }) => name === INSIDE) as Cost).without_ns);
    return { bench: "sensor", started_at, settings: { quick }, costs, floods, peers, targets: targetsOf(costs, floods) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const OUTSIDE = "getppid, in no sandbox";
const INSIDE = "getppid, in a pid namespace";
const FILTERED = "getppid, in a sandbox (namespace and filter)";
const STAT = "Python: os.stat";
const START = "Python: a start, as of a warm sandbox";
const SEEN_START = "Python: a start that is looked at";

async function measure(loop: string, samples: Samples, how: "without" | "with", quick: boolean, sensor?: Sensor): Promise<void> {
  const rounds = String(quick ? 50 : 200);
  const subjects: [string, string[], boolean][] = [
    [OUTSIDE, [loop, "getppid", "5000", rounds], false],
    [INSIDE, [loop, "getppid", "5000", rounds], true],
    [FILTERED, [loop, "getppid", "5000", rounds, "filter"], true],
    [STAT, statLoop(quick ? 20 : 100), true],
    [START, pythonStart(quick ? 10 : 40), true],
    [SEEN_START, pythonStart(quick ? 10 : 40), true],
  ];
  for (const [name, command, inside] of subjects) {
    const { values } = await run(command, { inside, sensor, armed: name !== START });
    const of = samples.get(name) ?? { without: [], with: [] };
    of[how].push(...values);
    samples.set(name, of);
  }
}

async function measurePeers(loop: string, bare: number): Promise<SensorReport["peers"]> {
  const strace = ["strace", "-f", "-c", "-o", "/dev/null"];
  const bpftrace = ["bpftrace", "-e", "tracepoint:raw_syscalls:sys_exit { @[args.id] = count(); }", "-c"];
  const under = async (name: string, command: string[]) => {
    if (spawnSync(name, ["--version"]).error) return { name, ns: { unavailable: "not installed" } };
    const { values } = await run(command, { inside: true });
    if (values.length === 0) return { name, ns: { unavailable: "it did not run here" } };
    const ns = quantile(values, BEST);
    return { name, ns: { ns: round(ns), times: round(ns / bare) } };
  };
  const calls = ["getppid", "2000", "20"];
  return [
    await under("strace", [...strace, loop, ...calls]),
    await under("bpftrace", [...bpftrace, [loop, ...calls].join(" ")]).catch(() => ({ name: "bpftrace", ns: { unavailable: "it did not run here" } })),
  ];
}

async function withSensor<T>(use: (sensor: Sensor) => Promise<T>): Promise<T> {
  const sensor = await openSensor();
  try {
    await settled();
    return await use(sensor);
  } finally {
    await sensor.close();
    await settled();
  }
}

/** Verifying programs and starting a thread leave work behind that is not what is measured. */
const settled = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 300));

function costOf(name: string, of: { without: number[]; with: number[] }): Cost {
  const [without_ns, with_ns] = [quantile(of.without, BEST), quantile(of.with, BEST)];
  const added_ns = with_ns - without_ns;
  return { name, without_ns: round(without_ns), with_ns: round(with_ns), added_ns: round(added_ns), added_percent: round((added_ns / without_ns) * 100) };
}

function targetsOf(costs: Cost[], floods: Flood[]): SensorReport["targets"] {
  const percent = (name: string, at_most: number) => {
    const measured = (costs.find((cost) => cost.name === name) as Cost).added_percent;
    return { name, at_most, unit: "%" as const, measured, met: measured <= at_most };
  };
  const outside = (costs.find(({ name }) => name === OUTSIDE) as Cost).added_ns;
  const lost = floods.reduce((sum, flood) => sum + flood.lost, 0);
  return [
    percent(FILTERED, 60),
    percent(STAT, 10),
    percent(START, 3),
    { name: OUTSIDE, at_most: 60, unit: "ns", measured: outside, met: outside <= 60 },
    { name: "events of all floods", at_most: 0, unit: "lost", measured: lost, met: lost === 0 },
  ];
}

function build(folder: string): string {
  const program = join(folder, "loop");
  const built = spawnSync("cc", ["-O2", "-o", program, join(import.meta.dirname, "loop.c")], { encoding: "utf8" });
  if (built.status !== 0) throw new Error(`the loop could not be compiled: ${(built.stderr || built.error?.message || "").trim().split("\n")[0]}`);
  return program;
}
