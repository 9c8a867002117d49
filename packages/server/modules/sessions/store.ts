import type { Confinement, Limits, Runtime } from "@plastron/contracts";
import type { Database } from "../../database/pool.ts";
import type { NetworkView } from "../runs/network.ts";

export interface SessionRow {
  id: string;
  tenant: string;
  language: Runtime;
  policy: string;
  policy_version: number | null;
  /** What violations say of the policy; null for sessions of an older version. */
  policy_origin: { kind: string; namespace: string; driver: string } | null;
  confinement: Confinement;
  limits: Limits;
  /** What it could reach, as its record tells it. */
  network: NetworkView;
  /** NAME@VERSION of its packages, and their image. Null: the interpreter's own. */
  runtime: string | null;
  image: string | null;
  created_at: Date;
  expires_at: Date;
  closed_at: Date | null;
  close_reason: string | null;
}

export class SessionStore {
  readonly #db: Database;
  constructor(db: Database) {
    this.#db = db;
  }

  async insert(row: Omit<SessionRow, "closed_at" | "close_reason">): Promise<void> {
    await this.#db.transaction().execute(async (tx) => {
      await tx
        .insertInto("sessions")
        .values({
          ...row,
          ...{ policy_origin: JSON.stringify(row.policy_origin), confinement: JSON.stringify(row.confinement), limits: JSON.stringify(row.limits) },
          network: row.network === null ? null : JSON.stringify(row.network),
          ...{ closed_at: null, close_reason: null },
        })
        .execute();
      await tx
        .insertInto("events")
        .values({ tenant: row.tenant, type: "session.opened", subject: row.id, data: JSON.stringify({ language: row.language, policy: row.policy }) })
        .execute();
    });
  }

  async find(tenant: string, id: string): Promise<SessionRow | undefined> {
    return (await this.#db.selectFrom("sessions").selectAll().where("tenant", "=", tenant).where("id", "=", id).executeTakeFirst()) as SessionRow | undefined;
  }

  async list(tenant: string, limit: number, before?: string): Promise<SessionRow[]> {
    let query = this.#db.selectFrom("sessions").selectAll().where("tenant", "=", tenant);
    if (before) query = query.where("id", "<", before);
    return (await query.orderBy("id", "desc").limit(limit).execute()) as SessionRow[];
  }

  /** Deletes what ended more than `days` days ago. */
  async expire(days: number): Promise<void> {
    await this.#db
      .deleteFrom("sessions")
      .where("expires_at", "<", new Date(Date.now() - days * 86_400_000))
      .execute();
  }

  async close(tenant: string, id: string, reason: string): Promise<void> {
    await this.#db.transaction().execute(async (tx) => {
      const changed = await tx
        .updateTable("sessions")
        .set({ closed_at: new Date(), close_reason: reason })
        .where("tenant", "=", tenant)
        .where("id", "=", id)
        .where("closed_at", "is", null)
        .executeTakeFirst();
      if (changed.numUpdatedRows === 0n) return;
      await tx
        .insertInto("events")
        .values({ tenant, type: "session.closed", subject: id, data: JSON.stringify({ reason }) })
        .execute();
    });
  }
}
