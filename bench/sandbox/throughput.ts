import { availableParallelism } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { isMeasured, type Measured, round } from "../measure.ts";
import { busyShare, type CpuMeter, type CpuPerRun, cpuPerRun } from "./attribution.ts";
import { type Latency, Samples } from "./latency.ts";
import type { MakeSubject, Subject } from "./subject.ts";

/** Runs a second while `concurrency` clients each send the next run when the last is answered. */
export interface Throughput {
  runs_per_s: number;
  concurrency: number;
  seconds: number;
  latency: Latency;
  cpu_us_per_run: CpuPerRun;
  /** 1: every core at work all the time. */
  busy: number;
  bound_by: string;
}

export interface ThroughputSettings {
  concurrency: number;
  seconds: number;
  /** Not counted: pools grow and a zygote starts in it. */
  warmUpSeconds: number;
}

export async function measureThroughput(make: MakeSubject, meter: CpuMeter, settings: ThroughputSettings): Promise<Measured<Throughput>> {
  const subjects = Array.from({ length: settings.concurrency }, make);
  try {
    const warmUp = await drive(subjects, settings.warmUpSeconds);
    if (warmUp.count === 0) return unavailable(warmUp);
    const before = meter.read();
    const samples = await drive(subjects, settings.seconds);
    const after = meter.read();
    const latency = samples.latency();
    if (!isMeasured(latency)) return latency;
    const seconds = (after.atMs - before.atMs) / 1000;
    const cpu = cpuPerRun(before, after, latency.n);
    const busy = round(busyShare(before, after, availableParallelism()));
    const figures = { runs_per_s: round(latency.n / seconds), concurrency: settings.concurrency, seconds: round(seconds), busy };
    return { ...figures, latency, cpu_us_per_run: cpu, bound_by: boundBy(busy, cpu, latency.phases_us) };
  } finally {
    await Promise.all(subjects.map((subject) => subject.close()));
  }
}

function unavailable(samples: Samples): { unavailable: string } {
  const latency = samples.latency();
  return isMeasured(latency) ? { unavailable: "no run ended in time" } : latency;
}

/** A client that was refused waits a moment: hammering a server that is full measures how fast it refuses. */
async function drive(subjects: Subject[], seconds: number): Promise<Samples> {
  const samples = new Samples();
  const until = performance.now() + seconds * 1000;
  const client = async (subject: Subject) => {
    while (performance.now() < until) if ((await samples.take(subject, "keep")) === "failed") await sleep(50);
  };
  await Promise.all(subjects.map(client));
  return samples;
}

/** From this share on the cores have no time left that could be used better than by doing less. */
const SATURATED = 0.85;
const NAMES: Record<keyof CpuPerRun, string> = {
  server: "the server",
  agent: "the agent",
  postgres: "PostgreSQL",
  sandboxes: "programs in sandboxes",
  generator: "this load generator",
  rest: "supervisors, the kernel's work on namespaces, and others on this machine",
};

/** In words. Waiting shows as time in a phase, work as time of the cores. */
export function boundBy(busy: number, cpu: CpuPerRun, phases_us: Record<string, number>): string {
  const shares = Object.entries(cpu).flatMap(([name, us]) => (us === null ? [] : [{ name: name as keyof CpuPerRun, us }]));
  const total = shares.reduce((sum, { us }) => sum + us, 0);
  const [first] = shares.sort((a, b) => b.us - a.us);
  if (busy >= SATURATED && first && total > 0) {
    return `the cores: ${(total / 1000).toFixed(1)} ms of CPU time a run, most of it (${percent(first.us / total)}) ${NAMES[first.name]}`;
  }
  const [longest] = Object.entries(phases_us)
    .filter(([name]) => name === "queue" || name === "acquire" || name === "program" || name === "commit")
    .sort(([, a], [, b]) => b - a);
  const idle = `waiting: ${percent(1 - busy)} of the cores' time is idle`;
  return longest ? `${idle}; the longest phase is ${longest[0]} with ${(longest[1] / 1000).toFixed(1)} ms` : idle;
}

const percent = (share: number): string => `${Math.round(share * 100)} %`;
