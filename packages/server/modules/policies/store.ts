import { sql } from "kysely";
import type { Database } from "../../database/pool.ts";

export interface PolicyRow {
  name: string;
  version: number;
  /** null: this version is a deletion. */
  yaml: string | null;
  upstream_compat: boolean;
  created_at: Date;
  created_by: string;
}

const COLUMNS = ["name", "version", "yaml", "upstream_compat", "created_at", "created_by"] as const;

/** Every change of a policy is told on this channel when it commits: `{tenant, name, version}`. */
export const POLICY_CHANNEL = "plastron_policy";

export class PolicyStore {
  readonly #db: Database;
  constructor(db: Database) {
    this.#db = db;
  }

  /** The newest version, or the given one. */
  latest(tenant: string, name: string, version?: number): Promise<PolicyRow | undefined> {
    let query = this.#db.selectFrom("policy_versions").select(COLUMNS).where("tenant", "=", tenant).where("name", "=", name);
    if (version !== undefined) query = query.where("version", "=", version);
    return query.orderBy("version", "desc").limit(1).executeTakeFirst();
  }

  /** The newest version of each that is not deleted. */
  async list(tenant: string): Promise<PolicyRow[]> {
    const rows = await this.#db
      .selectFrom("policy_versions")
      .distinctOn("name")
      .select(COLUMNS)
      .where("tenant", "=", tenant)
      .orderBy("name")
      .orderBy("version", "desc")
      .limit(1000)
      .execute();
    return rows.filter((row) => row.yaml !== null);
  }

  /** The newest version of each of these that is not deleted, by name. */
  async currentVersions(tenant: string, names: string[]): Promise<Map<string, number>> {
    if (names.length === 0) return new Map();
    const rows = await this.#db
      .selectFrom("policy_versions")
      .distinctOn("name")
      .select(["name", "version", sql<boolean>`yaml is null`.as("deleted")])
      .where("tenant", "=", tenant)
      .where("name", "in", names)
      .orderBy("name")
      .orderBy("version", "desc")
      .execute();
    return new Map(rows.flatMap(({ name, version, deleted }) => (deleted ? [] : [[name, version] as const])));
  }

  /** Adds a version; a text that is the newest already adds none. One writer at a time for each policy. */
  add(tenant: string, name: string, text: Pick<PolicyRow, "yaml" | "upstream_compat">, by: string): Promise<{ row: PolicyRow; changed: boolean }> {
    return this.#db.transaction().execute(async (tx) => {
      await sql`select pg_advisory_xact_lock(hashtextextended(${`policy ${tenant} ${name}`}, 0))`.execute(tx);
      const newest = await new PolicyStore(tx).latest(tenant, name);
      if (newest && newest.yaml === text.yaml && newest.upstream_compat === text.upstream_compat) return { row: newest, changed: false };
      const version = (newest?.version ?? 0) + 1;
      const row = await tx
        .insertInto("policy_versions")
        .values({ tenant, name, version, ...text, created_by: by })
        .returning(COLUMNS)
        .executeTakeFirstOrThrow();
      const type = text.yaml === null ? "policy.deleted" : "policy.stored";
      await tx
        .insertInto("events")
        .values({ tenant, type, subject: name, data: JSON.stringify({ version }) })
        .execute();
      await sql`select pg_notify(${POLICY_CHANNEL}, ${JSON.stringify({ tenant, name, version })})`.execute(tx);
      return { row, changed: true };
    });
  }
}
