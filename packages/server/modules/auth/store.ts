import type { Database } from "../../database/pool.ts";
import type { Scope } from "./principal.ts";

/** A key as it is kept: everything but the secret. */
export interface KeyRow {
  id: string;
  tenant: string;
  name: string;
  scopes: Scope[];
  hash: string;
  preset: boolean;
  created_at: Date;
  revoked_at: Date | null;
  project: string | null;
}

const COLUMNS = ["id", "tenant", "name", "scopes", "hash", "preset", "created_at", "revoked_at", "project"] as const;

export class KeyStore {
  readonly #db: Database;
  constructor(db: Database) {
    this.#db = db;
  }

  async byId(id: string): Promise<KeyRow | undefined> {
    return (await this.#db.selectFrom("api_keys").select(COLUMNS).where("id", "=", id).executeTakeFirst()) as KeyRow | undefined;
  }

  /** Keys that the environment preset: there are at most a few, and they carry no id. */
  async presets(): Promise<KeyRow[]> {
    return (await this.#db.selectFrom("api_keys").select(COLUMNS).where("preset", "=", true).where("revoked_at", "is", null).execute()) as KeyRow[];
  }

  async list(tenant: string): Promise<KeyRow[]> {
    return (await this.#db.selectFrom("api_keys").select(COLUMNS).where("tenant", "=", tenant).orderBy("id", "desc").limit(1000).execute()) as KeyRow[];
  }

  async insert(key: Omit<KeyRow, "created_at" | "revoked_at">): Promise<Date> {
    return this.#db.transaction().execute(async (tx) => {
      const row = await tx
        .insertInto("api_keys")
        .values({ ...key, revoked_at: null })
        .returning("created_at")
        .executeTakeFirstOrThrow();
      await tx
        .insertInto("events")
        .values({ tenant: key.tenant, type: "key.created", subject: key.id, data: JSON.stringify({ scopes: key.scopes, project: key.project ?? undefined }) })
        .execute();
      return row.created_at;
    });
  }

  /** A preset key has a fixed id: a new value replaces the old one. */
  async putPreset(key: Omit<KeyRow, "created_at" | "revoked_at" | "preset">): Promise<void> {
    await this.#db
      .insertInto("api_keys")
      .values({ ...key, preset: true, revoked_at: null })
      .onConflict((conflict) => conflict.column("id").doUpdateSet({ hash: key.hash, revoked_at: null }))
      .execute();
  }

  async revoke(tenant: string, id: string): Promise<boolean> {
    return this.#db.transaction().execute(async (tx) => {
      const changed = await tx
        .updateTable("api_keys")
        .set({ revoked_at: new Date() })
        .where("id", "=", id)
        .where("tenant", "=", tenant)
        .where("revoked_at", "is", null)
        .executeTakeFirst();
      if (changed.numUpdatedRows === 0n) return false;
      await tx.insertInto("events").values({ tenant, type: "key.revoked", subject: id }).execute();
      return true;
    });
  }

  async hasAdmin(tenant: string): Promise<boolean> {
    const row = await this.#db
      .selectFrom("api_keys")
      .select("id")
      .where("tenant", "=", tenant)
      .where("revoked_at", "is", null)
      .where((where) => where(where.val("admin"), "=", where.fn.any("scopes")))
      .executeTakeFirst();
    return row !== undefined;
  }
}
