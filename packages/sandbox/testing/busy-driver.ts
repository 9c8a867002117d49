/**
 * A process that is to be killed: opens the local driver (or the gvisor driver, with "gvisor" behind it) on the home given, prints "busy", and runs programs without end, each
 * of which leaves background processes. For reclaim.test.ts.
 */
import { newId, runSpecSchema, TYPICAL_HOST } from "@plastron/contracts";
import { compileDefault } from "@plastron/policy";
import { gvisorFacts } from "../drivers/gvisor/facts.ts";
import { openGvisorDriver } from "../drivers/gvisor/index.ts";
import { openLocalDriver } from "../drivers/local/index.ts";

const { confinement } = compileDefault(process.argv[3] === "gvisor" ? gvisorFacts() : TYPICAL_HOST);
const options = { home: process.argv[2] as string, warm: [{ runtime: "python3" as const, confinement, count: 2 }] };
const driver = process.argv[3] === "gvisor" ? await openGvisorDriver(options) : await openLocalDriver(options, { zygoteCores: 0.001 });
const program = "import os, time\nfor i in range(5):\n    if os.fork() == 0:\n        os.setsid(); time.sleep(600)\ntime.sleep(0.05)";
const ignore = { stdout() {}, stderr() {} };
let done = 0;
for (let i = 0; i < 6; i++) void work();

async function work(): Promise<void> {
  for (;;) {
    await driver.run(runSpecSchema.parse({ run_id: newId("run"), tenant: "ten_busy", runtime: "python3", code: program, confinement }), ignore);
    if (++done === 3) process.stdout.write("busy\n");
  }
}
