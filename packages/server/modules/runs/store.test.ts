import { newId } from "@plastron/contracts";
import type { Client } from "pg";
import { afterAll, beforeAll, expect, it } from "vitest";
import { openClient, openPool } from "../../database/pool.ts";
import { startTestCluster, type TestCluster } from "../../testing/database.ts";
import { startTestServer } from "../../testing/harness.ts";
import { type ScriptedAgent, startScriptedAgent } from "../../testing/scripted-agent.ts";
import { RunStore } from "./store.ts";

let cluster: TestCluster;
let agent: ScriptedAgent;

beforeAll(async () => {
  [cluster, agent] = await Promise.all([startTestCluster(), startScriptedAgent()]);
}, 60_000);
afterAll(async () => {
  await Promise.all([cluster.stop(), agent.stop()]);
});

/** A run of `days` days ago; without an end where `status` is running. */
const insert = async (client: Client, { id = newId("run"), server = "test-server", status = "running", days = 0 }) => {
  await client.query(
    `insert into runs (id, tenant, server, language, policy, confinement, code_sha256, status, created_at, finished_at)
     values ($1, 'default', $2, 'python3', 'default', 'c', 'h', $3::text, now() - make_interval(days => $4), case when $3 <> 'running' then now() end)`,
    [id, server, status, days],
  );
  return id;
};

it("after a crash, runs that the server left running are lost, other servers' are not", async () => {
  const database = await cluster.database();
  const client = await openClient(database, () => {});
  await insert(client, { id: `run_${"0".repeat(26)}` });
  await insert(client, { id: `run_${"1".repeat(26)}`, server: "another" });
  const restarted = await startTestServer(database, agent.path);
  expect((await client.query("select server, status from runs order by id")).rows).toEqual([
    { server: "test-server", status: "lost" },
    { server: "another", status: "running" },
  ]);
  expect((await client.query("select type, data from events")).rows).toEqual([{ type: "run.finished", data: { status: "lost" } }]);
  await restarted.close();
  await client.end();
});

it("deletes runs past their retention, however many, and nothing that is younger or in progress", async () => {
  const database = await cluster.database();
  const client = await openClient(database, () => {});
  const pool = openPool(database, () => {});
  const made = (days: number) => newId("run", Date.now() - days * 86_400_000);
  for (let i = 0; i < 1_001; i++) await insert(client, { id: made(8), status: "completed", days: 8 });
  const young = await insert(client, { id: made(6), status: "completed", days: 6 });
  const running = await insert(client, { id: made(8), days: 8 });
  await new RunStore(pool.db).expire(7);
  expect((await client.query("select id from runs")).rows.map(({ id }) => id).sort()).toEqual([running, young].sort());
  await pool.close();
  await client.end();
});
