import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { TYPICAL_HOST } from "@plastron/contracts";
import { compileDefault } from "@plastron/policy";
import { afterAll } from "vitest";
import { describeDriver } from "../../driver.conformance.ts";
import { openBubblewrapDriver } from "./index.ts";

const home = mkdtempSync(join(tmpdir(), "plastron-bubblewrap-"));
afterAll(() => rmSync(home, { recursive: true, force: true }));

const { confinement } = compileDefault(TYPICAL_HOST);

describeDriver("bubblewrap", { open: () => openBubblewrapDriver({ home }), confinement, sessions: "refused" });
