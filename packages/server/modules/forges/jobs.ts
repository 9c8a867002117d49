import { sql } from "kysely";
import type { Database } from "../../database/pool.ts";
import { storable } from "../../database/storable.ts";
import type { Jobs } from "../../jobs/worker.ts";
import { type End, FORGE, JOB, type Job, numbers, tell } from "./store.ts";

/** The changes as jobs. */
export class ChangeJobs implements Jobs<Job, null> {
  readonly #db: Database;
  constructor(db: Database) {
    this.#db = db;
  }

  /** The next change, of the tenant that has waited longest for its turn: no repository's flood holds up another tenant. */
  async claim(server: string): Promise<Job | undefined> {
    const { rows } = await sql<Job>`
      update forge_changes set status = 'running', server = ${server}, seen_at = now(), started_at = now(), tries = tries + 1
      where id = (
        select c.id from forge_changes c where c.status = 'queued' and c.ready_at <= now()
        order by (select count(*) from forge_changes r where r.tenant = c.tenant and r.status = 'running'),
          (select max(r.started_at) from forge_changes r where r.tenant = c.tenant and r.started_at > now() - interval '1 hour') nulls first, c.created_at, c.id
        limit 1 for update skip locked)
      returning ${JOB}`.execute(this.#db);
    return rows[0] && numbers(rows[0]);
  }

  async working(id: string, server: string): Promise<boolean> {
    const { numAffectedRows } = await sql`update forge_changes set seen_at = now() where ${mine(id, server)}`.execute(this.#db);
    return (numAffectedRows ?? 0n) > 0n;
  }

  /** All are put back, however often they were tried: who gives one up must still tell the forge. */
  async recover(seconds: number): Promise<void> {
    await sql`update forge_changes set status = 'queued', server = null
      where status = 'running' and seen_at < now() - make_interval(secs => ${seconds})`.execute(this.#db);
  }

  async release(server: string): Promise<void> {
    await sql`update forge_changes set status = 'queued', server = null, tries = tries - 1 where status = 'running' and server = ${server}`.execute(this.#db);
  }

  /** To be tried again after a while: that it was begun does not count against it, as the fault is elsewhere. */
  async postpone({ id }: Job, server: string, seconds: number): Promise<void> {
    await sql`update forge_changes set status = 'queued', server = null, tries = tries - 1, ready_at = now() + make_interval(secs => ${seconds}) where ${mine(id, server)}`.execute(
      this.#db,
    );
  }

  async begun({ id }: Job, server: string, checkRun: number): Promise<void> {
    await sql`update forge_changes set check_run = ${checkRun} where ${mine(id, server)}`.execute(this.#db);
  }

  /** What came for the same line after this change and is not the same: whether it holds now, the forge is asked. */
  async newer({ id, repository_id, line, head, base }: Job): Promise<{ head: string; base: string | null }[]> {
    const { rows } = await sql<{ head: string; base: string | null }>`select head, base from forge_changes
      where forge = ${FORGE} and repository_id = ${repository_id} and line = ${line} and id > ${id} and (head <> ${head} or base is distinct from ${base})
      order by id desc limit 20`.execute(this.#db);
    return rows;
  }

  /** Whether the same commit waits to be judged once more as the same state of its line: then that one will see all that this one would. */
  async hasTwin({ id, repository_id, line, head, base }: Job): Promise<boolean> {
    const { rows } = await sql`select 1 from forge_changes
      where forge = ${FORGE} and repository_id = ${repository_id} and line = ${line} and id > ${id} and head = ${head} and base is not distinct from ${base}
        and status = 'queued' limit 1`.execute(this.#db);
    return rows.length > 0;
  }

  /** Writes how it ended. False where the change is this server's no more. */
  finish(job: Job, server: string, end: End): Promise<boolean> {
    return this.#db.transaction().execute(async (tx) => {
      const decision = "decision" in end ? JSON.stringify(storable(end.decision)) : null;
      const problem = "problem" in end ? JSON.stringify(storable(end.problem)) : null;
      const done = await sql`update forge_changes set status = ${end.status}, decision = ${decision}, problem = ${problem}, finished_at = now()
        where ${mine(job.id, server)}`.execute(tx);
      if ((done.numAffectedRows ?? 0n) === 0n) return false;
      const where = { forge: FORGE, project: job.project, repository: job.repository, line: job.line, head: job.head };
      const what = "decision" in end ? { rules: end.decision.reasons.map(({ rule }) => rule) } : end.problem;
      await tell(tx, job.tenant, `change.${end.status}`, job.id, storable({ ...where, ...what }));
      return true;
    });
  }
}

const mine = (id: string, server: string) => sql`id = ${id} and status = 'running' and server = ${server}`;
