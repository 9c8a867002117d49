import { closeSync, existsSync, fstatSync, openSync, readFileSync, renameSync, writeSync } from "node:fs";

/** Size of one log file, and how many older ones are kept. */
const CAP_BYTES = 8 * 1024 * 1024;
const KEPT = 3;

/**
 * A child's log, written by the supervisor. A start begins a new file, and so does a full one, so that a child that repeats
 * itself cannot fill the disk: at most (KEPT + 1) × CAP_BYTES.
 */
export class LogFile {
  readonly path: string;
  readonly #cap: number;
  #fd: number;
  #size: number;

  constructor(path: string, cap: number = CAP_BYTES) {
    this.path = path;
    this.#cap = cap;
    if (existsSync(path)) rotate(path);
    this.#fd = openSync(path, "a", 0o600);
    this.#size = fstatSync(this.#fd).size;
  }

  write(chunk: Uint8Array | string): void {
    const bytes = typeof chunk === "string" ? Buffer.from(chunk) : chunk;
    if (this.#size > 0 && this.#size + bytes.length > this.#cap) this.#next();
    try {
      writeSync(this.#fd, bytes);
      this.#size += bytes.length;
    } catch {
      // A full disk must not end the platform: the line is lost, the children go on.
    }
  }

  note(text: string): void {
    this.write(`${new Date().toISOString()} up: ${text}\n`);
  }

  close(): void {
    closeSync(this.#fd);
  }

  #next(): void {
    closeSync(this.#fd);
    rotate(this.path);
    this.#fd = openSync(this.path, "a", 0o600);
    this.#size = 0;
  }
}

/** The last lines that say something, for an error message; newest last. */
export function lastLines(path: string, count: number): string[] {
  try {
    const text = readFileSync(path, "utf8").slice(-16_384);
    return text
      .split("\n")
      .filter((line) => line.trim() !== "")
      .slice(-count);
  } catch {
    return [];
  }
}

function rotate(path: string): void {
  for (let age = KEPT; age >= 1; age--) {
    const from = age === 1 ? path : `${path}.${age - 1}`;
    if (existsSync(from)) renameSync(from, `${path}.${age}`);
  }
}
