/**
 * A process in a mount namespace without the unified cgroup hierarchy: runs a program that never ends, asks to hold it still, and
 * prints the error's code and the run's end as JSON. For hands.test.ts.
 */
import { NO_RULES, newId, runSpecSchema } from "@plastron/contracts";
import { openLocalDriver } from "../drivers/local/index.ts";

const driver = await openLocalDriver({ home: process.argv[2] as string });
const confinement = { ...NO_RULES, id: "f".repeat(64), policy: "plain" };
const spec = runSpecSchema.parse({
  run_id: newId("run"),
  tenant: "ten_unheld",
  runtime: "python3",
  code: "import time\nprint(1, flush=True)\ntime.sleep(60)",
  confinement,
});
const { promise: begun, resolve } = Promise.withResolvers<void>();
const ended = driver.run(spec, { stdout: () => resolve(), stderr() {} });
await begun;
const code = await driver.freeze?.(spec.run_id, spec.tenant).catch((error: { code: string }) => error.code);
const { status, reason } = await ended;
process.stdout.write(JSON.stringify({ code, status, reason }));
await driver.close();
