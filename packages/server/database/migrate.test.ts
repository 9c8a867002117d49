import type { Client } from "pg";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { startTestCluster, type TestCluster } from "../testing/database.ts";
import { type Migration, migrate, readMigrations } from "./migrate.ts";
import { type Connection, openClient } from "./pool.ts";

let cluster: TestCluster;
let connection: Connection;
let client: Client;
beforeAll(async () => {
  cluster = await startTestCluster();
}, 60_000);
afterAll(() => cluster.stop());
beforeEach(async () => {
  connection = await cluster.database();
  client = await openClient(connection, () => {});
  return () => client.end();
});

const extra = (sql: string, name = "9999_extra.sql"): Migration => ({ name, sql, sha256: sql });

describe("migrate", () => {
  it("runs each once", async () => {
    const migrations = [...readMigrations(), extra("create table extra (n int)")];
    expect(await migrate(client, migrations)).toEqual(["9999_extra.sql"]);
    expect(await migrate(client, migrations)).toEqual([]);
  });

  it("leaves nothing of one that fails", async () => {
    await expect(migrate(client, [...readMigrations(), extra("create table half (n int); select nonsense")])).rejects.toThrow(
      /9999_extra.sql failed.*nonsense/,
    );
    expect((await client.query("select to_regclass('half') as t")).rows).toEqual([{ t: null }]);
  });

  it("refuses one that was edited after it ran", async () => {
    const edited = readMigrations().map((migration) => ({ ...migration, sha256: "other" }));
    await expect(migrate(client, edited)).rejects.toThrow(/was changed after it ran/);
  });

  it("refuses a database that is newer than the program", async () => {
    await migrate(client, [...readMigrations(), extra("select 1")]);
    await expect(migrate(client)).rejects.toThrow(/older than the database/);
  });

  it("lets several servers start at once", async () => {
    const other = await openClient(connection, () => {});
    const migrations = [...readMigrations(), extra("select pg_sleep(0.1); create table once (n int)")];
    const ran = await Promise.all([migrate(client, migrations), migrate(other, migrations)]);
    await other.end();
    expect(ran.flat()).toEqual(["9999_extra.sql"]);
  });
});

describe("the events table", () => {
  const insert = (at: string) => client.query("insert into events (at, tenant, type, subject) values ($1, 'default', 't', 's')", [at]);

  it("has a partition for each of the days to come, and takes what no partition covers", async () => {
    const { rows } = await client.query("select count(*)::int as n from pg_inherits where inhparent = 'events'::regclass");
    expect(rows[0].n).toBe(9);
    await insert("2001-01-01");
    expect((await client.query("select tableoid::regclass::text as place from events")).rows).toEqual([{ place: "events_default" }]);
  });

  it.each(["update events set type = 'x'", "delete from events", "truncate events"])("refuses: %s", async (statement) => {
    await insert(new Date().toISOString());
    await expect(client.query(statement)).rejects.toThrow(/append-only/);
    expect((await client.query("select type from events")).rows).toEqual([{ type: "t" }]);
  });

  it("refuses to change a partition behind the table's back", async () => {
    await insert(new Date().toISOString());
    const { rows } = await client.query("select tableoid::regclass::text as place from events");
    await expect(client.query(`delete from ${rows[0].place}`)).rejects.toThrow(/append-only/);
  });
});
