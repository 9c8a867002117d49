import type { RateRules } from "./limits.ts";
import type { Stack } from "./stack.ts";
import type { BrokenBy, Denial, Sensing, Telemetry } from "./telemetry.ts";

/**
 * The port through which a driver is seen. The sensor package implements it, a driver is given one (or none) and never knows how
 * it looks. It only observes: a sandbox is confined the same without it, and all that it may do to a run is told to the driver.
 */
export interface Sensor {
  /**
   * A place for a sandbox, before its program comes: cheap to arm later. `pid` (the host's) is of any process inside the sandbox's
   * pid namespace, which is what it is known by: no process leaves that. `cgroup` is its id in the unified hierarchy where it has
   * one, for what its sockets send and get. Errors: sensor_unavailable where every place is taken.
   */
  place(sandbox: { pid: number; cgroup: bigint | null }): Watchpoint;
  /** Of the processes named, at once; for a sandbox that the driver has frozen. */
  stacksOf(pids: readonly number[]): Promise<{ pid: number; comm: string; stack: Stack }[]>;
  close(): Promise<void>;
}

/** One sandbox's place. */
export interface Watchpoint {
  /** Counting begins, from zero. Cheap (one map write): it stands between a request and its program. */
  arm(options: WatchOptions): void;
  /** Ends counting and tells all of it; what is on its way is waited for. Never rejects: what failed is in `level` and `reason`. */
  collect(): Promise<Telemetry>;
  /** Gives the place back. */
  release(): void;
}

export interface WatchOptions {
  sensing: Sensing;
  /** `exec`: counting begins when something is executed, for a sandbox that is still being made. Left out: at once. */
  from?: "exec";
  rates: RateRules;
  /** As each distinct denial happens, with its stack where one was taken; at most TELEMETRY_BOUNDS.denials of a run. */
  onDenial(denial: Denial): void;
  /** A rate rule was exceeded: once. The driver freezes, asks for stacks and kills. `stacks` is empty. */
  onBreak(broken: BrokenBy): void;
}
