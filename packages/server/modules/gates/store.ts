import type { GateDecision } from "@plastron/contracts";
import type { Database } from "../../database/pool.ts";
import { storable } from "../../database/storable.ts";

export interface ProjectRow {
  name: string;
  admission: "open" | "passed";
  gate: string | null;
  environment: string | null;
  exemptions: string | null;
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

/** What a project says of itself. */
export type ProjectSettings = Pick<ProjectRow, "name" | "admission" | "gate" | "environment" | "exemptions">;

/** Why it was decided: somebody asked, a scan ended, advisories changed, or something that a pass leant on is over. */
export type Because = "asked" | "scan" | "advisories" | "time";

export type Decision = Omit<AdmissionRow, "decided_at">;

const PROJECT = ["name", "admission", "gate", "environment", "exemptions", "updated_at", "updated_by"] as const;
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

  /** `exempted` are the ids of its exemptions. */
  put(tenant: string, by: string, project: ProjectSettings, exempted: readonly string[]): Promise<void> {
    return this.#db.transaction().execute(async (tx) => {
      const { name, ...more } = project;
      const values = { ...more, updated_by: by, updated_at: new Date() };
      await tx
        .insertInto("projects")
        .values({ tenant, name, ...values })
        .onConflict((conflict) => conflict.columns(["tenant", "name"]).doUpdateSet(values))
        .execute();
      const data = JSON.stringify({ by, admission: project.admission, exemptions: exempted });
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

  /** Names of the projects that have judged an artifact. */
  async judging(tenant: string, artifact: string): Promise<string[]> {
    const rows = await this.#db
      .selectFrom("admissions")
      .select("project")
      .where("tenant", "=", tenant)
      .where("artifact", "=", artifact)
      .orderBy("project")
      .execute();
    return rows.map(({ project }) => project);
  }

  /** Passes that what they lean on has run out for. */
  async runOut(now: Date, limit: number): Promise<{ tenant: string; project: string; artifact: string }[]> {
    const query = this.#db.selectFrom("admissions").select(["tenant", "project", "artifact"]).where("decision", "=", "pass").where("valid_until", "<=", now);
    return query.orderBy("valid_until").limit(limit).execute();
  }

  transaction<Result>(work: (tx: Database) => Promise<Result>): Promise<Result> {
    return this.#db.transaction().execute(work);
  }
}

/** Writes a decision with its event. `changes`: no event where the same was decided before. A project that was removed meanwhile has none. */
export async function putDecision(tx: Database, tenant: string, row: Decision, because: Because, tell: "always" | "changes"): Promise<void> {
  const { project, artifact } = row;
  const there = await tx.selectFrom("projects").select("name").where("tenant", "=", tenant).where("name", "=", project).forKeyShare().executeTakeFirst();
  if (!there) return;
  const before = await tx
    .selectFrom("admissions")
    .select(["decision", "reasons"])
    .where("tenant", "=", tenant)
    .where("project", "=", project)
    .where("artifact", "=", artifact)
    .executeTakeFirst();
  const values = { ...row, reasons: JSON.stringify(storable(row.reasons)), decided_at: new Date() };
  const { project: _, artifact: __, ...changed } = values;
  await tx
    .insertInto("admissions")
    .values({ tenant, ...values })
    .onConflict((conflict) => conflict.columns(["tenant", "project", "artifact"]).doUpdateSet(changed))
    .execute();
  if (tell === "changes" && before?.decision === row.decision && JSON.stringify(before.reasons) === values.reasons) return;
  const reasons = row.reasons.map(({ rule, message }) => ({ rule, message }));
  const data = { project, scan: row.scan, because, before: before?.decision ?? null, rules: row.reasons.map(({ rule }) => rule), reasons };
  await tx
    .insertInto("events")
    .values({ tenant, type: EVENTS[row.decision], subject: artifact, data: JSON.stringify(storable(data)) })
    .execute();
}
