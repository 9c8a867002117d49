import { type GateDecision, newId } from "@plastron/contracts";
import { sql } from "kysely";
import type { Database } from "../../database/pool.ts";
import type { Delivery, ToldChange } from "./delivery.ts";

export type ChangeState = "queued" | "running" | "passed" | "denied" | "held" | "failed" | "superseded";

export interface Binding {
  repository_id: number;
  repository: string;
  installation: number;
  tenant: string;
  project: string;
  bound_at: Date;
  bound_by: string;
}

/** A change to be judged by whoever claimed it. */
export interface Job {
  id: string;
  tenant: string;
  project: string;
  repository_id: number;
  repository: string;
  installation: number;
  line: string;
  target: string | null;
  number: number | null;
  base: string | null;
  head: string;
  tries: number;
  check_run: number | null;
  created_at: Date;
}

export interface ChangeRow {
  id: string;
  project: string;
  repository: string;
  line: string;
  target: string | null;
  number: number | null;
  base: string | null;
  head: string;
  status: ChangeState;
  decision: GateDecision | null;
  problem: { code: string; detail: string } | null;
  created_at: Date;
  started_at: Date | null;
  finished_at: Date | null;
}

/** How a change's judging ended. */
export type End =
  | { readonly status: "passed" | "denied" | "held"; readonly decision: GateDecision }
  | { readonly status: "failed" | "superseded"; readonly problem: { readonly code: string; readonly detail: string } };

const FORGE = "github";
const BINDING = ["repository_id", "repository", "installation", "tenant", "project", "bound_at", "bound_by"] as const;
const ROW = [
  "id",
  "project",
  "repository",
  "line",
  "target",
  "number",
  "base",
  "head",
  "status",
  "decision",
  "problem",
  "created_at",
  "started_at",
  "finished_at",
] as const;
const JOB = sql.raw("id, tenant, project, repository_id, repository, installation, line, target, number, base, head, tries, check_run, created_at");

/** Repositories that are bound to projects, what was delivered, and the changes that are judged. Each change of state is written together with its event. */
export class ForgeStore {
  readonly #db: Database;
  constructor(db: Database) {
    this.#db = db;
  }

  bind(by: string, binding: Omit<Binding, "bound_at" | "bound_by">): Promise<void> {
    return this.#db.transaction().execute(async (tx) => {
      const before = await tx
        .deleteFrom("forge_repositories")
        .where("forge", "=", FORGE)
        .where("repository_id", "=", String(binding.repository_id))
        .returning(["tenant", "project", "repository"])
        .executeTakeFirst();
      if (before && before.tenant !== binding.tenant) await tell(tx, before.tenant, "repository.unbound", before.repository, { by, project: before.project });
      const { repository_id, installation, ...rest } = binding;
      await tx
        .insertInto("forge_repositories")
        .values({ forge: FORGE, ...rest, repository_id: String(repository_id), installation: String(installation), bound_by: by })
        .execute();
      await tell(tx, binding.tenant, "repository.bound", binding.repository, { by, project: binding.project });
    });
  }

  /** False where the tenant has none of that name. */
  unbind(tenant: string, repository: string, by: string): Promise<boolean> {
    return this.#db.transaction().execute(async (tx) => {
      const gone = await tx
        .deleteFrom("forge_repositories")
        .where("tenant", "=", tenant)
        .where(sql`lower(repository)`, "=", repository.toLowerCase())
        .returning(["repository", "project"])
        .execute();
      for (const { repository: name, project } of gone) await tell(tx, tenant, "repository.unbound", name, { by, project });
      return gone.length > 0;
    });
  }

  async bindings(tenant: string): Promise<Binding[]> {
    const rows = await this.#db.selectFrom("forge_repositories").select(BINDING).where("tenant", "=", tenant).orderBy("repository").limit(1000).execute();
    return rows.map(numbers) as unknown as Binding[];
  }

  /**
   * Acts on a delivery, once: it, what it asks for and the events are written together. Of a repository that is not bound, or that another installation
   * speaks for, nothing is kept.
   */
  take(delivery: { id: string; event: string; sha256: Buffer }, told: Delivery): Promise<"known" | "ignored" | { queued: string[] }> {
    return this.#db.transaction().execute(async (tx) => {
      const binding = await bindingOf(tx, told);
      if (!binding || told.wish.do === "nothing") return "ignored";
      const values = { forge: FORGE, delivery: delivery.id, body_sha256: delivery.sha256, event: delivery.event };
      const first = await tx
        .insertInto("forge_deliveries")
        .values(values)
        .onConflict((conflict) => conflict.doNothing())
        .executeTakeFirst();
      if (first.numInsertedOrUpdatedRows === 0n) return "known";
      const { wish } = told;
      const changes = wish.do === "judge" ? [wish.change] : await judgedBefore(tx, binding, wish);
      const queued: string[] = [];
      for (const { line, target, number, base, head } of changes) {
        const id = newId("change");
        const where = { forge: FORGE, tenant: binding.tenant, project: binding.project, repository: binding.repository };
        const ids = { repository_id: String(binding.repository_id), installation: String(binding.installation) };
        await tx
          .insertInto("forge_changes")
          .values({ id, ...where, ...ids, line, target, number, base, head, delivery: delivery.id, status: "queued" })
          .execute();
        await tell(tx, binding.tenant, "change.queued", id, { forge: FORGE, project: binding.project, repository: binding.repository, line, head });
        queued.push(id);
      }
      return { queued };
    });
  }

  async changes(
    tenant: string,
    filter: { project?: string | undefined; status?: ChangeState | undefined },
    limit: number,
    before?: string,
  ): Promise<ChangeRow[]> {
    let query = this.#db.selectFrom("forge_changes").select(ROW).where("tenant", "=", tenant).orderBy("id", "desc").limit(limit);
    if (filter.project !== undefined) query = query.where("project", "=", filter.project);
    if (filter.status !== undefined) query = query.where("status", "=", filter.status);
    if (before !== undefined) query = query.where("id", "<", before);
    return (await query.execute()) as unknown as ChangeRow[];
  }

  async change(tenant: string, id: string): Promise<ChangeRow | undefined> {
    const query = this.#db.selectFrom("forge_changes").select(ROW).where("tenant", "=", tenant).where("id", "=", id);
    return (await query.executeTakeFirst()) as unknown as ChangeRow | undefined;
  }

  async expire(days: number): Promise<void> {
    await sql`delete from forge_changes where finished_at < now() - make_interval(days => ${days})`.execute(this.#db);
    // GitHub sends again what is three days old at most.
    await sql`delete from forge_deliveries where at < now() - make_interval(days => ${Math.max(days, 90)})`.execute(this.#db);
  }
}

/** The binding that a delivery may speak for. A repository keeps its number when it is renamed, and changes its installation when it changes hands. */
async function bindingOf(tx: Database, { installation, repository }: Delivery): Promise<Binding | undefined> {
  const row = await tx
    .updateTable("forge_repositories")
    .set({ repository: repository.name })
    .where("forge", "=", FORGE)
    .where("repository_id", "=", String(repository.id))
    .where("installation", "=", String(installation))
    .returning(BINDING)
    .executeTakeFirst();
  return row && (numbers(row) as unknown as Binding);
}

/** The newest state of each line that has this head, or the one change, of this repository and no other. */
async function judgedBefore(tx: Database, { repository_id, tenant }: Binding, which: { id?: string; head?: string }): Promise<ToldChange[]> {
  let query = tx
    .selectFrom("forge_changes")
    .distinctOn("line")
    .select(["line", "target", "number", "base", "head"])
    .where("forge", "=", FORGE)
    .where("repository_id", "=", String(repository_id))
    .where("tenant", "=", tenant)
    .orderBy("line")
    .orderBy("id", "desc");
  if (which.id !== undefined) query = query.where("id", "=", which.id);
  if (which.head !== undefined) query = query.where("head", "=", which.head);
  return query.limit(100).execute();
}

/** PostgreSQL's bigint comes as text; the forge's numbers are all far below 2^53. */
export function numbers<Row extends object>(row: Row): Row {
  const big = ["repository_id", "installation", "check_run"];
  return Object.fromEntries(Object.entries(row).map(([key, value]) => [key, big.includes(key) && value !== null ? Number(value) : value])) as Row;
}

export async function tell(tx: Database, tenant: string, type: string, subject: string, data: object): Promise<void> {
  await tx
    .insertInto("events")
    .values({ tenant, type, subject, data: JSON.stringify(data) })
    .execute();
}

export { FORGE, JOB };
