import { arch, availableParallelism, cpus, release, totalmem } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { type Measured, round } from "../measure.ts";
import { busyShare, CpuMeter } from "./attribution.ts";
import { type BareStarts, PYTHON } from "./bare-start.ts";
import type { DirectDriver } from "./direct-driver.ts";
import type { IdleMemory } from "./idle-memory.ts";
import type { Latency } from "./latency.ts";
import type { Throughput } from "./throughput.ts";

/** What is measured one at a time. `peer_…` is the endpoint of --dify-url. */
export const LATENCIES = [
  "python",
  "node",
  "bash",
  "dify_python",
  "dify_node",
  "peer_python",
  "peer_node",
  "numpy_pandas",
  "python_zygote",
  "numpy_pandas_zygote",
] as const;
/** What is measured at concurrency. */
export const THROUGHPUTS = ["python", "node", "bash", "dify_python", "dify_node", "peer_python", "peer_node"] as const;

/** All figures of one run of the bench; `--json` prints exactly this. Times in ms unless the name says us, memory in MiB. */
export interface Report {
  bench: "sandbox";
  started_at: string;
  settings: { quick: boolean; runs: number; pause_ms: number; seconds: number; concurrency: number };
  machine: Machine;
  platform: { driver: string | null; tier: number | null; started_by_bench: boolean };
  bare_starts: BareStarts;
  direct_driver: Measured<DirectDriver>;
  idle_memory: Measured<IdleMemory>;
  latency: Record<(typeof LATENCIES)[number], Measured<Latency>>;
  throughput: Record<(typeof THROUGHPUTS)[number], Measured<Throughput>>;
  /** Ours divided by theirs; null where either was not measured. Below 1 is better for times, above 1 for rates. */
  ratios: Record<string, number | null>;
  targets: Target[];
}

/** A figure that the project has promised for a machine with two cores. `met` is null where it was not measured. */
export interface Target {
  name: string;
  at_most: number | null;
  at_least: number | null;
  unit: "ms" | "runs/s" | "MiB";
  measured: number | null;
  met: boolean | null;
}

export interface Machine {
  cores: number;
  cpu: string;
  memory_mib: number;
  kernel: string;
  arch: string;
  node: string;
  python: string;
  /** How busy the machine was with other things before anything was measured: 0 is idle, 1 is every core at work. */
  busy_before: number;
}

/** From this share on the absolute figures say more of the others on this machine than of us; ratios suffer less. */
export const NOISY = 0.1;

/** Looks at the idle machine for `ms`. */
export async function describeMachine(ms: number): Promise<Machine> {
  const cores = availableParallelism();
  const meter = new CpuMeter(null);
  const before = meter.read();
  await sleep(ms);
  const busy_before = round(busyShare(before, meter.read(), cores));
  const cpu = cpus()[0]?.model ?? "unknown";
  return {
    cores,
    cpu,
    memory_mib: Math.round(totalmem() / 2 ** 20),
    kernel: release(),
    arch: arch(),
    node: process.versions.node,
    python: PYTHON,
    busy_before,
  };
}
