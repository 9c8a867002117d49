import { PlastronError } from "@plastron/contracts";
import type { DriverOptions, SandboxDriver } from "./driver.ts";

/** The drivers of one machine, strongest and fastest first. Loaded only when tried: the agent stays small. */
const DRIVERS = {
  local: async (options: DriverOptions) => (await import("./drivers/local/index.ts")).openLocalDriver(options),
  bubblewrap: async (options: DriverOptions) => (await import("./drivers/bubblewrap/index.ts")).openBubblewrapDriver(options),
};
export type DriverName = keyof typeof DRIVERS;

/**
 * The strongest driver that this host can carry, or exactly the one named by `preference`. A driver is chosen because it could
 * make a sandbox, never because its parts are there.
 * Errors: sandbox_failed with what each driver said, or just what the named one said.
 */
export async function openDriver(options: DriverOptions, preference?: DriverName): Promise<SandboxDriver> {
  const names = preference ? [preference] : (Object.keys(DRIVERS) as DriverName[]);
  const failures: string[] = [];
  for (const name of names) {
    try {
      return await DRIVERS[name](options);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      options.log?.("driver cannot be used", { driver: name, why });
      failures.push(`${name}: ${why}`);
    }
  }
  if (preference) throw new PlastronError("sandbox_failed", failures.join("").slice(preference.length + 2));
  throw new PlastronError("sandbox_failed", `No driver can make a sandbox here. ${failures.join(" · ")}`);
}
