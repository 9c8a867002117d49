import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Client } from "pg";

export interface Migration {
  name: string;
  sql: string;
  sha256: string;
}

/** Any number that no other program uses for an advisory lock in this database. */
const LOCK = 7_300_001;

/**
 * Brings the database to the newest schema: each file once, in order, each in its own transaction with the note that it ran.
 * Several servers may start at once: an advisory lock lets one do it while the others wait.
 *
 * @returns the names of those that ran now
 * @throws Error if a migration that ran has been edited since, or the database is newer than this program
 */
export async function migrate(client: Client, migrations: Migration[] = readMigrations()): Promise<string[]> {
  await client.query("select pg_advisory_lock($1)", [LOCK]);
  try {
    await client.query("create table if not exists migrations (name text primary key, sha256 text not null, ran_at timestamptz not null default now())");
    const { rows } = await client.query<{ name: string; sha256: string }>("select name, sha256 from migrations order by name");
    const done = new Map(rows.map((row) => [row.name, row.sha256]));
    checkHistory(done, migrations);
    const pending = migrations.filter((migration) => !done.has(migration.name));
    for (const migration of pending) await run(client, migration);
    return pending.map((migration) => migration.name);
  } finally {
    await client.query("select pg_advisory_unlock($1)", [LOCK]);
  }
}

/** The `*.sql` files of a directory, by name. */
export function readMigrations(directory: string = join(import.meta.dirname, "..", "migrations")): Migration[] {
  return readdirSync(directory)
    .filter((name) => name.endsWith(".sql"))
    .sort()
    .map((name) => {
      const sql = readFileSync(join(directory, name), "utf8");
      return { name, sql, sha256: createHash("sha256").update(sql).digest("hex") };
    });
}

function checkHistory(done: Map<string, string>, migrations: Migration[]): void {
  for (const [name, sha256] of done) {
    const known = migrations.find((migration) => migration.name === name);
    if (known === undefined) throw new Error(`the database has migration ${name}, which this version does not know: it is older than the database`);
    if (known.sha256 !== sha256) throw new Error(`migration ${name} was changed after it ran; write a new one instead`);
  }
}

async function run(client: Client, migration: Migration): Promise<void> {
  await client.query("begin");
  try {
    await client.query(migration.sql);
    await client.query("insert into migrations (name, sha256) values ($1, $2)", [migration.name, migration.sha256]);
    await client.query("commit");
  } catch (error) {
    await client.query("rollback");
    throw new Error(`migration ${migration.name} failed: ${(error as Error).message}`, { cause: error });
  }
}
