import type { Finding, ScanResult } from "@plastron/contracts";
import type { AdvisoriesInUse, Matchable } from "@plastron/scan";
import { sql } from "kysely";
import type { Database } from "../../database/pool.ts";
import { storable } from "../../database/storable.ts";
import { OPERATOR_TENANT } from "../auth/principal.ts";
import type { Decided } from "./store.ts";
import { advisoriesOf, putFindings, tell } from "./written.ts";

/** An ended scan that was not held against the newest advisories yet. */
export interface Stale {
  id: string;
  tenant: string;
  artifact: string;
  project: string | null;
}

/** What a rematch found: findings that were not there before, and that are there no more. */
export interface Changed {
  result: ScanResult;
  matchable: Matchable;
  opened: readonly Finding[];
  closed: readonly Finding[];
}

/** Of one tenant, and of all, that are looked for at once. */
const TURNS = 20;
const PAGE = 200;

const isStale = (version: string) => sql`latest and advisories is distinct from ${version} and 'dependencies' = any (analysers)`;
const isFree = sql`(matching_until is null or matching_until <= now())`;

/** Stored results and the advisories that they were held against. */
export class RematchStore {
  readonly #db: Database;
  constructor(db: Database) {
    this.#db = db;
  }

  /** Notes that a server has these advisories. `older`: another has had newer ones, and what is stored is held against those. */
  take(own: AdvisoriesInUse): Promise<"newest" | "older"> {
    return this.#db.transaction().execute(async (tx) => {
      await sql`select pg_advisory_xact_lock(hashtextextended('advisories', 0))`.execute(tx);
      const known = await tx.selectFrom("advisories").selectAll().executeTakeFirst();
      if (known?.version === own.version) return "newest";
      if (known && !isNewer(own, known)) return "older";
      const { version, seed, code, builtAt } = own;
      const row = { version, seed, code, built_at: new Date(builtAt), seen_at: new Date() };
      await tx
        .insertInto("advisories")
        .values(row)
        .onConflict((conflict) => conflict.column("single").doUpdateSet(row))
        .execute();
      await tell(tx, OPERATOR_TENANT, "advisories.changed", own.id, { as_of: own.asOf, built_at: own.builtAt, seed });
      return "newest";
    });
  }

  /** Advisories that were not taken, and why: for the operator, once for each reason. */
  async refused(own: AdvisoriesInUse, why: { reason: string; detail: string }): Promise<void> {
    await tell(this.#db, OPERATOR_TENANT, "advisories.refused", own.id, why);
  }

  /** Some of those that nobody is at, tenants by turns: no tenant's thousands hold up what another runs. */
  async page(version: string): Promise<string[]> {
    const { rows } = await sql<{ id: string }>`
      select id from (
        select id, tenant, row_number() over (partition by tenant order by id) as turn from scans
        where ${isStale(version)} and ${isFree}) as waiting
      where turn <= ${TURNS} order by turn, tenant limit ${PAGE}`.execute(this.#db);
    return rows.map(({ id }) => id);
  }

  /** It is this server's for so many seconds. Undefined where another was faster. */
  async claim(id: string, version: string, seconds: number): Promise<Stale | undefined> {
    const { rows } = await sql<Stale>`
      update scans set matching_until = now() + make_interval(secs => ${seconds})
      where id = ${id} and ${isStale(version)} and ${isFree} returning id, tenant, artifact, project`.execute(this.#db);
    return rows[0];
  }

  /** Anybody may try it, after so many seconds. */
  async release({ id }: Stale, seconds = 0): Promise<void> {
    await sql`update scans set matching_until = now() + make_interval(secs => ${seconds}) where id = ${id}`.execute(this.#db);
  }

  /** How many results wait to be held against these advisories. */
  async waiting(version: string): Promise<number> {
    const { rows } = await sql<{ n: string }>`
      select count(*) as n from scans where ${isStale(version)}`.execute(this.#db);
    return Number(rows[0]?.n ?? 0);
  }

  async matchable({ id, tenant }: Stale): Promise<Matchable | undefined> {
    const row = await this.#db.selectFrom("scan_matchables").select(["facts", "said"]).where("scan", "=", id).where("tenant", "=", tenant).executeTakeFirst();
    return row && { facts: row.facts, said: row.said as unknown as Matchable["said"] };
  }

  /** Writes what the advisories say now, its events and what is `decided` by it, all or nothing. False where the scan is the newest no more, or another server was faster. */
  put(stale: Stale, before: ScanResult, { result, matchable, opened, closed }: Changed, decided: Decided): Promise<boolean> {
    const { id, tenant, artifact } = stale;
    return this.#db.transaction().execute(async (tx) => {
      const row = await tx.selectFrom("scans").select(["latest", "advisories"]).where("id", "=", id).forUpdate().executeTakeFirst();
      if (!row?.latest || row.advisories !== advisoriesOf(before)) return false;
      const { findings, ...rest } = result;
      const now = { status: result.status, result: JSON.stringify(storable(rest)), advisories: advisoriesOf(result), matching_until: null };
      await tx.updateTable("scans").set(now).where("id", "=", id).execute();
      if (JSON.stringify(storable(findings)) !== JSON.stringify(before.findings)) {
        await tx.deleteFrom("findings").where("scan", "=", id).execute();
        await putFindings(tx, tenant, id, findings);
      }
      const said = JSON.stringify(storable(matchable.said));
      await tx.updateTable("scan_matchables").set({ said }).where("scan", "=", id).execute();
      for (const finding of opened) await tell(tx, tenant, "finding.opened", finding.fingerprint, about(stale, finding));
      for (const finding of closed) await tell(tx, tenant, "finding.closed", finding.fingerprint, about(stale, finding));
      await tell(tx, tenant, "scan.rematched", id, { artifact, status: result.status, opened: opened.length, closed: closed.length });
      await decided(tx);
      return true;
    });
  }

  /** It cannot be held against these advisories: a whole scan is asked for in its place. */
  rescan({ id, tenant, artifact, project }: Stale, version: string, as: string, why: string): Promise<void> {
    return this.#db.transaction().execute(async (tx) => {
      const mine = await tx
        .updateTable("scans")
        .set({ advisories: version, matching_until: null })
        .where("id", "=", id)
        .where("latest", "=", true)
        .executeTakeFirst();
      if (mine.numUpdatedRows === 0n) return;
      const { rows } = await sql<{ analysers: string[] }>`
        insert into scans (id, tenant, artifact, project, analysers, status, created_by)
        select ${as}, tenant, artifact, project, analysers, 'queued', 'advisories' from scans where id = ${id} returning analysers`.execute(tx);
      if (rows.length > 0) await tell(tx, tenant, "scan.queued", as, { by: "advisories", artifact, project, instead_of: id, why });
    });
  }
}

/** Whoever has the seed knows least; then the later build, then the newer code. */
function isNewer(own: AdvisoriesInUse, known: { seed: boolean; built_at: Date; code: number }): boolean {
  if (own.seed !== known.seed) return known.seed;
  const [mine, theirs] = [Date.parse(own.builtAt), known.built_at.getTime()];
  return mine > theirs || (mine === theirs && own.code > known.code);
}

/** The advisory by the name that lasts, and what it is about. */
function about({ id, artifact }: Stale, { rule, severity, verdict, aliases, title, package: affected }: Finding) {
  const found = affected && { ecosystem: affected.ecosystem, package: affected.name, version: affected.version, fixed: affected.fixed };
  return storable({ scan: id, artifact, advisory: aliases[0] ?? null, aliases, rule, severity, verdict, title, ...found });
}
