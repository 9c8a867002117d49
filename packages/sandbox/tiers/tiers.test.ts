import { NO_RULES, newId, PlastronError, runSpecSchema, type Tier } from "@plastron/contracts";
import { describe, expect, it } from "vitest";
import type { SandboxDriver } from "../driver.ts";
import { LazyDriver } from "./lazy.ts";
import { TieredDriver } from "./tiered.ts";

const output = { stdout() {}, stderr() {} };
const confinement = (min_tier: Tier) => ({ ...NO_RULES, id: "1".repeat(64), min_tier });
const spec = (min_tier: Tier, policy: Tier = 1) =>
  runSpecSchema.parse({ run_id: newId("run"), tenant: "t", runtime: "bash", code: "", min_tier, confinement: confinement(policy) });
const pool = (runtime: string) => ({
  key: "k",
  runtime,
  source: "process" as const,
  tenant: null,
  ready: 1,
  starting: 0,
  target: 1,
  hits: 0,
  misses: 0,
  rate_per_s: 0,
});

class Fake implements SandboxDriver {
  closed = 0;
  retired: string[] = [];
  readonly name: string;
  readonly tier: Tier;
  constructor(name: string, tier: Tier) {
    this.name = name;
    this.tier = tier;
  }
  run = async () => ({ sandbox: { driver: this.name } }) as never;
  openSession = async () => ({ id: this.name }) as never;
  retire = (id: string) => void this.retired.push(id);
  status = () => ({ driver: this.name, tier: this.tier, running: 1, queued: 2, sessions: 3, pools: [pool(this.name)] });
  close = async () => void this.closed++;
}

function tiers(open: () => Promise<SandboxDriver>, retryMs?: number) {
  const everyday = new Fake("local", 2);
  const strong = new LazyDriver("gvisor", 3, open, () => {}, retryMs);
  return { everyday, driver: new TieredDriver(everyday, strong) };
}

describe("a run or a session", () => {
  it("goes where its tier is, or its policy's", async () => {
    const { driver } = tiers(async () => new Fake("gvisor", 3));
    for (const [asked, policy, expected] of [
      [1, 1, "local"],
      [2, 1, "local"],
      [3, 1, "gvisor"],
      [1, 3, "gvisor"],
    ] as const) {
      expect((await driver.run(spec(asked, policy), output)).sandbox.driver).toBe(expected);
      expect((await driver.openSession({ ...spec(asked, policy), session_id: "s" })).id).toBe(expected);
    }
  });

  it("that no driver is strong enough for is refused, and opens nothing", async () => {
    let opened = 0;
    const { driver } = tiers(async () => (opened++, new Fake("gvisor", 3)));
    await expect(driver.run(spec(4), output)).rejects.toMatchObject({ code: "tier_unavailable" });
    await expect(driver.openSession({ ...spec(1, 4), session_id: "s" })).rejects.toMatchObject({ code: "tier_unavailable" });
    expect(opened).toBe(0);
  });
});

describe("the strong driver", () => {
  it("is opened once, by the first who asks, however many do", async () => {
    let opened = 0;
    const { driver } = tiers(async () => (opened++, new Fake("gvisor", 3)));
    await driver.run(spec(1), output);
    expect(opened).toBe(0);
    await Promise.all(Array.from({ length: 5 }, () => driver.run(spec(3), output)));
    expect(opened).toBe(1);
  });

  it("that cannot be opened is an answer with what was tried and the remedy, and never a weaker sandbox", async () => {
    let tries = 0;
    const broken = () => {
      tries++;
      return Promise.reject(new PlastronError("sandbox_failed", "runsc is not installed", { hint: "apt-get install runsc" }));
    };
    const { driver } = tiers(broken, 1000);
    const refusal = { code: "tier_unavailable", message: expect.stringContaining("runsc is not installed"), hint: "apt-get install runsc" };
    for (let i = 0; i < 3; i++) await expect(driver.run(spec(3), output)).rejects.toMatchObject(refusal);
    expect(tries).toBe(1);
    expect((await driver.run(spec(2), output)).sandbox.driver).toBe("local");
    await new Promise((later) => setTimeout(later, 1050));
    await expect(driver.run(spec(3), output)).rejects.toMatchObject(refusal);
    expect(tries).toBe(2);
  });

  it("that is opening when the driver closes is closed too", async () => {
    const strong = new Fake("gvisor", 3);
    let finish: (driver: SandboxDriver) => void = () => {};
    const { driver, everyday } = tiers(() => new Promise((resolve) => (finish = resolve)));
    const run = driver.run(spec(3), output).catch(() => "refused");
    const closing = driver.close();
    finish(strong);
    await Promise.all([run, closing]);
    expect([everyday.closed, strong.closed]).toEqual([1, 1]);
    await expect(driver.run(spec(3), output)).rejects.toMatchObject({ code: "agent_unavailable" });
  });
});

describe("both", () => {
  it("are one in status and in what is retired", async () => {
    const strong = new Fake("gvisor", 3);
    const { driver, everyday } = tiers(async () => strong);
    expect(driver.status()).toEqual(everyday.status());
    await driver.run(spec(3), output);
    expect(driver.status()).toMatchObject({
      driver: "local",
      tier: 2,
      running: 2,
      queued: 4,
      sessions: 6,
      pools: [{ runtime: "local" }, { runtime: "gvisor" }],
    });
    driver.retire("x");
    expect([everyday.retired, strong.retired]).toEqual([["x"], ["x"]]);
  });
});
