import { sql } from "kysely";
import type { Database } from "../../database/pool.ts";

export interface IdempotencyRow {
  request_sha256: string;
  server: string;
  status: number | null;
  answer: string | null;
}

export class IdempotencyStore {
  readonly #db: Database;
  constructor(db: Database) {
    this.#db = db;
  }

  /** True where this call made the row, so the request is the first. */
  async claim(tenant: string, key: string, request_sha256: string, server: string): Promise<boolean> {
    const made = await this.#db
      .insertInto("idempotency")
      .values({ tenant, key, request_sha256, server, status: null, answer: null })
      .onConflict((conflict) => conflict.doNothing())
      .executeTakeFirst();
    return made.numInsertedOrUpdatedRows === 1n;
  }

  find(tenant: string, key: string): Promise<IdempotencyRow | undefined> {
    return this.#db
      .selectFrom("idempotency")
      .select(["request_sha256", "server", "status", "answer"])
      .where("tenant", "=", tenant)
      .where("key", "=", key)
      .executeTakeFirst();
  }

  async complete(tenant: string, key: string, status: number, answer: string): Promise<void> {
    await this.#db.updateTable("idempotency").set({ status, answer }).where("tenant", "=", tenant).where("key", "=", key).execute();
  }

  async release(tenant: string, key: string): Promise<void> {
    await this.#db.deleteFrom("idempotency").where("tenant", "=", tenant).where("key", "=", key).execute();
  }

  async expire(): Promise<void> {
    await this.#db.deleteFrom("idempotency").where("created_at", "<", sql<Date>`now() - interval '24 hours'`).execute();
  }
}
