import { Kysely, PostgresDialect } from "kysely";
import pg from "pg";
import type { Schema } from "./schema.ts";

/** How to reach the database: the private cluster's socket, or a `DATABASE_URL`. */
export type Connection = { connectionString: string } | { host: string; port: number; user: string; database: string };

export type Database = Kysely<Schema>;

export interface Pool {
  db: Database;
  /** Connections: total, idle, and requests that wait for one. */
  gauges(): { total: number; idle: number; waiting: number };
  close(): Promise<void>;
}

/** Every statement ends after 15 s, so that a stuck database shows as errors and not as a server that hangs. */
const LIMITS = { statement_timeout: 15_000, connectionTimeoutMillis: 10_000, application_name: "plastron" };

/**
 * The pool for everything but the records of runs. It is small, since each PostgreSQL connection is a process with megabytes,
 * and lets go of what idles.
 */
export function openPool(connection: Connection, onError: (error: Error) => void): Pool {
  const pool = new pg.Pool({ ...connection, ...LIMITS, max: 8, idleTimeoutMillis: 30_000 });
  pool.on("error", onError); // an idle connection was cut; the pool replaces it
  return {
    db: new Kysely<Schema>({ dialect: new PostgresDialect({ pool }) }),
    gauges: () => ({ total: pool.totalCount, idle: pool.idleCount, waiting: pool.waitingCount }),
    close: () => pool.end(),
  };
}

/** One connection of its own, for what needs a session: migrations, the group commit. */
export async function openClient(connection: Connection, onError: (error: Error) => void): Promise<pg.Client> {
  const client = new pg.Client({ ...connection, ...LIMITS });
  client.on("error", onError);
  await client.connect();
  return client;
}
