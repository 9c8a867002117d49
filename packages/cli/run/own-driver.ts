import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { INTERPRETER_FILES, openDriver, type SandboxDriver, sandboxGroup } from "@plastron/sandbox";
import { type Presence, trySensor } from "@plastron/sensor";

/** A program of its own, started by its path when a policy gives a way out. */
const EGRESS = fileURLToPath(new URL("../../egress/main.ts", import.meta.url));

/**
 * Lends a sandbox driver of its own under a temporary home: nothing needs to run, and nothing that runs is disturbed. Ctrl-C
 * leaves no sandbox, cgroup or home behind. With `seen` it has a sensor, which takes half a second; where this host has none, each
 * run's telemetry says why. Throws PlastronError sandbox_failed where this host can make none.
 */
export async function withOwnDriver<T>(use: (driver: SandboxDriver) => Promise<T>, look: "seen" | "unseen" = "unseen"): Promise<T> {
  const home = mkdtempSync(join(tmpdir(), "plastron-own-"));
  let presence: Presence = { sensorMissing: "this command opens no sensor" };
  let driver: SandboxDriver | undefined;
  const leave = async (): Promise<void> => {
    await driver?.close();
    await presence.sensor?.close();
    rmSync(home, { recursive: true, force: true });
  };
  const interrupted = (): void => void leave().finally(() => process.exit(130));
  for (const name of ["SIGINT", "SIGTERM"] as const) process.once(name, interrupted);
  try {
    if (look === "seen") presence = await trySensor({ cgroup: await sandboxGroup(home), interpreters: INTERPRETER_FILES });
    driver = await openDriver({ home, egress: { command: [process.execPath, EGRESS] }, ...presence });
    return await use(driver);
  } finally {
    for (const name of ["SIGINT", "SIGTERM"] as const) process.off(name, interrupted);
    await leave();
  }
}
