import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Bytes that were unpacked, by their sha256, in a file that has no name any more: a scan that is killed leaves nothing. */
export class Spool {
  readonly #places = new Map<string, { at: number; length: number }>();
  #fd: number | null = null;
  #end = 0;

  put(sha256: string, bytes: Uint8Array): void {
    if (this.#places.has(sha256)) return;
    this.#fd ??= unnamedFile();
    for (let done = 0; done < bytes.length; ) done += writeSync(this.#fd, bytes, done, bytes.length - done, this.#end + done);
    this.#places.set(sha256, { at: this.#end, length: bytes.length });
    this.#end += bytes.length;
  }

  get(sha256: string): Buffer | null {
    const place = this.#places.get(sha256);
    if (!place || this.#fd === null) return place ? Buffer.alloc(0) : null;
    const bytes = Buffer.allocUnsafeSlow(place.length);
    for (let done = 0; done < place.length; ) {
      const got = readSync(this.#fd, bytes, done, place.length - done, place.at + done);
      if (got === 0) return null;
      done += got;
    }
    return bytes;
  }

  close(): void {
    if (this.#fd !== null) closeSync(this.#fd);
    this.#fd = null;
  }
}

function unnamedFile(): number {
  const directory = mkdtempSync(join(tmpdir(), "plastron-intake-"));
  try {
    return openSync(join(directory, "spool"), "wx+", 0o600);
  } finally {
    rmSync(directory, { recursive: true });
  }
}
