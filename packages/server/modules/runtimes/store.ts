import type { Image, PackageRequest } from "@plastron/contracts";
import { sql } from "kysely";
import type { Database } from "../../database/pool.ts";
import type { VersionRow } from "./view.ts";

/** Runtimes and their versions. Every change is written together with its event. */
export class RuntimeStore {
  readonly #db: Database;
  constructor(db: Database) {
    this.#db = db;
  }

  /** The current version, or the given one. */
  async find(tenant: string, name: string, version?: number): Promise<VersionRow | undefined> {
    const query = this.#versions(tenant).where("v.name", "=", name);
    const row = await (version === undefined ? query.whereRef("v.version", "=", "r.current") : query.where("v.version", "=", version)).executeTakeFirst();
    return row && shown(row);
  }

  /** The current version of each. */
  async list(tenant: string): Promise<VersionRow[]> {
    return (await this.#versions(tenant).whereRef("v.version", "=", "r.current").orderBy("v.name").execute()).map(shown);
  }

  /** All versions, newest first. */
  async versions(tenant: string, name: string): Promise<VersionRow[]> {
    return (await this.#versions(tenant).where("v.name", "=", name).orderBy("v.version", "desc").execute()).map(shown);
  }

  /** Adds a version, which becomes the current one, to a runtime that is there or (`first`) is not. Undefined where that is not so. */
  add(tenant: string, name: string, image: Image, request: PackageRequest, by: string, first: boolean): Promise<VersionRow | undefined> {
    return this.#locked(tenant, name, async (store, tx) => {
      const [newest] = await store.versions(tenant, name);
      if ((newest === undefined) !== first) return undefined;
      const version = (newest?.version ?? 0) + 1;
      if (first) await tx.insertInto("runtimes").values({ tenant, name, language: image.from, current: version }).execute();
      const { id, lock, lock_sha256, packages, files, bytes, built_at } = image;
      await tx
        .insertInto("runtime_versions")
        .values({
          ...{ tenant, name, version, image: id, lock, lock_sha256, files, bytes, built_at: new Date(built_at), created_by: by },
          ...{ packages: JSON.stringify(packages), request: JSON.stringify(request) },
        })
        .execute();
      await store.#point(tx, tenant, name, version, "runtime.built", by);
      return store.find(tenant, name, version);
    });
  }

  /** Makes another version the current one. Undefined where there is none. */
  point(tenant: string, name: string, version: number, by: string): Promise<VersionRow | undefined> {
    return this.#locked(tenant, name, async (store, tx) => {
      if (!(await store.find(tenant, name, version))) return undefined;
      await store.#point(tx, tenant, name, version, "runtime.rolled_back", by);
      return store.find(tenant, name, version);
    });
  }

  remove(tenant: string, name: string, by: string): Promise<boolean> {
    return this.#locked(tenant, name, async (_store, tx) => {
      const gone = await tx.deleteFrom("runtimes").where("tenant", "=", tenant).where("name", "=", name).executeTakeFirst();
      if (gone.numDeletedRows === 0n) return false;
      await tell(tx, tenant, "runtime.deleted", name, { by });
      return true;
    });
  }

  /** Forgets versions that are not the current one: how many. */
  prune(tenant: string, by: string): Promise<number> {
    return this.#db.transaction().execute(async (tx) => {
      const gone = await sql<{ name: string }>`
        delete from runtime_versions v using runtimes r
        where r.tenant = v.tenant and r.name = v.name and v.version <> r.current and v.tenant = ${tenant} returning v.name`.execute(tx);
      if (gone.rows.length > 0) await tell(tx, tenant, "runtime.pruned", tenant, { by, versions: gone.rows.length });
      return gone.rows.length;
    });
  }

  async count(tenant: string): Promise<number> {
    const { n } = await this.#db.selectFrom("runtimes").select(sql<string>`count(*)`.as("n")).where("tenant", "=", tenant).executeTakeFirstOrThrow();
    return Number(n);
  }

  /** Of these images those that a version of any tenant, or an open session, names. */
  async named(images: string[]): Promise<Set<string>> {
    if (images.length === 0) return new Set();
    const rows = await sql<{ image: string }>`
      select image from runtime_versions where image = any(${images})
      union select image from sessions where image = any(${images}) and closed_at is null and expires_at > now()`.execute(this.#db);
    return new Set(rows.rows.map(({ image }) => image));
  }

  async #point(tx: Database, tenant: string, name: string, version: number, type: string, by: string): Promise<void> {
    await tx.updateTable("runtimes").set({ current: version }).where("tenant", "=", tenant).where("name", "=", name).execute();
    await tell(tx, tenant, type, name, { version, by });
  }

  /** One writer at a time for each runtime. */
  #locked<T>(tenant: string, name: string, work: (store: RuntimeStore, tx: Database) => Promise<T>): Promise<T> {
    return this.#db.transaction().execute(async (tx) => {
      await sql`select pg_advisory_xact_lock(hashtextextended(${`runtime ${tenant} ${name}`}, 0))`.execute(tx);
      return work(new RuntimeStore(tx), tx);
    });
  }

  #versions(tenant: string) {
    return this.#db
      .selectFrom("runtime_versions as v")
      .innerJoin("runtimes as r", (join) => join.onRef("r.tenant", "=", "v.tenant").onRef("r.name", "=", "v.name"))
      .select(["v.name", "v.version", "r.language", "r.current", "v.image", "v.lock_sha256", "v.lock", "v.packages", "v.request", "v.files", "v.bytes"])
      .select(["v.built_at", "v.created_at", "v.created_by"])
      .where("v.tenant", "=", tenant);
  }
}

type Read = Omit<VersionRow, "current" | "bytes" | "language" | "packages" | "request"> & {
  current: number;
  bytes: string | number;
  language: string;
  packages: unknown;
  request: unknown;
};

function shown({ current, bytes, language, packages, request, ...row }: Read): VersionRow {
  return {
    ...row,
    current: row.version === current,
    bytes: Number(bytes),
    language: language as Image["from"],
    packages: packages as Image["packages"],
    request: request as PackageRequest,
  };
}

async function tell(tx: Database, tenant: string, type: string, subject: string, data: object): Promise<void> {
  await tx
    .insertInto("events")
    .values({ tenant, type, subject, data: JSON.stringify(data) })
    .execute();
}
