import type {
  AgentStatus,
  Confinement,
  Denial,
  DoctorReport,
  HostFacts,
  Limits,
  RunResult,
  RunSpec,
  Runtime,
  SecretGrant,
  Sensor,
  Tier,
  Violation,
} from "@plastron/contracts";
import type { ImageOptions, Images } from "./images/index.ts";

/**
 * Where a run's output goes while it runs. Chunks are raw bytes, already cut at the run's output limit.
 * A promise says that the reader is behind: the driver reads no more of that stream until it settles.
 */
export interface Output {
  started?(): void;
  stdout(chunk: Uint8Array): void | Promise<void>;
  stderr(chunk: Uint8Array): void | Promise<void>;
  /** A rule was hit, as it happens; those of a run that have room (ViolationRoom), which are in its result too. */
  violation?(violation: Violation): void;
  /** A call was denied that no rule's enforcer records, as it happens; at most TELEMETRY_BOUNDS.denials of a run, all in its telemetry too. */
  denial?(denial: Denial): void;
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
  /** Packages besides the interpreter's own, by their image's digest. */
  image?: string | null;
  /** What all of its programs may use and not have. */
  secrets?: readonly SecretGrant[];
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
  /**
   * Holds a run of this tenant where it is, and lets it go on; its wall clock goes on meanwhile. One that cannot be held is killed.
   * Errors: not_found where no such run is under way, conflict where it was not running (any more) or was killed instead.
   */
  freeze?(run_id: string, tenant: string): Promise<void>;
  thaw?(run_id: string, tenant: string): Promise<void>;
  /** Packages for runtimes. A driver that can give programs none leaves it out, and refuses runs that name an image. */
  readonly images?: Images;
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
  /** How packages are fetched, for runtimes that have some. Without it none can be made; those that are there can be used. */
  images?: ImageOptions;
  /** What sees what sandboxes do. Without one every run says so in its telemetry, and `sensorMissing` says why. */
  sensor?: Sensor;
  sensorMissing?: string;
  /** Of the gvisor driver. `kvm` only ever when it is asked for here: where it does not work it can hang for ever. */
  gvisor?: { platform?: "ptrace" | "systrap" | "kvm" };
  log?: (message: string, fields?: Record<string, unknown>) => void;
}

export type { DoctorReport, HostFacts };
