import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { TYPICAL_HOST } from "@plastron/contracts";
import { compileDefault } from "@plastron/policy";
import { afterAll } from "vitest";
import { describeDriver } from "../../driver.conformance.ts";
import { openLocalDriver } from "./index.ts";

const home = mkdtempSync(join(tmpdir(), "plastron-local-"));
afterAll(() => rmSync(home, { recursive: true, force: true }));

const { confinement } = compileDefault(TYPICAL_HOST);

describeDriver("local", {
  open: () => openLocalDriver({ home, warm: (["python3", "nodejs", "bash"] as const).map((runtime) => ({ runtime, confinement, count: 1 })) }),
  confinement,
  sessions: "kept",
});
