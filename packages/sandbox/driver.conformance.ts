import { afterAll, beforeAll, describe } from "vitest";
import { describeFiles } from "./testing/files.ts";
import { type Bench, bench, type Suite } from "./testing/harness.ts";
import { describeInterpreters } from "./testing/interpreters.ts";
import { describeIsolation } from "./testing/isolation.ts";
import { describeFilter, describeLifecycle } from "./testing/lifecycle.ts";
import { describeLimits } from "./testing/limits.ts";
import { describePrograms } from "./testing/programs.ts";
import { describeSessions } from "./testing/sessions.ts";

/**
 * What every driver owes its user, as the user sees it: RunSpec in, RunResult and output out. A driver's own test file calls
 * this with a way to open it, and adds only what is peculiar to that driver.
 */
export function describeDriver(name: string, suite: Suite): void {
  describe(`the ${name} driver`, () => {
    let opened: Bench | undefined;
    const use = (): Bench => {
      if (!opened) throw new Error("the driver was not opened");
      return opened;
    };
    beforeAll(async () => {
      opened = bench(await suite.open(), suite.confinement, suite.features);
    }, 60_000);
    afterAll(() => opened?.driver.close(), 60_000);

    describePrograms(use);
    describeInterpreters(use);
    describeFiles(use);
    describeLimits(use);
    describeIsolation(use);
    describeLifecycle(use);
    if (suite.confinement.seccomp !== "") describeFilter(use);
    describeSessions(use, suite.sessions);
  });
}
