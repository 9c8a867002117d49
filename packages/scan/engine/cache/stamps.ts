import { fstatSync } from "node:fs";
import type { Stamp } from "../../intake/secure-open.ts";
import type { Known, StampMemo } from "../../intake/stamps.ts";
import type { CacheDatabase } from "./database.ts";

/**
 * A file that was changed this shortly before it was read may be changed again within the same tick of the file system's clock, and would keep its stamp
 * (git calls such an entry racily clean). It is not remembered; the next scan reads it again.
 */
const GRAIN_NS = 2_000_000_000n;

/** Contents by the kernel's stamp. ctime is in it, which no program can set. */
export class CachedStamps implements StampMemo {
  readonly #database: CacheDatabase;
  readonly #salt: string;

  /** `salt` changes with the code that says what a file is. */
  constructor(database: CacheDatabase, salt: string) {
    this.#database = database;
    this.#salt = salt;
  }

  get(stamp: Stamp, path: string): Known | null {
    const row = this.#database.get(this.#key(stamp, path));
    if (!row) return null;
    const [size, mtime, ctime, known] = JSON.parse(row.value.toString("utf8")) as [string, string, string, Known];
    return size === `${stamp.size}` && mtime === `${stamp.mtimeNs}` && ctime === `${stamp.ctimeNs}` ? known : null;
  }

  put(stamp: Stamp, path: string, known: Known, fd: number): void {
    const now = BigInt(Date.now()) * 1_000_000n;
    if (stamp.ctimeNs > now - GRAIN_NS || stamp.mtimeNs > now - GRAIN_NS) return;
    const after = fstatSync(fd, { bigint: true });
    if (after.ctimeNs !== stamp.ctimeNs || after.size !== stamp.size || BigInt(known.size) !== stamp.size) return;
    this.#database.put(this.#key(stamp, path), Buffer.from(JSON.stringify([`${stamp.size}`, `${stamp.mtimeNs}`, `${stamp.ctimeNs}`, known])));
  }

  #key({ dev, ino }: Stamp, path: string): string {
    return `stamp ${this.#salt} ${dev} ${ino} ${path}`;
  }
}
