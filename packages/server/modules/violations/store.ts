import { sql } from "kysely";
import type { Database } from "../../database/pool.ts";
import type { ViolationRecord } from "./record.ts";

export interface ViolationFilter {
  run_id?: string;
  rule?: string;
  action?: string;
  since?: string;
  /** The last violation that the caller has. */
  before?: { run: string; n: number };
  limit: number;
}

export interface StoredViolation {
  run_id: string;
  n: number;
  recorded_at: Date;
  record: ViolationRecord;
}

const NUMBER = sql<number>`(data->>'n')::integer`;

/** Reads violations from the events; group-commit.ts writes them. */
export class ViolationStore {
  readonly #db: Database;
  constructor(db: Database) {
    this.#db = db;
  }

  /** Of the newest run first, and within a run the newest first. */
  async list(tenant: string, { run_id, rule, action, since, before, limit }: ViolationFilter): Promise<StoredViolation[]> {
    let query = this.#db
      .selectFrom("events")
      .select(["subject", "at", "data", NUMBER.as("n")])
      .where("tenant", "=", tenant)
      .where("type", "=", sql.lit("violation"));
    if (run_id) query = query.where("subject", "=", run_id);
    if (rule) query = query.where(sql<boolean>`data->>'ruleId' = ${rule}`);
    if (action) query = query.where(sql<boolean>`data->>'action' = ${action}`);
    if (since) query = query.where("at", ">=", new Date(since));
    if (before) query = query.where(sql<boolean>`(subject, ${NUMBER}) < (${before.run}, ${before.n}::integer)`);
    const rows = await query.orderBy("subject", "desc").orderBy(NUMBER, "desc").limit(limit).execute();
    return rows.map(({ subject, at, data, n }) => ({ run_id: subject, n, recorded_at: at, record: data as ViolationRecord }));
  }
}
