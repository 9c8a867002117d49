import { constants } from "node:fs";
import { type FileHandle, lstat, mkdir, open, rename } from "node:fs/promises";
import { dirname } from "node:path";

export interface RotatingOptions {
  /** Bytes of one file; a line longer than that has a file of its own. */
  bytes: number;
  /** Older files that are kept, as `PATH.1` (the newest) and so on. */
  kept: number;
}

/**
 * A file of whole lines that is appended to and rotated by renaming. It may be killed at any moment: a line that was cut then gets
 * its end before the next one is written, and a rotation that stopped half way loses no file but the oldest. Neither the file nor
 * its directory may be a link, or whoever could plant one would choose what the server overwrites.
 */
export class RotatingFile {
  readonly #path: string;
  readonly #options: RotatingOptions;
  #file: FileHandle | undefined;
  #size = 0;
  /** The last write was cut: the disk is full, or was. */
  #torn = false;

  constructor(path: string, options: RotatingOptions) {
    this.#path = path;
    this.#options = options;
  }

  /** Appends lines, each ending in a line feed. Throws where not all of them could be written; it may be called again. */
  async append(lines: Buffer): Promise<void> {
    if (this.#file === undefined) await this.#open();
    for (let at = 0; at < lines.length; ) {
      const end = this.#fitting(lines, at);
      if (end === at) await this.#rotate();
      else await this.#write(lines.subarray(at, end));
      at = end;
    }
  }

  /** Where the whole lines from `at` on end that the file still has room for; an empty file has room for any line. */
  #fitting(lines: Buffer, at: number): number {
    const room = this.#options.bytes - this.#size;
    if (lines.length - at <= room) return lines.length;
    const last = room > 0 ? lines.lastIndexOf(LINE_FEED, at + room - 1) : -1;
    if (last >= at) return last + 1;
    return this.#size === 0 ? lines.indexOf(LINE_FEED, at) + 1 : at;
  }

  async #write(lines: Buffer): Promise<void> {
    const bytes = this.#torn ? Buffer.concat([LINE_FEED, lines]) : lines;
    for (let at = 0; at < bytes.length; ) {
      const { bytesWritten } = await (this.#file as FileHandle).write(bytes, at).catch((error: Error) => {
        this.#torn ||= at > 0;
        throw error;
      });
      at += bytesWritten;
      this.#size += bytesWritten;
      this.#torn = at < bytes.length;
    }
  }

  async close(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    await file?.close();
  }

  async #open(): Promise<void> {
    const directory = dirname(this.#path);
    await mkdir(directory, { recursive: true, mode: 0o700 });
    if (!(await lstat(directory)).isDirectory()) throw new Error(`${directory} is not a directory`);
    const flags = constants.O_RDWR | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW | constants.O_NONBLOCK;
    const file = await open(this.#path, flags, 0o600);
    try {
      const stat = await file.stat();
      if (!stat.isFile()) throw new Error(`${this.#path} is not a file`);
      this.#size = stat.size;
      this.#torn = stat.size > 0 && (await file.read(Buffer.alloc(1), 0, 1, stat.size - 1)).buffer[0] !== LINE_FEED[0];
    } catch (error) {
      await file.close();
      throw error;
    }
    this.#file = file;
  }

  /** From the oldest on, so that a rotation that is interrupted only leaves a gap, which the next one closes. */
  async #rotate(): Promise<void> {
    await this.close();
    for (let age = this.#options.kept; age >= 1; age--) {
      await rename(age === 1 ? this.#path : `${this.#path}.${age - 1}`, `${this.#path}.${age}`).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== "ENOENT") throw error;
      });
    }
    await this.#open();
  }
}

const LINE_FEED = Buffer.from("\n");
