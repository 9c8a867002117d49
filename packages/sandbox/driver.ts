import type { AgentStatus, Confinement, DoctorReport, HostFacts, Limits, RunResult, RunSpec, Runtime, Tier, Violation } from "@plastron/contracts";

/**
 * Where a run's output goes while it runs. Chunks are raw bytes, already cut at the run's output limit.
 * A promise says that the reader is behind: the driver reads no more of that stream until it settles.
 */
export interface Output {
  started?(): void;
  stdout(chunk: Uint8Array): void | Promise<void>;
  stderr(chunk: Uint8Array): void | Promise<void>;
  /** A rule was hit, as it happens; the first MAX_VIOLATIONS of a run, which are in its result too. */
  violation?(violation: Violation): void;
}

/**
 * Ends a run from outside, and feeds it. `live_stdin` programs get chunks until `end`; other programs get `spec.stdin`.
 */
export interface Control {
  /** Aborting kills the run; `signal.reason` (a string) becomes the result's `reason` and the status is `killed`. */
  signal?: AbortSignal;
  stdin?: AsyncIterable<Uint8Array>;
}

export interface SessionSpec {
  session_id: string;
  tenant: string;
  runtime: Runtime;
  limits: Limits;
  imports: string[];
  confinement: Confinement;
  min_tier: Tier;
}

/** A sandbox that keeps its interpreter's state between runs. Dies with `close`, on a wall-clock or memory limit, or on exit. */
export interface Session {
  readonly id: string;
  readonly alive: boolean;
  /** One at a time: a second call while one is running rejects with `session_busy`; after the end with `session_gone`. */
  run(spec: RunSpec, output: Output, control?: Control): Promise<RunResult>;
  close(reason: string): Promise<void>;
}

/**
 * What makes sandboxes. Every driver passes driver.conformance.ts.
 * Errors: PlastronError sandbox_failed (a named step), overloaded (with retryAfterSeconds), tier_unavailable.
 * In the result of `run`, `stdout` and `stderr` are empty: the bytes went to `output`.
 */
export interface SandboxDriver {
  readonly name: string;
  readonly tier: Tier;
  run(spec: RunSpec, output: Output, control?: Control): Promise<RunResult>;
  openSession(spec: SessionSpec): Promise<Session>;
  /**
   * Nobody will ask for this confinement (its id) again soon: its warm sandboxes are given up at once, and those that late runs
   * still make soon after. What runs, and open sessions, go on. A driver without pools leaves it out.
   */
  retire?(confinement: string): void;
  status(): Pick<AgentStatus, "driver" | "tier" | "running" | "queued" | "sessions" | "pools">;
  /** Kills what runs, empties the pools, removes every trace. */
  close(): Promise<void>;
}

/** The process that judges what leaves sandboxes whose confinement has a `network`. Without it such a confinement is refused. */
export interface EgressOptions {
  /** Program and arguments; it speaks packages/contracts/egress.ts on descriptor 3. */
  command: readonly string[];
  /** What it becomes; one below the sandboxes' uids where none is named. */
  uid?: number;
  /** Directory of TENANT/NAME/KEY files that it may put into headers of that tenant's sandboxes; that uid must be able to read them. */
  secrets?: string;
  /** Names that stand for one address, whatever address it is: the operator vouches for it. */
  hosts?: Record<string, string>;
  /** Further certificates (PEM) that servers may be certified by. */
  trust?: string[];
}

export interface DriverOptions {
  /** State of this agent: sandbox roots and the list of what must be reclaimed. Absolute. */
  home: string;
  /** First host uid of the pool, never 0. */
  uidBase?: number;
  /** Runs at once, and runs that may wait for a place. */
  maxRunning?: number;
  maxQueued?: number;
  /** Ready sandboxes to hold of each runtime under the default confinement before the first request. */
  warm?: { runtime: Runtime; confinement: Confinement; count: number; imports?: string[] }[];
  /** The way out, for policies that give one. */
  egress?: EgressOptions;
  /** Of the gvisor driver. `kvm` only ever when it is asked for here: where it does not work it can hang for ever. */
  gvisor?: { platform?: "ptrace" | "systrap" | "kvm" };
  log?: (message: string, fields?: Record<string, unknown>) => void;
}

export type { DoctorReport, HostFacts };
