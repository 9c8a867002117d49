import { PlastronError } from "@plastron/contracts";
import type { DriverOptions, SandboxDriver } from "./driver.ts";
import { LazyDriver } from "./tiers/lazy.ts";
import { TieredDriver } from "./tiers/tiered.ts";

/** The drivers of one machine. Loaded only when tried: the agent stays small. */
const DRIVERS = {
  local: async (options: DriverOptions) => (await import("./drivers/local/index.ts")).openLocalDriver(options),
  bubblewrap: async (options: DriverOptions) => (await import("./drivers/bubblewrap/index.ts")).openBubblewrapDriver(options),
  gvisor: async (options: DriverOptions) => (await import("./drivers/gvisor/index.ts")).openGvisorDriver(options, options.gvisor),
};
export type DriverName = keyof typeof DRIVERS;

/** Which of them carry what asks for no stronger tier, fastest first. */
const EVERYDAY: DriverName[] = ["local", "bubblewrap"];

/**
 * The strongest everyday driver that this host can carry, with gVisor behind it for what asks for tier 3, opened when first
 * asked for. With a `preference`, exactly the one named. A driver is chosen because it could make a sandbox, never because its
 * parts are there.
 * Errors: sandbox_failed with what each driver said, or just what the named one said.
 */
export async function openDriver(options: DriverOptions, preference?: DriverName): Promise<SandboxDriver> {
  if (preference) return openNamed(preference, options);
  const strong = (options.warm ?? []).filter(({ confinement }) => confinement.min_tier >= 3);
  const everyday = await openFirst({ ...options, warm: (options.warm ?? []).filter((pool) => !strong.includes(pool)) });
  return new TieredDriver(everyday, new LazyDriver("gvisor", 3, () => DRIVERS.gvisor({ ...options, warm: strong }), options.log));
}

async function openNamed(name: DriverName, options: DriverOptions): Promise<SandboxDriver> {
  try {
    return await DRIVERS[name](options);
  } catch (error) {
    const why = tellFailure(name, error, options);
    throw new PlastronError("sandbox_failed", why, error instanceof PlastronError ? { hint: error.hint } : {});
  }
}

async function openFirst(options: DriverOptions): Promise<SandboxDriver> {
  const failures: string[] = [];
  for (const name of EVERYDAY) {
    try {
      return await DRIVERS[name](options);
    } catch (error) {
      failures.push(`${name}: ${tellFailure(name, error, options)}`);
    }
  }
  throw new PlastronError("sandbox_failed", `No driver can make a sandbox here. ${failures.join(" · ")}`);
}

function tellFailure(name: DriverName, error: unknown, { log }: DriverOptions): string {
  const why = error instanceof Error ? error.message : String(error);
  log?.("driver cannot be used", { driver: name, why });
  return why;
}
