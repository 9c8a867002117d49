import { newId, type Problem, type RunStatus, runStatusSchema } from "@plastron/contracts";
import { sql } from "kysely";
import type { Database } from "../../database/pool.ts";
import type { NetworkView } from "./network.ts";
import { accountOf, type RunHead, type RunSummary, type RunView, type StoredResult, summaryOf } from "./view.ts";

export interface RunFilter {
  status?: RunStatus;
  language?: string;
  session_id?: string;
  since?: string;
  until?: string;
  /** The id of the last run that the caller has: ids sort by time. */
  before?: string;
  limit: number;
}

const SUMMARY = [
  "id",
  "status",
  "language",
  "runtime",
  "project",
  "artifact",
  "network",
  "session_id",
  "policy",
  "policy_version",
  "policy_sha256",
  "code_sha256",
  "created_at",
  "finished_at",
  "result",
  "problem",
] as const;

const EXPIRE_STEP = 1_000;

/** Reads the records of runs; group-commit.ts writes them. */
export class RunStore {
  readonly #db: Database;
  constructor(db: Database) {
    this.#db = db;
  }

  async find(tenant: string, id: string): Promise<RunView | undefined> {
    const row = await this.#db
      .selectFrom("runs")
      .select([...SUMMARY, "stdout", "stderr", "artifacts"])
      .where("tenant", "=", tenant)
      .where("id", "=", id)
      .executeTakeFirst();
    if (row === undefined) return undefined;
    const artifacts = (row.artifacts ?? []) as RunView["artifacts"];
    const account = accountOf((row as SummaryRow).result);
    return { ...summary(row as SummaryRow), ...account, stdout: row.stdout?.toString("utf8") ?? "", stderr: row.stderr?.toString("utf8") ?? "", artifacts };
  }

  /** Newest first. */
  async list(tenant: string, filter: RunFilter): Promise<RunSummary[]> {
    let query = this.#db.selectFrom("runs").select(SUMMARY).where("tenant", "=", tenant);
    if (filter.status) query = query.where("status", "=", filter.status);
    if (filter.language) query = query.where("language", "=", filter.language);
    if (filter.session_id) query = query.where("session_id", "=", filter.session_id);
    if (filter.since) query = query.where("created_at", ">=", new Date(filter.since));
    if (filter.until) query = query.where("created_at", "<", new Date(filter.until));
    if (filter.before) query = query.where("id", "<", filter.before);
    const rows = await query.orderBy("id", "desc").limit(filter.limit).execute();
    return rows.map((row) => summary(row as SummaryRow));
  }

  /**
   * Deletes what was made more than `days` days ago and has ended, in steps, so that no lock is held for long.
   * Events stay: they hold no output, and others read them in order.
   */
  async expire(days: number): Promise<void> {
    for (let deleted = EXPIRE_STEP; deleted === EXPIRE_STEP; ) {
      const result = await sql`
        delete from runs where id = any(array(
          select id from runs
          where id < ${newId("run", Date.now() - days * 86_400_000)} and finished_at is not null
          order by id limit ${EXPIRE_STEP}
        ))`.execute(this.#db);
      deleted = Number(result.numAffectedRows ?? 0n);
    }
  }

  /**
   * Runs of this server that the database thinks are running but that are not: the server died under them, or could not write their end.
   * `older` keeps a run that is just being admitted out of it.
   */
  async markLost(server: string, live: string[], older: { seconds: number }): Promise<number> {
    return this.#db.transaction().execute(async (tx) => {
      const rows = await tx
        .updateTable("runs")
        .set({ status: "lost", finished_at: new Date() })
        .where("server", "=", server)
        .where("status", "=", "running")
        .where("created_at", "<", sql<Date>`now() - make_interval(secs => ${older.seconds})`)
        .$if(live.length > 0, (query) => query.where("id", "not in", live))
        .returning(["id", "tenant"])
        .execute();
      if (rows.length > 0) {
        await tx
          .insertInto("events")
          .values(rows.map((row) => ({ tenant: row.tenant, type: "run.finished", subject: row.id, data: JSON.stringify({ status: "lost" }) })))
          .execute();
      }
      return rows.length;
    });
  }
}

interface SummaryRow {
  id: string;
  status: string;
  language: RunHead["language"];
  runtime: string | null;
  project: string | null;
  artifact: string | null;
  network: NetworkView;
  session_id: string | null;
  policy: string;
  policy_version: number | null;
  policy_sha256: string | null;
  code_sha256: string;
  created_at: Date;
  finished_at: Date | null;
  result: StoredResult | null;
  problem: Problem | null;
}

function summary(row: SummaryRow): RunSummary {
  const head: RunHead = {
    ...{
      id: row.id,
      language: row.language,
      runtime: row.runtime,
      project: row.project,
      artifact: row.artifact,
      network: row.network,
      session_id: row.session_id,
    },
    policy: { name: row.policy, version: row.policy_version, ...(row.policy_sha256 === null ? {} : { sha256: row.policy_sha256 }) },
    ...{ code_sha256: row.code_sha256, created_at: row.created_at.toISOString() },
  };
  return summaryOf(head, runStatusSchema.parse(row.status), row.finished_at?.toISOString() ?? null, row.result, row.problem);
}
