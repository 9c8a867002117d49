import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Confinement, NO_RULES, newId, runSpecSchema } from "@plastron/contracts";
import { describe, expect, it } from "vitest";
import type { SandboxDriver } from "../../driver.ts";
import { localDriverMissing, openLocalDriver } from "./index.ts";

const confinement = (digit: string): Confinement => ({ ...NO_RULES, id: digit.repeat(64), policy: "retire-test" });
const [OLD, NEW, WARM] = [confinement("1"), confinement("2"), confinement("3")];

/** Pools of a confinement that no policy compiles to any more: what is warm goes, what runs stays. */
describe.runIf(localDriverMissing() === null)("retire [needs: root]", { timeout: 60_000 }, () => {
  const run = (driver: SandboxDriver, under: Confinement, code: string, tenant = "t") =>
    driver.run(runSpecSchema.parse({ run_id: newId("run"), tenant, runtime: "bash", code, confinement: under }), { stdout() {}, stderr() {} });
  const keys = (driver: SandboxDriver) => driver.status().pools.map(({ key }) => key[0]);

  it("drains the pool of the old confinement under load, fails no run, and lets go of what late runs made", async () => {
    const home = mkdtempSync(join(tmpdir(), "plastron-retire-"));
    const driver = await openLocalDriver({ home, warm: [{ runtime: "bash", confinement: WARM, count: 1 }] });
    try {
      await run(driver, OLD, "true");
      expect(keys(driver)).toContain("1");
      const long = run(driver, OLD, "sleep 0.8; exit 7");
      const results: Promise<{ status: string }>[] = [];
      for (let i = 0; i < 30; i++) {
        if (i === 10) driver.retire?.(OLD.id);
        results.push(run(driver, i < 20 ? OLD : NEW, "true")); // ten come late
      }
      expect(new Set((await Promise.all(results)).map(({ status }) => status))).toEqual(new Set(["completed"]));
      expect((await long).exit_code).toBe(7);
      await expect.poll(() => keys(driver), { timeout: 8_000 }).not.toContain("1");
      expect(keys(driver)).toEqual(expect.arrayContaining(["2", "3"]));
      driver.retire?.(WARM.id);
      expect(keys(driver)).toContain("3"); // what the operator wants warm stays warm
    } finally {
      await driver.close();
      rmSync(home, { recursive: true, force: true });
    }
  });

  it("takes a busy tenant's zygote along, and a session goes on", async () => {
    const home = mkdtempSync(join(tmpdir(), "plastron-retire-"));
    const driver = await openLocalDriver({ home }, { zygoteCores: 0.0001 });
    const program = { run_id: newId("run"), tenant: "t", runtime: "python3" as const, confinement: OLD };
    try {
      const session = await driver.openSession({ ...runSpecSchema.parse({ ...program, code: "" }), session_id: "ses_1" });
      const python = () => driver.run(runSpecSchema.parse({ ...program, code: "pass" }), { stdout() {}, stderr() {} });
      await expect.poll(async () => ((await python()).sandbox.source === "zygote" ? "zygote" : undefined), { timeout: 20_000 }).toBe("zygote");
      driver.retire?.(OLD.id);
      await expect.poll(() => keys(driver), { timeout: 8_000 }).toEqual([]);
      expect((await session.run(runSpecSchema.parse({ ...program, code: "print(1)" }), { stdout() {}, stderr() {} })).status).toBe("completed");
    } finally {
      await driver.close();
      rmSync(home, { recursive: true, force: true });
    }
  });
});
