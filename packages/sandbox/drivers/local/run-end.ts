import { type BrokenBy, type EgressAccount, noTelemetry, type Telemetry } from "@plastron/contracts";
import { ViolationTally } from "../../violations/index.ts";

/** The reason that the supervisor gives for a time-out (native/supervise.c). */
export const WALL_CLOCK = "wall clock";

/** The end of one run as the supervisor tells it: `facts` are its key-value lines, `stats` the cgroup files by name, and as they were `before`. */
export interface RunEnd {
  facts: Map<string, string>;
  stats: Map<string, string>;
  before: Map<string, string>;
  artifacts: { path: string; size: number; content: Uint8Array }[];
  violations: ViolationTally;
  /** What went through its way out; null where it has none. */
  egress: EgressAccount | null;
  /** What the sensor saw of it. */
  telemetry: Telemetry;
  /** Where its timeline begins, by the machine's monotonic clock; null: it has none. */
  tracedFrom_us: number | null;
  /** The rate rule that ended it, where one did. */
  broken: BrokenBy | null;
}

export const newEnd = (before: Map<string, string>): RunEnd => ({
  facts: new Map(),
  stats: new Map(),
  before,
  artifacts: [],
  violations: new ViolationTally(),
  egress: null,
  telemetry: noTelemetry("nobody looked on"),
  tracedFrom_us: null,
  broken: null,
});

/** The "key value" lines of frame X. */
export function readFacts(payload: Uint8Array): [name: string, value: string][] {
  const lines = text(payload).split("\n");
  return lines.filter((line) => line.indexOf(" ") > 0).map((line) => [line.slice(0, line.indexOf(" ")), line.slice(line.indexOf(" ") + 1)]);
}

/** A cgroup's file, of frames T and U. */
export function readStat(payload: Uint8Array): [name: string, content: string] {
  const cut = payload.indexOf(0);
  return [text(payload.subarray(0, cut)), text(payload.subarray(cut + 1))];
}

/** Frame A. */
export function readArtifact(payload: Uint8Array): RunEnd["artifacts"][number] {
  const view = new DataView(payload.buffer, payload.byteOffset, payload.length);
  const length = view.getUint32(0, true);
  const size = Number(view.getBigUint64(4 + length, true));
  return { path: text(payload.subarray(4, 4 + length)), size, content: payload.slice(12 + length) };
}

const decoder = new TextDecoder();
export const text = (bytes: Uint8Array): string => decoder.decode(bytes);
