import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { compileDefault } from "@plastron/policy";
import { afterAll } from "vitest";
import { describeDriver } from "../../driver.conformance.ts";
import { gvisorFacts } from "./facts.ts";
import { openGvisorDriver } from "./index.ts";

const home = mkdtempSync(join(tmpdir(), "plastron-gvisor-"));
afterAll(() => rmSync(home, { recursive: true, force: true }));

const { confinement } = compileDefault(gvisorFacts());

describeDriver("gvisor", {
  open: () => openGvisorDriver({ home, warm: (["python3", "nodejs", "bash"] as const).map((runtime) => ({ runtime, confinement, count: 1 })) }),
  confinement,
  sessions: "kept",
  features: { proc: "guest", memoryEnds: "sandbox", cpuClock: "coarse", nesting: 100, floodBytes: 100_000_000 },
});
