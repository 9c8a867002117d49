import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DEFAULT_LIMITS, type EgressAccount } from "@plastron/contracts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { SandboxDriver } from "../../driver.ts";
import { type Bench, bench } from "../../testing/harness.ts";
import { NAMES, type Outside, outside, wayOut } from "../../testing/outside.ts";
import { accountSince } from "./egress-account.ts";
import { openLocalDriver } from "./index.ts";

const isRoot = process.getuid?.() === 0;
const home = mkdtempSync(join(tmpdir(), "plastron-egress-account-"));
afterAll(() => rmSync(home, { recursive: true, force: true }));
const limits = { ...DEFAULT_LIMITS, wall_ms: 20_000 };
const [API, OTHER] = NAMES as [string, string];

describe.runIf(isRoot)("[needs: root] the account of a run's way out", () => {
  let world: Outside;
  let driver: SandboxDriver;
  let use: Bench;
  beforeAll(async () => {
    world = await outside();
    driver = await openLocalDriver({ home, egress: world.egress });
    use = bench(driver, wayOut({ http: [{ hosts: [API, OTHER] }] }));
  });
  afterAll(async () => {
    await driver.close();
    await world.close();
  });

  it("says which names were asked and what was reached, and of a session's run only its own", async () => {
    const { confinement } = use;
    const session = await driver.openSession({ session_id: "s", tenant: "acme", runtime: "bash", limits, imports: [], confinement, min_tier: 1 });
    const once = async (code: string) => (await use.inSession(session, { runtime: "bash", code, limits, tenant: "acme" })).telemetry.network;
    const curl = (host: string) => `curl -4 -sS http://${host}:${world.http}/ 2>&1; `;
    const first = await once(curl(API) + curl(API) + curl("denied.example"));
    expect(first.flows).toMatchObject([{ protocol: "tcp", address: expect.stringMatching(/^198\.1[89]\./), port: world.http, host: API }]);
    expect(first.flows[0]?.bytes_out).toBeGreaterThan(100);
    const asked = (network: typeof first) => network.names.map(({ name, type, answer, count }) => [name, type, answer, count]);
    expect(asked(first)).toEqual([
      [API, "A", "allowed", 2],
      ["denied.example", "A", "denied", expect.any(Number)],
    ]);
    const second = await once(curl(OTHER));
    expect(second.flows.map(({ host }) => host)).toEqual([OTHER]);
    expect(asked(second)).toEqual([[OTHER, "A", "allowed", 1]]);
    expect((await once("true")).flows).toEqual([]);
    await session.close("done");
  });

  it("is a limit, where one is set, with no sensor at all: what sends too much is cut and killed", async () => {
    const rates = { ...DEFAULT_LIMITS.rates, bytes_out: 1_000_000 };
    const send = (size: string) => `head -c ${size} /dev/zero | curl -sS --data-binary @- http://${API}:${world.http}/`;
    const held = { limits: { ...limits, rates }, tenant: "acme" };
    expect(await use.bash(send("500K"), held)).toMatchObject({ status: "completed", broken_by: null });
    const ran = await use.bash(`${send("300M")}; sleep 5`, held);
    expect(ran).toMatchObject({ status: "broken_by_rule", broken_by: { rule: "bytes_out", limit: 1_000_000 } });
    expect(ran.broken_by?.measured).toBeGreaterThan(1_000_000);
    expect(ran.usage.network?.bytes_out).toBeLessThan(150_000_000);
  });
});

describe("the difference of two accounts", () => {
  const flow = (port: number, connections: number, bytes: number) => ({
    address: "198.18.1.2",
    port,
    host: "a",
    connections,
    bytes_in: bytes,
    bytes_out: bytes,
  });
  const name = (of: string, count: number) => ({ name: of, type: "A", answer: "allowed" as const, count });
  const account = (more: Partial<EgressAccount>): EgressAccount => ({
    traffic: { connections: 0, bytes_in: 0, bytes_out: 0 },
    flows: [],
    names: [],
    flows_dropped: 0,
    names_dropped: 0,
    flags: [],
    ...more,
  });

  it("holds what has grown, and by how much", () => {
    const before = account({ flows: [flow(80, 2, 10), flow(81, 1, 5)], names: [name("a", 3)], flows_dropped: 4 });
    const now = account({
      flows: [flow(80, 2, 30), flow(81, 1, 5), flow(82, 1, 1)],
      names: [name("a", 3), name("b", 1)],
      flows_dropped: 5,
      flags: ["dns_tunnel"],
    });
    expect(accountSince(before, now)).toMatchObject({
      flows: [flow(80, 0, 20), flow(82, 1, 1)],
      names: [name("b", 1)],
      flows_dropped: 1,
      flags: ["dns_tunnel"],
    });
  });

  it("is bounded, and counts what is beyond", () => {
    const now = account({ flows: Array.from({ length: 130 }, (_, i) => flow(i, 2, 1)), names: Array.from({ length: 120 }, (_, i) => name(`n${i}`, 3)) });
    const { flows, names, flows_dropped, names_dropped } = accountSince(null, now);
    expect([flows.length, flows_dropped, names.length, names_dropped]).toEqual([100, 60, 100, 60]);
  });
});
