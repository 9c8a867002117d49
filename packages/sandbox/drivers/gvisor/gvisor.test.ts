import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { compileDefault } from "@plastron/policy";
import { afterAll, it } from "vitest";
import { describeDriver } from "../../driver.conformance.ts";
import { guestsNeed } from "../../testing/guests.ts";
import { gvisorFacts } from "./facts.ts";
import { openGvisorDriver } from "./index.ts";

const home = mkdtempSync(join(tmpdir(), "plastron-gvisor-"));
afterAll(() => rmSync(home, { recursive: true, force: true }));

const { confinement } = compileDefault(gvisorFacts());

const need = guestsNeed();
if (need !== null) it.skip(`the gvisor driver ${need}`, () => {});
else
  describeDriver("gvisor", {
    open: () => openGvisorDriver({ home, warm: (["python3", "nodejs", "bash"] as const).map((runtime) => ({ runtime, confinement, count: 1 })) }),
    confinement,
    sessions: "kept",
    features: { proc: "guest", memoryEnds: "sandbox", cpuClock: "coarse", nesting: 100, floodBytes: 100_000_000 },
  });
