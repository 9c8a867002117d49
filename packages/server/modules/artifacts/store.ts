import type { Artifact, ArtifactFile } from "@plastron/scan";
import { sql } from "kysely";
import type { Database } from "../../database/pool.ts";

export interface ArtifactRow {
  digest: string;
  kind: string;
  name: string;
  revision: string | null;
  files: number;
  bytes: number;
  created_at: Date;
  created_by: string;
}

/** Rows of one statement; contents of one round trip, so that no artifact is in memory twice. */
const ROWS = 500;
const BATCH_BYTES = 8 * 2 ** 20;

/** Artifacts with their contents. Whatever is asked names its tenant: no row of another is ever looked at. */
export class ArtifactStore {
  readonly #db: Database;
  constructor(db: Database) {
    this.#db = db;
  }

  /** Puts an artifact in with its event, whole or not at all. One that is there already stays as it is: `created` false. */
  async add(tenant: string, by: string, artifact: Artifact): Promise<{ row: ArtifactRow; created: boolean }> {
    const { ref, files, gaps, notes } = artifact;
    const bytes = files.reduce((sum, { size }) => sum + size, 0);
    const created = await this.#db.transaction().execute(async (tx) => {
      await sql`select pg_advisory_xact_lock(hashtextextended(${`artifact ${tenant} ${ref.digest}`}, 0))`.execute(tx);
      const row = { tenant, digest: ref.digest, kind: ref.kind, name: ref.name, revision: ref.revision, files: files.length, bytes, created_by: by };
      const put = await tx
        .insertInto("artifacts")
        .values({ ...row, gaps: JSON.stringify(gaps), notes: JSON.stringify(notes) })
        .onConflict((conflict) => conflict.columns(["tenant", "digest"]).doNothing())
        .returning("digest")
        .executeTakeFirst();
      if (!put) return false;
      await putContents(tx, tenant, artifact);
      await putFiles(tx, tenant, ref.digest, files);
      const data = JSON.stringify({ by, kind: ref.kind, name: ref.name, files: files.length, bytes });
      await tx.insertInto("events").values({ tenant, type: "artifact.added", subject: ref.digest, data }).execute();
      return true;
    });
    return { row: (await this.find(tenant, ref.digest)) as ArtifactRow, created };
  }

  async find(tenant: string, digest: string): Promise<ArtifactRow | undefined> {
    const row = await this.#heads(tenant).where("digest", "=", digest).executeTakeFirst();
    return row && { ...row, bytes: Number(row.bytes) };
  }

  /** Newest first; `before` is the time of making and the digest of the last one seen. */
  async list(tenant: string, limit: number, before?: { at: Date; digest: string }): Promise<ArtifactRow[]> {
    let query = this.#heads(tenant).orderBy("created_at", "desc").orderBy("digest", "desc").limit(limit);
    if (before) query = query.where(sql<boolean>`(created_at, digest) < (${before.at}, ${before.digest})`);
    return (await query.execute()).map((row) => ({ ...row, bytes: Number(row.bytes) }));
  }

  async totalBytes(tenant: string): Promise<number> {
    const { n } = await this.#db
      .selectFrom("artifacts")
      .select(sql<string>`coalesce(sum(bytes), 0)`.as("n"))
      .where("tenant", "=", tenant)
      .executeTakeFirstOrThrow();
    return Number(n);
  }

  /** The artifact as it was taken in, its contents read one by one. Undefined where this tenant has none. */
  async open(tenant: string, digest: string): Promise<Artifact | undefined> {
    const head = await this.#db.selectFrom("artifacts").selectAll().where("tenant", "=", tenant).where("digest", "=", digest).executeTakeFirst();
    if (!head) return undefined;
    const rows = await this.#db
      .selectFrom("artifact_files")
      .selectAll()
      .where("tenant", "=", tenant)
      .where("digest", "=", digest)
      .orderBy(sql`key collate "C"`)
      .execute();
    return {
      ref: { kind: head.kind, digest, name: head.name, revision: head.revision } as Artifact["ref"],
      files: rows.map(({ tenant: _, digest: __, size, ...row }) => ({ ...row, size: Number(size) }) as ArtifactFile),
      gaps: head.gaps as unknown as Artifact["gaps"],
      notes: head.notes as unknown as string[],
      read: (file) => this.#content(tenant, file.sha256),
      close: async () => {},
    };
  }

  /** Removes an artifact with its scans, and what of its contents no other artifact of the tenant has. */
  remove(tenant: string, digest: string, by: string): Promise<boolean> {
    return this.#db.transaction().execute(async (tx) => {
      const gone = await tx.deleteFrom("artifacts").where("tenant", "=", tenant).where("digest", "=", digest).executeTakeFirst();
      if (gone.numDeletedRows === 0n) return false;
      await sql`delete from artifact_blobs b where b.tenant = ${tenant} and not exists (select from artifact_files f where f.tenant = b.tenant and f.sha256 = b.sha256)`.execute(
        tx,
      );
      await tx
        .insertInto("events")
        .values({ tenant, type: "artifact.removed", subject: digest, data: JSON.stringify({ by }) })
        .execute();
      return true;
    });
  }

  async #content(tenant: string, sha256: string): Promise<Buffer> {
    const row = await this.#db.selectFrom("artifact_blobs").select("content").where("tenant", "=", tenant).where("sha256", "=", sha256).executeTakeFirst();
    if (!row) throw new Error(`the content ${sha256} is gone`);
    return row.content;
  }

  #heads(tenant: string) {
    return this.#db
      .selectFrom("artifacts")
      .select(["digest", "kind", "name", "revision", "files", "bytes", "created_at", "created_by"])
      .where("tenant", "=", tenant);
  }
}

async function putContents(tx: Database, tenant: string, { files, read }: Artifact): Promise<void> {
  const seen = new Set<string>();
  let batch: { tenant: string; sha256: string; content: Buffer }[] = [];
  let held = 0;
  const flush = async () => {
    if (batch.length > 0)
      await tx
        .insertInto("artifact_blobs")
        .values(batch)
        .onConflict((conflict) => conflict.columns(["tenant", "sha256"]).doNothing())
        .execute();
    [batch, held] = [[], 0];
  };
  for (const file of files) {
    if (seen.has(file.sha256)) continue;
    seen.add(file.sha256);
    const content = Buffer.from(await read(file));
    if (held + content.length > BATCH_BYTES || batch.length >= ROWS) await flush();
    batch.push({ tenant, sha256: file.sha256, content });
    held += content.length;
  }
  await flush();
}

async function putFiles(tx: Database, tenant: string, digest: string, files: Artifact["files"]): Promise<void> {
  for (let at = 0; at < files.length; at += ROWS) {
    const rows = files.slice(at, at + ROWS).map(({ key, path, layers, size, sha256, language, encoding, archive, executable }) => ({
      ...{ tenant, digest, key, path, layers: [...layers], size, sha256, language, encoding, archive, executable },
    }));
    await tx.insertInto("artifact_files").values(rows).execute();
  }
}
