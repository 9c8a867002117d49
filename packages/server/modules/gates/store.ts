import type { GateDecision } from "@plastron/contracts";
import type { Database } from "../../database/pool.ts";

export interface ProjectRow {
  name: string;
  admission: "open" | "passed";
  gate: string | null;
  environment: string | null;
  updated_at: Date;
  updated_by: string;
}

export interface AdmissionRow {
  project: string;
  artifact: string;
  decision: GateDecision["decision"];
  reasons: GateDecision["reasons"];
  policy_sha256: string;
  scan: string;
  valid_until: Date | null;
  decided_at: Date;
}

const PROJECT = ["name", "admission", "gate", "environment", "updated_at", "updated_by"] as const;
const ADMISSION = ["project", "artifact", "decision", "reasons", "policy_sha256", "scan", "valid_until", "decided_at"] as const;
const EVENTS: Readonly<Record<GateDecision["decision"], string>> = { pass: "gate.passed", deny: "gate.denied", hold: "gate.held" };

/** Projects and what was decided for them. Each change is written together with its event. */
export class GateStore {
  readonly #db: Database;
  constructor(db: Database) {
    this.#db = db;
  }

  async project(tenant: string, name: string): Promise<ProjectRow | undefined> {
    return (await this.#db.selectFrom("projects").select(PROJECT).where("tenant", "=", tenant).where("name", "=", name).executeTakeFirst()) as
      | ProjectRow
      | undefined;
  }

  async projects(tenant: string): Promise<ProjectRow[]> {
    return (await this.#db.selectFrom("projects").select(PROJECT).where("tenant", "=", tenant).orderBy("name").limit(1000).execute()) as ProjectRow[];
  }

  put(tenant: string, by: string, project: Pick<ProjectRow, "name" | "admission" | "gate" | "environment">): Promise<void> {
    return this.#db.transaction().execute(async (tx) => {
      const { name, ...more } = project;
      const values = { ...more, updated_by: by, updated_at: new Date() };
      await tx
        .insertInto("projects")
        .values({ tenant, name, ...values })
        .onConflict((conflict) => conflict.columns(["tenant", "name"]).doUpdateSet(values))
        .execute();
      const data = JSON.stringify({ by, admission: project.admission });
      await tx.insertInto("events").values({ tenant, type: "project.put", subject: name, data }).execute();
    });
  }

  /** False where there is none. */
  remove(tenant: string, name: string, by: string): Promise<boolean> {
    return this.#db.transaction().execute(async (tx) => {
      const gone = await tx.deleteFrom("projects").where("tenant", "=", tenant).where("name", "=", name).executeTakeFirst();
      if (gone.numDeletedRows === 0n) return false;
      await tx
        .insertInto("events")
        .values({ tenant, type: "project.removed", subject: name, data: JSON.stringify({ by }) })
        .execute();
      return true;
    });
  }

  async admission(tenant: string, project: string, artifact: string): Promise<AdmissionRow | undefined> {
    const query = this.#db
      .selectFrom("admissions")
      .select(ADMISSION)
      .where("tenant", "=", tenant)
      .where("project", "=", project)
      .where("artifact", "=", artifact);
    return (await query.executeTakeFirst()) as AdmissionRow | undefined;
  }

  /** The artifact that passed last under this very policy, other than this one: what it had counts as known. */
  async lastPassed(tenant: string, project: string, but: string, policy: string): Promise<AdmissionRow | undefined> {
    const row = await this.#db
      .selectFrom("admissions")
      .select(ADMISSION)
      .where("tenant", "=", tenant)
      .where("project", "=", project)
      .where("artifact", "<>", but)
      .where("decision", "=", "pass")
      .where("policy_sha256", "=", policy)
      .orderBy("decided_at", "desc")
      .limit(1)
      .executeTakeFirst();
    return row as AdmissionRow | undefined;
  }

  /** Newest first. */
  async admissions(tenant: string, project: string, limit: number): Promise<AdmissionRow[]> {
    const query = this.#db.selectFrom("admissions").select(ADMISSION).where("tenant", "=", tenant).where("project", "=", project);
    return (await query.orderBy("decided_at", "desc").limit(limit).execute()) as AdmissionRow[];
  }

  decide(tenant: string, row: Omit<AdmissionRow, "decided_at">): Promise<void> {
    return this.#db.transaction().execute(async (tx) => {
      const values = { ...row, reasons: JSON.stringify(row.reasons), decided_at: new Date() };
      const { project: _, artifact: __, ...changed } = values;
      await tx
        .insertInto("admissions")
        .values({ tenant, ...values })
        .onConflict((conflict) => conflict.columns(["tenant", "project", "artifact"]).doUpdateSet(changed))
        .execute();
      const data = JSON.stringify({ project: row.project, scan: row.scan, rules: row.reasons.map(({ rule }) => rule) });
      await tx.insertInto("events").values({ tenant, type: EVENTS[row.decision], subject: row.artifact, data }).execute();
    });
  }
}
