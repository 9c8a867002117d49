/** How a sensor is opened. */
export interface SensorOptions {
  /** A directory of the unified cgroup hierarchy below which sandboxes' cgroups are: bytes by peer are counted there. */
  cgroup?: string | null;
  /** Bytes of the ring of events, a power of two. */
  ringBytes?: number;
  /** False: no process is ever stopped for its call stack, and none is told. */
  stacks?: boolean;
  /**
   * Files of the interpreters that programs run in: they are learned ahead, for stacks of the first denials. Left out: each is learned
   * when it is met, which takes so long for Node's that the first stack may be missing.
   */
  interpreters?: readonly string[];
  log?: (message: string, fields?: Record<string, unknown>) => void;
}

/** At a million events a second a quarter of a second's. */
export const RING_BYTES = 32 * 1024 * 1024;
