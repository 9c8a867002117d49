/** A process that is to be killed: runs a program that never ends, holds it still, and prints "held". For rates.test.ts. */
import { NO_RULES, newId, runSpecSchema } from "@plastron/contracts";
import { openLocalDriver } from "../drivers/local/index.ts";

const driver = await openLocalDriver({ home: process.argv[2] as string });
const confinement = { ...NO_RULES, id: "f".repeat(64), policy: "plain" };
const code = "import time\nprint(1, flush=True)\ntime.sleep(600)";
const spec = runSpecSchema.parse({ run_id: newId("run"), tenant: "ten_held", runtime: "python3", code, confinement, limits: { wall_ms: 600_000 } });
const { promise: begun, resolve } = Promise.withResolvers<void>();
void driver.run(spec, { stdout: () => resolve(), stderr() {} });
await begun;
await driver.freeze?.(spec.run_id, spec.tenant);
process.stdout.write("held\n");
