import type { ViolationRecord } from "./record.ts";

export interface ViolationLogState {
  path: string;
  written: number;
  /** Records that did not get into the file; they are in the events all the same. */
  lost: number;
  /** Why the last write failed; null while writing works. */
  error: string | null;
}

interface LineFile {
  append(lines: Buffer): Promise<void>;
  close(): Promise<void>;
}

/** What may wait for a slow disk. A flood beyond is lost for the file, and counted. */
const MOST_WAITING = 4 * 1024 * 1024;
/** What one write takes: the size at which the file rotates is kept to within this. */
const MOST_AT_ONCE = 256 * 1024;

/**
 * violations.log: one JSON record a line, for whatever ships logs away. It is a copy: the events are the record. So nothing waits
 * for it, and a full disk costs lines and no run.
 */
export class ViolationLog {
  readonly #file: LineFile;
  readonly #state: ViolationLogState;
  #waiting: Buffer[] = [];
  #bytes = 0;
  #writing: Promise<void> | undefined;

  constructor(path: string, file: LineFile) {
    this.#file = file;
    this.#state = { path, written: 0, lost: 0, error: null };
  }

  get state(): Readonly<ViolationLogState> {
    return this.#state;
  }

  write(record: ViolationRecord): void {
    const line = Buffer.from(`${oneLine(record)}\n`);
    if (this.#bytes + line.length > MOST_WAITING) {
      this.#state.lost++;
      this.#state.error ??= "more came than could be written";
      return;
    }
    this.#waiting.push(line);
    this.#bytes += line.length;
    this.#writing ??= this.#drain();
  }

  /** Writes what waits, then lets go of the file. */
  async close(): Promise<void> {
    await this.#writing;
    await this.#file.close().catch(() => {});
  }

  async #drain(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve)); // what comes in one go is written in one
    while (this.#waiting.length > 0) {
      const lines = this.#take();
      try {
        await this.#file.append(Buffer.concat(lines));
        this.#state.written += lines.length;
        this.#state.error = null;
      } catch (error) {
        this.#state.lost += lines.length;
        this.#state.error = (error as Error).message.slice(0, 300);
      }
    }
    this.#writing = undefined;
  }

  #take(): Buffer[] {
    let count = 0;
    for (let bytes = 0; count < this.#waiting.length && (count === 0 || bytes + (this.#waiting[count] as Buffer).length <= MOST_AT_ONCE); count++)
      bytes += (this.#waiting[count] as Buffer).length;
    const lines = this.#waiting.splice(0, count);
    this.#bytes -= lines.reduce((sum, line) => sum + line.length, 0);
    return lines;
  }
}

/**
 * JSON escapes line feeds and what else is below U+0020. What it leaves, and a terminal or a reader of lines may act on (DEL, C1,
 * line and paragraph separators, bidirectional overrides, half surrogate pairs), is escaped here.
 */
export function oneLine(value: unknown): string {
  return JSON.stringify(value).replace(UNSAFE, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

const UNSAFE = /[\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g;
