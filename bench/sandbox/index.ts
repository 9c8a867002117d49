import { measureBareStarts } from "./bare-start.ts";
import { measureDirectDriver } from "./direct-driver.ts";
import { measureIdleMemory } from "./idle-memory.ts";
import { measureOverHttp } from "./over-http.ts";
import { type Holds, startPlatform, usePlatform } from "./platform.ts";
import { compare } from "./ratios.ts";
import { describeMachine, type Report } from "./report.ts";
import type { SandboxSettings } from "./settings.ts";
import { judge } from "./targets.ts";

export interface Around {
  say(text: string): void;
  holds: Holds;
}

/**
 * Everything in one run, since absolute times of different runs cannot be compared. First what needs no server, then the server while it
 * is idle, then one run at a time, and load last: it changes the pools for half a minute.
 * Throws where the platform does not start; what a peer lacks is said in its place of the report.
 */
export async function benchSandbox(settings: SandboxSettings, { say, holds }: Around): Promise<Report> {
  const started_at = new Date().toISOString();
  const given = settings.target === null ? null : await usePlatform(settings.target); // a wrong address is told now, not after a minute
  say("looking at the machine");
  const machine = await describeMachine(settings.lookMs);
  say("bare starts of interpreters and cold sandboxes");
  const bare_starts = measureBareStarts(settings.bareStarts);
  say("the sandbox driver alone, without server and database");
  const direct_driver = await measureDirectDriver(settings.latency, settings.throughput, holds);
  say("starting Plastron");
  const platform = given ?? (await startPlatform(holds));
  try {
    say("idle memory");
    const idle_memory = await measureIdleMemory(platform, settings.lookMs);
    const { latency, throughput } = await measureOverHttp(platform, settings, say);
    const figures = { bare_starts, direct_driver, idle_memory, latency, throughput };
    return {
      ...{ bench: "sandbox" as const, started_at, settings: shown(settings), machine },
      platform: { driver: platform.driver, tier: platform.tier, started_by_bench: platform.pids !== null },
      ...{ ...figures, ratios: compare(figures), targets: judge(figures) },
    };
  } finally {
    say("stopping Plastron");
    await platform.stop();
  }
}

function shown({ quick, latency, throughput }: SandboxSettings): Report["settings"] {
  return { quick, runs: latency.runs, pause_ms: latency.pauseMs, seconds: throughput.seconds, concurrency: throughput.concurrency };
}
