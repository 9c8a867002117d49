import type { Database } from "../../database/pool.ts";

export class TenantStore {
  readonly #db: Database;
  constructor(db: Database) {
    this.#db = db;
  }

  async exists(id: string): Promise<boolean> {
    return (await this.#db.selectFrom("tenants").select("id").where("id", "=", id).executeTakeFirst()) !== undefined;
  }

  list(): Promise<{ id: string; created_at: Date }[]> {
    return this.#db.selectFrom("tenants").select(["id", "created_at"]).orderBy("id").limit(10_000).execute();
  }

  /** undefined where it exists. */
  insert(id: string): Promise<{ id: string; created_at: Date } | undefined> {
    return this.#db.transaction().execute(async (tx) => {
      const row = await tx
        .insertInto("tenants")
        .values({ id })
        .onConflict((conflict) => conflict.doNothing())
        .returning(["id", "created_at"])
        .executeTakeFirst();
      if (row) await tx.insertInto("events").values({ tenant: id, type: "tenant.created", subject: id }).execute();
      return row;
    });
  }
}
