import { DEFAULT_LIMITS, type Denial, type Limits, newId, type RateRules, type RunResult, runSpecSchema, type Violation } from "@plastron/contracts";
import { examineSensor, type SensorOptions, trySensor } from "@plastron/sensor";
import type { DriverOptions, SandboxDriver } from "../driver.ts";
import { sandboxGroup } from "../drivers/local/cgroups.ts";
import type { FleetSettings } from "../drivers/local/fleet-settings.ts";
import { localDriverMissing, openLocalDriver } from "../drivers/local/index.ts";
import { INTERPRETER_FILES } from "../drivers/local/sources.ts";
import type { Program, Ran } from "./harness.ts";

/** Whether this host has both: sandboxes of the local driver, and a sensor that sees all of them. */
export const canSee = async (): Promise<boolean> => localDriverMissing() === null && (await examineSensor()).status === "working";

export interface Seeing {
  driver: SandboxDriver;
  /** A run with what was told while it ran. */
  run(program: Program): Promise<Ran & { denials: Denial[]; told: Violation[] }>;
  close(): Promise<void>;
}

/** A local driver with the real sensor of this host. */
export async function openSeeing(
  options: DriverOptions,
  confinement: Program["confinement"],
  settings: Partial<FleetSettings> = {},
  sensing: SensorOptions = {},
): Promise<Seeing> {
  const presence = await trySensor({ cgroup: await sandboxGroup(options.home), interpreters: INTERPRETER_FILES, ...sensing });
  if (!presence.sensor) throw new Error(presence.sensorMissing);
  const driver = await openLocalDriver({ ...options, ...presence }, settings);
  return {
    driver,
    run: (program) => toldOf(driver, { confinement, ...program }),
    close: async () => {
      await driver.close();
      await presence.sensor?.close();
    },
  };
}

/** Runs it and gathers all that came: its output, and violations and denials as they were told. */
export async function toldOf(runner: { run: SandboxDriver["run"] }, program: Program): Promise<Ran & { denials: Denial[]; told: Violation[] }> {
  const [stdout, stderr]: [Uint8Array[], Uint8Array[]] = [[], []];
  const [denials, told]: [Denial[], Violation[]] = [[], []];
  let started = false;
  const result: RunResult = await runner.run(runSpecSchema.parse({ run_id: newId("run"), tenant: "ten_seen", ...program }), {
    started() {
      started = true;
    },
    stdout: (chunk) => void stdout.push(Buffer.from(chunk)),
    stderr: (chunk) => void stderr.push(Buffer.from(chunk)),
    violation: (violation) => void told.push(violation),
    denial: (denial) => void denials.push(denial),
  });
  return { ...result, stdout: Buffer.concat(stdout).toString(), stderr: Buffer.concat(stderr).toString(), started, denials, told };
}

/** The default limits with other rates, and whatever else. */
export const rates = (given: Partial<RateRules>, more: Partial<Limits> = {}): Limits => ({
  ...DEFAULT_LIMITS,
  wall_ms: 20_000,
  ...more,
  rates: { ...DEFAULT_LIMITS.rates, ...given },
});
