import type { LatencySettings } from "./latency.ts";
import type { Endpoint } from "./platform.ts";
import type { ThroughputSettings } from "./throughput.ts";

/** How long and how often, and against whom. */
export interface SandboxSettings {
  quick: boolean;
  /** A server that runs already, instead of one of the bench's own. */
  target: Endpoint | null;
  /** Anything that speaks Dify's code-execution API. */
  peer: Endpoint | null;
  lookMs: number;
  bareStarts: number;
  latency: LatencySettings;
  /** A sandbox with numpy imported takes some 300 ms of a core to make: the pause lets the pool refill without load from itself. */
  importsLatency: LatencySettings;
  zygoteLatency: LatencySettings;
  throughput: ThroughputSettings;
  importsWarmUp: ThroughputSettings;
}

const CONCURRENCY = 8;

/**
 * About four minutes as it is; with `quick` some fifteen seconds, enough to see that all of it works and too few to judge by.
 * The pause keeps the rate below that of which a tenant gets a zygote, so that the pool of own processes is what is measured.
 */
export function sandboxSettings({ quick, runs, target, peer }: Pick<SandboxSettings, "quick" | "target" | "peer"> & { runs: number | null }): SandboxSettings {
  const some = (otherwise: number, quickly: number) => runs ?? (quick ? quickly : otherwise);
  const seconds = (measured: number, warmUpSeconds: number): ThroughputSettings => ({ concurrency: CONCURRENCY, seconds: measured, warmUpSeconds });
  return {
    ...{ quick, target, peer },
    lookMs: quick ? 200 : 2000,
    bareStarts: some(60, 3),
    latency: { runs: some(200, 5), pauseMs: quick ? 50 : 110 },
    importsLatency: { runs: Math.min(some(40, 2), 40), pauseMs: quick ? 50 : 800 },
    zygoteLatency: { runs: some(200, 3), pauseMs: 15 },
    throughput: quick ? seconds(0.5, 0.4) : seconds(10, 4),
    importsWarmUp: quick ? { ...seconds(0.1, 0.1), concurrency: 2 } : seconds(1, 5),
  };
}
