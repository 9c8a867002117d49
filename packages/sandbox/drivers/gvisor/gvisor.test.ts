import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { TYPICAL_HOST } from "@plastron/contracts";
import { compileDefault } from "@plastron/policy";
import { afterAll } from "vitest";
import { describeDriver } from "../../driver.conformance.ts";
import { openGvisorDriver } from "./index.ts";

const home = mkdtempSync(join(tmpdir(), "plastron-gvisor-"));
afterAll(() => rmSync(home, { recursive: true, force: true }));

const { confinement } = compileDefault({ ...TYPICAL_HOST, driver: "gvisor", tier: 3, notify: false, hooks: false, egress: false });

describeDriver("gvisor", {
  open: () => openGvisorDriver({ home, warm: (["python3", "nodejs", "bash"] as const).map((runtime) => ({ runtime, confinement, count: 1 })) }),
  confinement,
  sessions: "kept",
});
