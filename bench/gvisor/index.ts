import { isMeasured, type Measured, ratio, type Summary } from "../measure.ts";
import type { Around } from "../sandbox/index.ts";
import { type Latency, measureLatency } from "../sandbox/latency.ts";
import { startPlatform, usePlatform } from "../sandbox/platform.ts";
import { describeMachine, type Machine } from "../sandbox/report.ts";
import type { SandboxSettings } from "../sandbox/settings.ts";
import { PROGRAMS, runSubject } from "../sandbox/subject.ts";
import { measureColdRunsc } from "./cold-runsc.ts";

/** The target of the warm path: Python, over HTTP, with a kernel of its own. */
export const TARGET_MS = 10;
const RUNTIMES = ["python", "node", "bash"] as const;
/** A guest takes some 300 ms of a core to make: the pause lets the pool refill, since latency is what is asked for here. */
const PAUSE_MS = 600;

export interface GvisorReport {
  bench: "gvisor";
  started_at: string;
  machine: Machine;
  /** `runsc do` of the same program, from spawn to its end: what a guest costs that nobody prepared. */
  cold_runsc: Measured<Summary>;
  /** Each runtime under tier 3 and under what the platform takes by itself, in turns over one server. */
  latency: Record<(typeof RUNTIMES)[number], Record<"gvisor" | "everyday", Measured<Latency>>>;
  ratios: { gvisor_python_to_everyday: number | null; gvisor_python_to_cold_runsc: number | null };
  target: { name: string; at_most: number; measured: number | null; met: boolean | null };
}

/** Warm runs of tier 3 over HTTP, beside the everyday driver and a cold runsc of the same run. Throws where the platform does not start. */
export async function benchGvisor(settings: SandboxSettings, { say, holds }: Around): Promise<GvisorReport> {
  const started_at = new Date().toISOString();
  const given = settings.target === null ? null : await usePlatform(settings.target);
  const runs = Math.min(settings.latency.runs, settings.quick ? 10 : 100);
  say("looking at the machine");
  const machine = await describeMachine(settings.lookMs);
  say("a cold runsc");
  const cold_runsc = measureColdRunsc(settings.quick ? 3 : 15);
  say("starting Plastron");
  const platform = given ?? (await startPlatform(holds));
  try {
    const latency = {} as GvisorReport["latency"];
    for (const name of RUNTIMES) {
      say(`${name}, one at a time, in gVisor and by the everyday driver`);
      const subjects = { gvisor: runSubject(platform, PROGRAMS[name], { min_tier: 3 }), everyday: runSubject(platform, PROGRAMS[name]) };
      latency[name] = await measureLatency(subjects, { runs, pauseMs: PAUSE_MS / 2 });
    }
    const p50 = (found: Measured<Summary>) => (isMeasured(found) ? found.p50_ms : null);
    const measured = p50(latency.python.gvisor);
    return {
      ...{ bench: "gvisor" as const, started_at, machine, cold_runsc, latency },
      ratios: { gvisor_python_to_everyday: ratio(measured, p50(latency.python.everyday)), gvisor_python_to_cold_runsc: ratio(measured, p50(cold_runsc)) },
      target: { name: "Python print(1) in gVisor over HTTP, warm p50", at_most: TARGET_MS, measured, met: measured === null ? null : measured <= TARGET_MS },
    };
  } finally {
    say("stopping Plastron");
    await platform.stop();
  }
}
