import { type BehaviorProfile, EMPTY_PROFILE, readProfile } from "@plastron/policy";
import { sql } from "kysely";
import type { Database } from "../../database/pool.ts";

export interface BehaviorRow {
  version: number;
  profile: BehaviorProfile;
  started_at: Date;
  until: Date | null;
  skipped: number;
  skipped_why: string | null;
  updated_at: Date;
}

const COLUMNS = ["version", "profile", "started_at", "until", "skipped", "skipped_why", "updated_at"] as const;

/** One profile for each policy that is or was learnt. */
export class BehaviorStore {
  readonly #db: Database;
  constructor(db: Database) {
    this.#db = db;
  }

  async find(tenant: string, name: string): Promise<BehaviorRow | undefined> {
    const row = await this.#db.selectFrom("policy_behaviors").select(COLUMNS).where("tenant", "=", tenant).where("name", "=", name).executeTakeFirst();
    return row && { ...row, profile: readProfile(row.profile) };
  }

  /**
   * Changes the profile of a policy's version, one writer at a time: two servers' runs are both in it. The first run of a version
   * begins it, with an empty profile and its end. Undefined where the time to learn is over, or a newer version is learnt already.
   */
  change(
    tenant: string,
    name: string,
    learning: { version: number; minutes: number | null },
    change: (row: BehaviorRow) => Partial<BehaviorRow>,
  ): Promise<BehaviorRow | undefined> {
    return this.#db.transaction().execute(async (tx) => {
      await sql`select pg_advisory_xact_lock(hashtextextended(${`behavior ${tenant} ${name}`}, 0))`.execute(tx);
      const known = await new BehaviorStore(tx).find(tenant, name);
      if (known && known.version > learning.version) return undefined;
      const row = known?.version === learning.version ? known : fresh(learning);
      if (row.until && row.until.getTime() <= Date.now()) return undefined;
      const next = { ...row, ...change(row), updated_at: new Date() };
      const values = { ...next, tenant, name, profile: JSON.stringify(next.profile) };
      await tx
        .insertInto("policy_behaviors")
        .values(values)
        .onConflict((conflict) => conflict.columns(["tenant", "name"]).doUpdateSet(values))
        .execute();
      return next;
    });
  }
}

function fresh({ version, minutes }: { version: number; minutes: number | null }): BehaviorRow {
  const now = new Date();
  const until = minutes === null ? null : new Date(now.getTime() + minutes * 60_000);
  return { version, profile: EMPTY_PROFILE, started_at: now, until, skipped: 0, skipped_why: null, updated_at: now };
}
