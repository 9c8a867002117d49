import { type AnalyserName, type Finding, newId, type ScanProgress, type ScanResult } from "@plastron/contracts";
import type { Matchable } from "@plastron/scan";
import { sql } from "kysely";
import type { Database } from "../../database/pool.ts";
import { storable } from "../../database/storable.ts";
import type { FindingFilter } from "./filter.ts";
import { advisoriesOf, putFindings, putMatchable, tell } from "./written.ts";

export type ScanState = "queued" | "running" | "complete" | "incomplete" | "failed" | "cancelled";

export interface ScanRow {
  id: string;
  artifact: string;
  project: string | null;
  analysers: string[];
  status: ScanState;
  tries: number;
  progress: ScanProgress | null;
  problem: { code: string; detail: string } | null;
  created_at: Date;
  started_at: Date | null;
  finished_at: Date | null;
  created_by: string;
}

/** A scan to be done by whoever claimed it. */
export interface Job {
  id: string;
  tenant: string;
  artifact: string;
  project: string | null;
  analysers: AnalyserName[];
  tries: number;
}

/** The newest ended scan of an artifact. */
export interface Newest {
  id: string;
  result: ScanResult;
}

export interface FindingRow {
  scan: string;
  artifact: string;
  project: string | null;
  position: number;
  data: Finding;
}

const HEADS = [
  "id",
  "artifact",
  "project",
  "analysers",
  "status",
  "tries",
  "progress",
  "problem",
  "created_at",
  "started_at",
  "finished_at",
  "created_by",
] as const;
/** What is to be written together with a result: admissions. */
export type Decided = (tx: Database) => Promise<void>;
/** Who must have looked for a scan to stand for its artifact. */
const WHOLE: readonly AnalyserName[] = ["secrets", "code", "dependencies", "agentware"];

/** Whether a scan like this stands for its artifact, if it ends. */
export function standsForArtifact({ analysers }: Pick<Job, "analysers">): boolean {
  return WHOLE.every((name) => analysers.includes(name));
}

/** Scans as jobs and as records, and their findings. Each change of state is written together with its event. */
export class ScanStore {
  readonly #db: Database;
  constructor(db: Database) {
    this.#db = db;
  }

  async add(tenant: string, by: string, order: { artifact: string; project: string | null; analysers: readonly AnalyserName[] }): Promise<ScanRow> {
    const id = newId("scan");
    await this.#db.transaction().execute(async (tx) => {
      await tx
        .insertInto("scans")
        .values({ id, tenant, ...order, analysers: [...order.analysers], status: "queued", created_by: by })
        .execute();
      await tell(tx, tenant, "scan.queued", id, { by, artifact: order.artifact });
    });
    return (await this.find(tenant, id)) as ScanRow;
  }

  async find(tenant: string, id: string): Promise<ScanRow | undefined> {
    const row = await this.#db.selectFrom("scans").select(HEADS).where("tenant", "=", tenant).where("id", "=", id).executeTakeFirst();
    return row as ScanRow | undefined;
  }

  async list(
    tenant: string,
    filter: { artifact?: string | undefined; project?: string | undefined; status?: ScanState | undefined },
    limit: number,
    before?: string,
  ): Promise<ScanRow[]> {
    let query = this.#db.selectFrom("scans").select(HEADS).where("tenant", "=", tenant).orderBy("id", "desc").limit(limit);
    for (const [column, value] of Object.entries(filter)) if (value !== undefined) query = query.where(column as "artifact", "=", value);
    if (before !== undefined) query = query.where("id", "<", before);
    return (await query.execute()) as unknown as ScanRow[];
  }

  /** Scans of a tenant that are not over. */
  async open(tenant: string): Promise<number> {
    const { n } = await this.#db
      .selectFrom("scans")
      .select(sql<string>`count(*)`.as("n"))
      .where("tenant", "=", tenant)
      .where("status", "in", ["queued", "running"])
      .executeTakeFirstOrThrow();
    return Number(n);
  }

  /** The whole result, or undefined where there is none. */
  async result(tenant: string, id: string): Promise<ScanResult | undefined> {
    const row = await this.#db.selectFrom("scans").select("result").where("tenant", "=", tenant).where("id", "=", id).executeTakeFirst();
    if (!row?.result) return undefined;
    const found = await this.#db.selectFrom("findings").select("data").where("tenant", "=", tenant).where("scan", "=", id).orderBy("position").execute();
    return { ...(row.result as Omit<ScanResult, "findings">), findings: found.map(({ data }) => data as unknown as Finding) };
  }

  /** The newest scan of an artifact that ended. */
  async latest(tenant: string, artifact: string): Promise<Newest | undefined> {
    const query = this.#db.selectFrom("scans").select("id").where("tenant", "=", tenant).where("artifact", "=", artifact).where("latest", "=", true);
    const row = await query.executeTakeFirst();
    const result = row && (await this.result(tenant, row.id));
    return row && result ? { id: row.id, result } : undefined;
  }

  /** Whether it is the newest still and says what it said, until the transaction ends: what is decided by it may be written. */
  async holds(tx: Database, { id, result }: Newest): Promise<boolean> {
    const row = await tx.selectFrom("scans").select(["latest", "advisories"]).where("id", "=", id).forShare().executeTakeFirst();
    return row?.latest === true && row.advisories === advisoriesOf(result);
  }

  /** Takes a scan that waits, of the tenant that has waited longest for its turn: no tenant's flood holds up another. */
  async claim(server: string): Promise<Job | undefined> {
    const { rows } = await sql<Job>`
      update scans set status = 'running', server = ${server}, seen_at = now(), started_at = now(), tries = tries + 1
      where id = (
        select s.id from scans s where s.status = 'queued'
        order by (select count(*) from scans r where r.tenant = s.tenant and r.status = 'running'),
          (select max(r.started_at) from scans r where r.tenant = s.tenant and r.started_at > now() - interval '1 hour') nulls first, s.created_at, s.id
        limit 1 for update skip locked)
      returning id, tenant, artifact, project, analysers, tries`.execute(this.#db);
    return rows[0];
  }

  /** Says that the scan is worked on. False where it is this server's no more: it was cancelled, or taken for lost. */
  async working(id: string, server: string, progress: ScanProgress): Promise<boolean> {
    const done = await this.#db
      .updateTable("scans")
      .set({ seen_at: sql<Date>`now()`, progress: JSON.stringify(progress) })
      .where("id", "=", id)
      .where("server", "=", server)
      .where("status", "=", "running")
      .executeTakeFirst();
    return done.numUpdatedRows > 0n;
  }

  /** Writes the result with its findings, and what is `decided` by it. False where the scan is this server's no more. */
  finish(job: Job, server: string, result: ScanResult, matchable: Matchable | null, decided: Decided): Promise<boolean> {
    return this.#db.transaction().execute(async (tx) => {
      const { findings, ...rest } = result;
      const { tenant, id } = job;
      // A scan by fewer analysers must not hide what the others found: it is looked at by its own id alone.
      const latest = standsForArtifact(job);
      const over = {
        ...{ status: result.status, result: JSON.stringify(storable(rest)), latest, progress: null, finished_at: sql<Date>`now()` },
        advisories: advisoriesOf(result),
      };
      const done = await tx.updateTable("scans").set(over).where("id", "=", id).where("server", "=", server).where("status", "=", "running").executeTakeFirst();
      if (done.numUpdatedRows === 0n) return false;
      await putFindings(tx, tenant, id, findings);
      await tell(tx, tenant, `scan.${result.status}`, id, { artifact: job.artifact, findings: findings.length });
      if (!latest) return true;
      await supersede(tx, job);
      if (matchable) await putMatchable(tx, tenant, id, matchable);
      await decided(tx);
      return true;
    });
  }

  /** Ends a scan without a result. */
  fail(job: Pick<Job, "id" | "tenant">, server: string, problem: { code: string; detail: string }): Promise<boolean> {
    return this.#end(job.tenant, job.id, "failed", { server, problem });
  }

  /** False where it is over already, or there is none. */
  cancel(tenant: string, id: string): Promise<boolean> {
    return this.#end(tenant, id, "cancelled", {});
  }

  /** Puts back scans whose server has not said anything for a while; one that took servers with it thrice is given up. */
  async recover(seconds: number, most: number): Promise<{ again: number; given_up: number }> {
    const lost = sql`status = 'running' and seen_at < now() - make_interval(secs => ${seconds})`;
    const again = await sql<{
      id: string;
    }>`update scans set status = 'queued', server = null, progress = null where ${lost} and tries < ${most} returning id`.execute(this.#db);
    const { rows } = await sql<{ id: string; tenant: string }>`select id, tenant from scans where ${lost} and tries >= ${most}`.execute(this.#db);
    for (const { id, tenant } of rows)
      await this.#end(tenant, id, "failed", { problem: { code: "internal", detail: `the scan ended ${most} servers or was lost as often` } });
    return { again: again.rows.length, given_up: rows.length };
  }

  /** At shutdown: what this server was at is somebody else's now. */
  async release(server: string): Promise<void> {
    await sql`update scans set status = 'queued', server = null, progress = null, tries = tries - 1 where status = 'running' and server = ${server}`.execute(
      this.#db,
    );
  }

  /** Findings of the newest ended scan of each artifact, or of one scan. */
  async findings(
    tenant: string,
    filter: FindingFilter & { projects?: readonly string[] },
    limit: number,
    after?: { scan: string; position: number },
  ): Promise<FindingRow[]> {
    let query = this.#db
      .selectFrom("findings as f")
      .innerJoin("scans as s", "s.id", "f.scan")
      .select(["f.scan", "f.position", "f.data", "s.artifact", "s.project"])
      .where("f.tenant", "=", tenant)
      .where("s.tenant", "=", tenant)
      .orderBy("f.scan", "desc")
      .orderBy("f.position")
      .limit(limit);
    const { scan, artifact, project, projects, severity, cve, text, package: name, rule, ...plain } = filter;
    query = scan === undefined ? query.where("s.latest", "=", true) : query.where("f.scan", "=", scan);
    for (const [column, value] of Object.entries(plain)) if (value !== undefined) query = query.where(`f.${column}` as "f.analyser", "=", value);
    if (artifact !== undefined) query = query.where("s.artifact", "=", artifact);
    if (projects !== undefined) query = query.where(sql<boolean>`s.project = any (${projects})`);
    if (project !== undefined) query = query.where("s.project", "=", project);
    if (severity !== undefined) query = query.where("f.severity", "in", severity);
    if (name !== undefined) query = query.where("f.package", "=", name);
    if (rule !== undefined) query = query.where(sql<boolean>`(f.rule = ${rule} or starts_with(f.rule, ${`${rule}/`}))`);
    if (cve !== undefined) query = query.where(sql<boolean>`${cve} = any(f.names)`);
    if (text !== undefined) query = query.where(sql<boolean>`position(lower(${text}) in lower(f.title || ' ' || f.path)) > 0`);
    if (after) query = query.where(sql<boolean>`(f.scan < ${after.scan} or (f.scan = ${after.scan} and f.position > ${after.position}))`);
    return (await query.execute()) as unknown as FindingRow[];
  }

  #end(
    tenant: string,
    id: string,
    status: "failed" | "cancelled",
    { server, problem }: { server?: string; problem?: { code: string; detail: string } },
  ): Promise<boolean> {
    return this.#db.transaction().execute(async (tx) => {
      let query = tx
        .updateTable("scans")
        .set({ status, progress: null, finished_at: sql<Date>`now()`, problem: problem ? JSON.stringify(problem) : null })
        .where("tenant", "=", tenant)
        .where("id", "=", id)
        .where("status", "in", ["queued", "running"]);
      if (server !== undefined) query = query.where("server", "=", server);
      if ((await query.executeTakeFirst()).numUpdatedRows === 0n) return false;
      await tell(tx, tenant, `scan.${status}`, id, problem ?? {});
      return true;
    });
  }
}

/** Older scans of the artifact stay as records; only the newest is held against new advisories. */
async function supersede(tx: Database, { id, tenant, artifact }: Job): Promise<void> {
  const older = await tx
    .updateTable("scans")
    .set({ latest: false })
    .where("tenant", "=", tenant)
    .where("artifact", "=", artifact)
    .where("latest", "=", true)
    .where("id", "<>", id)
    .returning("id")
    .execute();
  if (older.length === 0) return;
  const ids = older.map((each) => each.id);
  await tx.deleteFrom("scan_matchables").where("scan", "in", ids).execute();
}
