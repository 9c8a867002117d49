import { type Job, runEngine } from "./engine.ts";
import type { Candidate, Input, Outcome } from "./frames.ts";
import type { Harness, Oracle, Prepared, Pump } from "./harness.ts";
import type { FuzzSandbox } from "./port.ts";

/** Something of a harness that showed again in a sandbox that had seen nothing else. */
export interface Confirmed {
  readonly harness: Harness;
  readonly oracle: Oracle;
  readonly key: string;
  readonly message: string;
  readonly stack: string;
  readonly input: Input;
  readonly seed: number;
  readonly pump: Pump | null;
  /** Of slowness: lengths and milliseconds. */
  readonly times: readonly { length: number; ms: number }[];
}

export interface Around {
  readonly sandbox: FuzzSandbox;
  readonly prepared: Prepared;
  readonly seed: number;
  readonly signal?: AbortSignal | undefined;
}

const HANG_MS = 3000;

/** Replays a candidate; null where it does not show again. */
export async function confirm(around: Around, harness: Harness, candidate: Pick<Candidate, "oracle" | "key" | "input" | "pump">): Promise<Confirmed | null> {
  const { oracle, input, pump } = candidate;
  if (oracle === "slow") return pump ? confirmGrowth(around, harness, input, pump) : null;
  const outcome = await replay(around, harness, input);
  if (outcome === null || !sameKind(outcome.oracle, oracle)) return null;
  return { harness, input, seed: around.seed, pump: pump ?? null, times: [], ...outcome };
}

/** An abort and a hang look alike where a target kills its process: both end it. What counts is that it ends again. */
function sameKind(now: Oracle, before: Oracle): boolean {
  const late = (one: Oracle) => (one === "unhandled-rejection" ? "crash" : one);
  return late(now) === late(before);
}

/** What one input does in a fresh sandbox. What the host sees of its end counts before what is said within. */
export async function replay(around: Around, harness: Harness, input: Input): Promise<Outcome | null> {
  const { messages, result } = await runEngine(around.sandbox, job(around, harness, { mode: "replay", inputs: [input], patienceMs: HANG_MS }), around.signal);
  if (messages.some(({ type }) => type === "broken")) return null;
  const outcome = messages.find((message) => message.type === "outcome");
  if (outcome) return outcome.outcome;
  if (!messages.some(({ type }) => type === "start")) return null;
  const hang = messages.some(({ type }) => type === "hang") || result.status === "timed_out";
  if (hang) return { oracle: "hang", key: "hang", message: `it does not come back within ${HANG_MS / 1000} seconds`, stack: "" };
  if (result.status === "memory_exceeded") return { oracle: "abort", key: "memory", message: "it takes all of the sandbox's memory", stack: "" };
  if (result.signal === null) return null;
  return { oracle: "abort", key: `abort:${result.signal}`, message: `its process is ended by ${result.signal}`, stack: "" };
}

function job(around: Around, harness: Harness, more: Partial<Job> & Pick<Job, "mode" | "patienceMs">): Job {
  return { harness, prepared: around.prepared, seed: around.seed, ms: more.patienceMs, ...more };
}

/** Time and length must say so at three sizes. Above this exponent it grows much faster than its input. */
const LEAST_EXPONENT = 1.6;
const LEAST_MS = 100;

/** Grows the pumped part until it is slow, in a sandbox of its own, and looks at the last three sizes. */
async function confirmGrowth(around: Around, harness: Harness, input: Input, pump: Pump): Promise<Confirmed | null> {
  const times = await measured(around, harness, input, pump, 1.5);
  const growth = times && growthOf(times);
  if (!growth) return null;
  const words = growth.hang
    ? `time explodes: ${growth.last.length} characters are not done within ${HANG_MS / 1000} seconds`
    : `time grows with the ${growth.exponent.toFixed(1)}th power of length: ${growth.last.length} characters take ${Math.round(growth.last.ms)} ms`;
  return { harness, oracle: "slow", key: `slow:${pump.path.join("/")}`, message: words, stack: "", input, seed: around.seed, pump, times: growth.times };
}

interface Measured {
  readonly times: readonly { length: number; ms: number }[];
  /** The size at which it did not come back. */
  readonly hung: number | null;
}

async function measured(around: Around, harness: Harness, input: Input, pump: Pump, factor: number): Promise<Measured | null> {
  const order = job(around, harness, { mode: "growth", inputs: [input], pump, first: 8, factor, patienceMs: HANG_MS, ms: 4 * HANG_MS });
  const { messages, result } = await runEngine(around.sandbox, order, around.signal);
  const times = messages.flatMap((message) => (message.type === "time" ? [{ length: message.length, ms: message.ms }] : []));
  const last = messages.findLast((message) => message.type === "start");
  const ended = messages.some(({ type }) => type === "hang") || result.status === "timed_out";
  const hung = ended && last?.type === "start" && last.index > (times.at(-1)?.length ?? 0) ? last.index : null;
  return { times, hung };
}

function growthOf({ times, hung }: Measured): { exponent: number; last: { length: number; ms: number }; times: Measured["times"]; hang: boolean } | null {
  const all = hung === null ? times : [...times, { length: hung, ms: HANG_MS }];
  const three = all.slice(-3);
  const [a, b, c] = three;
  if (!a || !b || !c || c.ms < LEAST_MS || c.length <= b.length || b.length <= a.length) return null;
  const exponent = (from: { length: number; ms: number }, to: { length: number; ms: number }) =>
    Math.log(to.ms / Math.max(from.ms, 0.001)) / Math.log(to.length / from.length);
  const whole = exponent(a, c);
  if (hung === null ? Math.min(exponent(a, b), exponent(b, c)) < LEAST_EXPONENT : whole < LEAST_EXPONENT) return null;
  return { exponent: whole, last: c, times: three, hang: hung !== null };
}
