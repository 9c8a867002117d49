import type { BrokenBy, Denial, Telemetry } from "@plastron/contracts";
import type { Bounds } from "./run.ts";

/** What a reader begins with. */
export interface ReaderData {
  fds: { ring: number; controls: number; accounts: number; flows: number; wake: number };
  ringBytes: number;
  bounds: Bounds & { stacks: number };
  /** Interpreters whose files are learned ahead. */
  interpreters: readonly string[];
  /** Shared: see Board. */
  board: SharedArrayBuffer;
  /** What the kernel refused: it is missing in every account. */
  missing: string[];
  /** Runs up to this generation began under a reader that is gone: their lists are lost. */
  after: number;
}

export type ToReader = { kind: "collect"; id: number; slot: number; generation: number } | { kind: "release"; slot: number; generation: number };

export type FromReader =
  | { kind: "ready"; stacks: boolean }
  | { kind: "denial"; slot: number; generation: number; denial: Denial }
  | { kind: "broken"; slot: number; generation: number; broken: BrokenBy }
  | { kind: "collected"; id: number; telemetry: Telemetry };
