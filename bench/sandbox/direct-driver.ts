import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { newId, type RunSpec, runSpecSchema } from "@plastron/contracts";
import { compileDefault } from "@plastron/policy";
import { hostFacts, openDriver, type SandboxDriver } from "@plastron/sandbox";
import type { Measured } from "../measure.ts";
import { CpuMeter } from "./attribution.ts";
import { type Latency, type LatencySettings, measureLatency } from "./latency.ts";
import type { Holds } from "./platform.ts";
import { type MakeSubject, PROGRAMS, STUCK_MS } from "./subject.ts";
import { measureThroughput, type Throughput, type ThroughputSettings } from "./throughput.ts";

/** The same Python program through packages/sandbox alone: no HTTP, no database, no agent's socket. The difference is what those cost. */
export interface DirectDriver {
  driver: string;
  tier: number;
  latency: Measured<Latency>;
  throughput: Measured<Throughput>;
}

/** A range of host uids of its own: a Plastron that already runs on this machine has the default one. */
const UID_BASE = 1_950_000_000;

/** Opens a driver in this process, so its CPU time counts as the generator's. Not measured where the host can carry no driver. */
export async function measureDirectDriver(latency: LatencySettings, throughput: ThroughputSettings, holds: Holds): Promise<Measured<DirectDriver>> {
  const home = mkdtempSync(join(tmpdir(), "plastron-bench-"));
  let driver: SandboxDriver | undefined;
  const undo = holds(async () => {
    await driver?.close();
    rmSync(home, { recursive: true, force: true });
  });
  try {
    const { confinement } = compileDefault(await hostFacts());
    driver = await openDriver({ home, uidBase: UID_BASE, warm: [{ runtime: "python3", confinement, count: 2 }] });
    const make = directSubject(driver, confinement);
    const { python } = await measureLatency({ python: make }, latency);
    const sustained = await measureThroughput(make, new CpuMeter({ sandboxesOf: process.pid }), throughput);
    return { driver: driver.name, tier: driver.tier, latency: python, throughput: sustained };
  } catch (error) {
    return { unavailable: error instanceof Error ? error.message : String(error) };
  } finally {
    await undo();
  }
}

function directSubject(driver: SandboxDriver, confinement: RunSpec["confinement"]): MakeSubject {
  const { language, code, stdout: expected } = PROGRAMS.python;
  const spec = runSpecSchema.parse({ runtime: language, code, run_id: "", tenant: "bench", confinement });
  return () => ({
    async once() {
      const chunks: Uint8Array[] = [];
      const start = process.hrtime.bigint();
      const output = { stdout: (chunk: Uint8Array) => void chunks.push(chunk), stderr: () => {} };
      const result = await driver.run({ ...spec, run_id: newId("run") }, output, { signal: AbortSignal.timeout(STUCK_MS) });
      const ms = Number(process.hrtime.bigint() - start) / 1e6;
      const stdout = Buffer.concat(chunks).toString();
      if (result.status !== "completed" || stdout !== expected) throw new Error(`the run ${result.status}: ${result.reason ?? JSON.stringify(stdout)}`);
      return { ms, start: result.sandbox.start === "cold" ? "cold" : "warm", source: result.sandbox.source, phases_us: result.phases_us };
    },
    close: async () => {},
  });
}
