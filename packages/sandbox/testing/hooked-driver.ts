/**
 * A process that is to be killed: opens the local driver on the home given, with programs in sandboxes whose policy denies an
 * address; prints "busy" when they run. For hooks.test.ts.
 */
import { newId, runSpecSchema } from "@plastron/contracts";
import { openLocalDriver } from "../drivers/local/index.ts";
import { destination, hooked } from "./hooked.ts";

const confinement = hooked([destination("127.0.0.1")]);
const driver = await openLocalDriver({ home: process.argv[2] as string });
const code = "import time\nprint('busy', flush=True)\ntime.sleep(600)";
const output = { stdout: () => void process.stdout.write("busy\n"), stderr() {} };
await driver.run(runSpecSchema.parse({ run_id: newId("run"), tenant: "ten_busy", runtime: "python3", code, confinement }), output);
