import { afterAll, beforeAll, expect, it } from "vitest";
import { findingNamed, scanOf } from "../../../../test/fixtures/findings.ts";
import { openPool, type Pool } from "../../database/pool.ts";
import { startTestCluster, type TestCluster } from "../../testing/database.ts";
import { GateService, type Results, type Scanned } from "./service.ts";
import { GateStore } from "./store.ts";

let cluster: TestCluster;
let pool: Pool;
const DIGEST = "d".repeat(64);
beforeAll(async () => {
  cluster = await startTestCluster();
  pool = openPool(await cluster.database(), () => {});
  await pool.db
    .insertInto("artifacts")
    .values({
      tenant: "default",
      digest: DIGEST,
      kind: "tree",
      name: "a",
      revision: null,
      files: 0,
      bytes: 0,
      gaps: "[]",
      notes: "[]",
      created_by: "k",
    } as never)
    .execute();
}, 60_000);
afterAll(async () => {
  await pool.close();
  await cluster.stop();
});

const clean: Scanned = { id: "scn_1", result: scanOf([]) };
const grave: Scanned = { id: "scn_1", result: scanOf([findingNamed({ fingerprint: "1", severity: "critical" })]) };

/** What was read is said otherwise by the time it would be written. */
it("a pass that was decided by what advisories said before is not written over what they say now", async () => {
  let newest = clean;
  const results: Results = {
    latest: async () => newest,
    of: async () => undefined,
    async holds(_, { result }) {
      const same = result === newest.result && newest === grave;
      newest = grave; // between the reading and the writing of the first attempt
      return same;
    },
  };
  const gates = new GateService(new GateStore(pool.db), results, async () => undefined);
  await gates.put(
    { tenant: "default", key: "k", scopes: ["admin"], project: null },
    { name: "shop", admission: "passed", gate: null, environment: null, exemptions: null },
  );
  expect(await gates.decide("default", "shop", DIGEST)).toMatchObject({ decision: "deny" });
  expect(await gates.admissions("default", "shop", 5)).toMatchObject([{ decision: "deny" }]);
});

it("what never stands still is not decided at all", async () => {
  const gates = new GateService(
    new GateStore(pool.db),
    { latest: async () => clean, of: async () => undefined, holds: async () => false },
    async () => undefined,
  );
  await expect(gates.decide("default", "shop", DIGEST)).rejects.toMatchObject({ code: "conflict" });
  expect(await gates.admissions("default", "shop", 5)).toMatchObject([{ decision: "deny" }]);
});
