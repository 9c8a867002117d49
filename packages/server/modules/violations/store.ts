import { sql } from "kysely";
import type { Database } from "../../database/pool.ts";
import { conditionsOf, type ViolationFilter } from "./filter.ts";
import type { ViolationData } from "./record.ts";

export interface StoredViolation {
  run_id: string;
  n: number;
  recorded_at: Date;
  data: ViolationData;
}

/**
 * A place in the order of what was recorded (migrations/0003): after everything of an earlier transaction, and what this one had
 * written up to `seq`. Both are numbers in decimal.
 */
export interface Position {
  tx: string;
  seq: string;
}

export interface Batch {
  violations: (StoredViolation & { position: Position })[];
  /** Where to go on, past what the filter left out. */
  next: Position;
}

const NUMBER = sql<number>`(data->>'n')::integer`;

/** Reads violations from the events; group-commit.ts writes them. */
export class ViolationStore {
  readonly #db: Database;
  constructor(db: Database) {
    this.#db = db;
  }

  /** Of the newest run first, and within a run the newest first. `before`: the last violation that the caller has. */
  async list(tenant: string, filter: ViolationFilter, { before, limit }: { before?: { run: string; n: number }; limit: number }): Promise<StoredViolation[]> {
    let query = this.#db
      .selectFrom("events")
      .select(["subject", "at", "data", NUMBER.as("n")])
      .where("tenant", "=", tenant)
      .where("type", "=", sql.lit("violation"));
    for (const condition of conditionsOf(filter)) query = query.where(condition);
    if (before) query = query.where(sql<boolean>`(subject, ${NUMBER}) < (${before.run}, ${before.n}::integer)`);
    const rows = await query.orderBy("subject", "desc").orderBy(NUMBER, "desc").limit(limit).execute();
    return rows.map(({ subject, at, data, n }) => ({ run_id: subject, n, recorded_at: at, data: data as ViolationData }));
  }

  /** The end of what can be read now. */
  async end(): Promise<Position> {
    const { rows } = await sql<{ tx: string }>`select pg_snapshot_xmin(pg_current_snapshot())::text as tx`.execute(this.#db);
    return { tx: (rows[0] as { tx: string }).tx, seq: "0" };
  }

  /** The next violations of a tenant, the oldest first, of transactions before which none is open any more. */
  async after(tenant: string, filter: ViolationFilter, { tx, seq }: Position, limit: number): Promise<Batch> {
    const where = sql.join([sql<boolean>`true`, ...conditionsOf(filter)], sql` and `);
    const { rows } = await sql<Row>`
      select now.tx::text as horizon, e.*
      from (select pg_snapshot_xmin(pg_current_snapshot()) as tx) as now
      left join lateral (
        select events.tx::text as tx, seq::text as seq, subject, at, data
        from events
        where tenant = ${tenant} and type = 'violation' and (events.tx, events.seq) > (${tx}::text::xid8, ${seq}::bigint) and events.tx < now.tx and ${where}
        order by events.tx, events.seq limit ${limit}
      ) as e on true`.execute(this.#db);
    const found = rows.flatMap((row) => (row.tx === null ? [] : [row as Found]));
    const violations = found.map((row) => ({
      ...{ run_id: row.subject, n: row.data.n, recorded_at: row.at, data: row.data },
      position: { tx: row.tx, seq: row.seq },
    }));
    const last = violations.at(-1);
    const horizon = { tx: (rows[0] as Row).horizon, seq: "0" };
    return { violations, next: last && violations.length === limit ? last.position : later(horizon, { tx, seq }) };
  }
}

interface Found {
  horizon: string;
  tx: string;
  seq: string;
  subject: string;
  at: Date;
  data: ViolationData;
}
type Row = Found | (Pick<Found, "horizon"> & { tx: null });

/** A reader that came with a place that is yet to come waits there. */
function later(a: Position, b: Position): Position {
  return BigInt(a.tx) > BigInt(b.tx) ? a : b;
}
