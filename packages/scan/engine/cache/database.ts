import { createHash } from "node:crypto";
import { chmodSync, closeSync, openSync, rmSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { troubleWith } from "./place.ts";

const NAME = "scan-1.db";
const FILES = [NAME, `${NAME}-wal`, `${NAME}-shm`];
/** Rows of one transaction: a write that waits for the disk once. */
const BATCH = 400;
/** SQLITE_CORRUPT and SQLITE_NOTADB: what is left of such a file is not worth keeping. */
const DAMAGE = new Set([11, 26]);
const DAY_MS = 86_400_000;

export interface Row {
  readonly value: Buffer;
  readonly more: Buffer | null;
}

/**
 * Keys to values on a disk, for several processes at once (SQLite in WAL mode). It may lose anything at any time and never says what was not written: each row
 * has a checksum over its key and its content, and one that does not fit is not there. Whatever SQLite complains of makes it empty, not an error.
 */
export class CacheDatabase {
  readonly #directory: string;
  readonly #limit: number;
  readonly #today = Math.floor(Date.now() / DAY_MS);
  #db: DatabaseSync | null = null;
  #get: StatementSync | null = null;
  #put: StatementSync | null = null;
  #pending: { key: string; value: Buffer; more: Buffer | null }[] = [];
  #touched: string[] = [];
  #damaged = false;
  /** Why it is not in use; null where it is. */
  readonly trouble: string | null;

  constructor(directory: string, limitBytes: number) {
    this.#directory = directory;
    this.#limit = limitBytes;
    this.trouble = this.#start();
  }

  #start(): string | null {
    try {
      const trouble = troubleWith(this.#directory, FILES);
      if (trouble !== null) return trouble;
    } catch (error) {
      return (error as Error).message;
    }
    for (const attempt of ["as it is", "anew"]) {
      try {
        if (attempt === "anew") this.#remove();
        this.#open();
        return null;
      } catch {
        this.#shut();
      }
    }
    return "its database cannot be opened";
  }

  #open(): void {
    const path = join(this.#directory, NAME);
    closeSync(openSync(path, "a", 0o600)); // SQLite gives its other files the mode of this one
    chmodSync(path, 0o600);
    const db = new DatabaseSync(path, { timeout: 2000 });
    this.#db = db;
    db.exec("pragma auto_vacuum = incremental; pragma journal_mode = wal; pragma synchronous = normal; pragma trusted_schema = off");
    db.exec("create table if not exists kept (key text primary key, value blob not null, more blob, sum blob not null, used integer not null) without rowid");
    this.#get = db.prepare("select value, more, sum, used from kept where key = ?");
    this.#put = db.prepare("insert or replace into kept (key, value, more, sum, used) values (?, ?, ?, ?, ?)");
    this.#makeRoom(db);
  }

  get(key: string): Row | null {
    try {
      const row = this.#get?.get(key) as { value: Uint8Array; more: Uint8Array | null; sum: Uint8Array; used: number } | undefined;
      if (!row) return null;
      const value = Buffer.from(row.value);
      const more = row.more === null ? null : Buffer.from(row.more);
      if (!sumOf(key, value, more).equals(Buffer.from(row.sum))) return null;
      if (row.used < this.#today) this.#touched.push(key);
      return { value, more };
    } catch (error) {
      this.#suspect(error);
      return null;
    }
  }

  put(key: string, value: Buffer, more: Buffer | null = null): void {
    if (this.#db === null) return;
    this.#pending.push({ key, value, more });
    if (this.#pending.length >= BATCH) this.flush();
  }

  flush(): void {
    const pending = this.#pending;
    const touched = this.#touched;
    this.#pending = [];
    this.#touched = [];
    if (this.#db === null || (pending.length === 0 && touched.length === 0)) return;
    try {
      this.#db.exec("begin immediate");
      for (const { key, value, more } of pending) this.#put?.run(key, value, more, sumOf(key, value, more), this.#today);
      if (touched.length > 0) {
        const touch = this.#db.prepare("update kept set used = ? where key = ?");
        for (const key of touched) touch.run(this.#today, key);
      }
      this.#db.exec("commit");
    } catch (error) {
      this.#suspect(error);
      this.#rollback(); // another scan writes, or the disk is full: the next scan looks again
    }
  }

  close(): void {
    this.flush();
    this.#shut();
    if (this.#damaged) this.#remove();
  }

  #suspect(error: unknown): void {
    if (DAMAGE.has((error as { errcode?: number }).errcode ?? 0)) this.#damaged = true;
  }

  #remove(): void {
    for (const name of FILES) rmSync(join(this.#directory, name), { force: true });
  }

  #rollback(): void {
    try {
      this.#db?.exec("rollback");
    } catch {}
  }

  #shut(): void {
    try {
      this.#db?.close();
    } catch {}
    this.#db = null;
    this.#get = null;
    this.#put = null;
  }

  /** Above its limit, what was not used for longest goes until a third is free. */
  #makeRoom(db: DatabaseSync): void {
    const number = (sql: string) => Number(Object.values(db.prepare(sql).get() as Record<string, unknown>)[0] ?? 0);
    const size = () => (number("pragma page_count") - number("pragma freelist_count")) * number("pragma page_size");
    if (size() <= this.#limit) return;
    const share = Math.max(1, Math.ceil(number("select count(*) from kept") / 12));
    for (let round = 0; round < 12 && size() > this.#limit * 0.66; round++) {
      db.exec(`delete from kept where key in (select key from kept order by used, key limit ${share})`);
    }
    db.exec("pragma incremental_vacuum");
  }
}

function sumOf(key: string, value: Buffer, more: Buffer | null): Buffer {
  const hash = createHash("sha256").update(`${key}\0${value.length}\0`).update(value);
  if (more) hash.update(more);
  return hash.digest().subarray(0, 12);
}
