import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { compileDefault } from "@plastron/policy";
import { afterAll, describe, expect, it } from "vitest";
import { guestCgroups, guestProcesses, guestsNeed } from "../../testing/guests.ts";
import { bench } from "../../testing/harness.ts";
import { firstWord } from "../../testing/waiting.ts";
import { findCgroups } from "../local/cgroups.ts";
import { gvisorFacts } from "./facts.ts";
import { guestsGroup, openGvisorDriver } from "./index.ts";

const home = mkdtempSync(join(tmpdir(), "plastron-guests-"));
afterAll(() => rmSync(home, { recursive: true, force: true }));
const BUSY = fileURLToPath(new URL("../../testing/busy-driver.ts", import.meta.url));
const { confinement } = compileDefault(gvisorFacts());
const need = guestsNeed();

const ended = (child: ChildProcess) => new Promise((resolve) => child.once("exit", resolve));

describe.skipIf(need !== null)(`the gvisor driver, killed ${need ?? ""}`, () => {
  it("four times under load leaves no process and no mount, and what is left of its cgroups is reclaimed at the next start", async () => {
    for (let round = 0; round < 4; round++) {
      const child = spawn(process.execPath, [BUSY, home, "gvisor"], { stdio: ["ignore", "pipe", "inherit"] });
      await firstWord(child);
      await new Promise((later) => setTimeout(later, Math.random() * 300));
      expect(guestProcesses(home).length).toBeGreaterThan(0);
      child.kill("SIGKILL");
      await ended(child);
      await expect.poll(() => guestProcesses(home), { timeout: 15_000 }).toEqual([]);
    }
    const driver = await openGvisorDriver({ home });
    try {
      expect(await bench(driver, confinement).python("print('still works')")).toMatchObject({ stdout: "still works\n", status: "completed" });
    } finally {
      await driver.close();
    }
    expect(guestCgroups(home)).toEqual([]);
    expect(findCgroups(guestsGroup(home)).dirs.filter((dir) => existsSync(dir))).toEqual([]);
    expect(readFileSync("/proc/self/mounts", "utf8")).not.toContain(home);
  }, 120_000);
});
