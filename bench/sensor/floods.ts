import { readdirSync, readFileSync } from "node:fs";
import type { Sensor } from "@plastron/contracts";
import { type Ran, run } from "./subject.ts";

/** Events made as fast as this machine makes them, and what became of them. */
export interface Flood {
  name: string;
  events_per_s: number;
  events: number;
  lost: number;
  /** Events that the reader takes in a second of its own processor time. */
  capacity_per_s: number;
}

interface Plan {
  name: string;
  kind: "open" | "denied" | "paths";
  sandboxes: number;
  processes: number;
}
const PLANS: readonly Plan[] = [
  { name: "one program, one file", kind: "open", sandboxes: 1, processes: 1 },
  { name: "one program, denied", kind: "denied", sandboxes: 1, processes: 1 },
  { name: "one program, 4,096 paths", kind: "paths", sandboxes: 1, processes: 1 },
  { name: "4 processes of one sandbox, 16,384 paths", kind: "paths", sandboxes: 1, processes: 4 },
  { name: "4 sandboxes, 4,096 paths each", kind: "paths", sandboxes: 4, processes: 1 },
];

export async function measureFloods(loop: string, sensor: Sensor, quick: boolean): Promise<Flood[]> {
  const floods: Flood[] = [];
  for (const plan of PLANS) floods.push(await measure(loop, sensor, plan, quick ? 100_000 : 1_000_000));
  return floods;
}

async function measure(loop: string, sensor: Sensor, { name, kind, sandboxes, processes }: Plan, total: number): Promise<Flood> {
  const calls = Math.round(total / sandboxes / processes);
  const command = [loop, kind, String(calls), "1", ...(processes > 1 ? [String(processes)] : [])];
  const before = readerTime();
  const ran = await Promise.all(Array.from({ length: sandboxes }, () => run(command, { inside: true, sensor })));
  const taken = readerTime() - before;
  const events = calls * sandboxes * processes;
  const lost = ran.reduce((sum, { telemetry }) => sum + (telemetry?.lost.events ?? calls * processes), 0);
  return { name, events, events_per_s: Math.round(rateOf(ran, calls * processes)), lost, capacity_per_s: Math.round((events - lost) / taken) };
}

/** Of programs that began at about the same moment: the slowest tells how long all of it took. */
const rateOf = (ran: Ran[], each: number): number => (ran.length * each) / Math.max(...ran.map(({ seconds }) => seconds));

/** Seconds of processor time that the sensor's thread of this process has had. */
function readerTime(): number {
  const tasks = readdirSync("/proc/self/task");
  const reader = tasks.find((task) => readFileSync(`/proc/self/task/${task}/comm`, "utf8").includes("sensor"));
  if (reader === undefined) return Number.NaN;
  return Number(readFileSync(`/proc/self/task/${reader}/schedstat`, "utf8").split(" ")[0]) / 1e9;
}
