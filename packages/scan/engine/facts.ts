import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { AnalyserName } from "@plastron/contracts";

/** What files said of themselves, for `project`. Kept in a file that has no name any more: an artifact's facts may be larger than this process's memory. */
export class FactsOfScan {
  readonly #fd: number;
  readonly #places = new Map<AnalyserName, Map<string, { at: number; length: number }>>();
  #end = 0;

  constructor() {
    const directory = mkdtempSync(join(tmpdir(), "plastron-facts-"));
    this.#fd = openSync(join(directory, "facts"), "wx+", 0o600);
    rmSync(directory, { recursive: true });
  }

  put(analyser: AnalyserName, key: string, facts: Buffer): void {
    const places = this.#places.get(analyser) ?? new Map();
    this.#places.set(analyser, places);
    places.set(key, { at: this.#end, length: facts.length });
    for (let done = 0; done < facts.length; ) done += writeSync(this.#fd, facts, done, facts.length - done, this.#end + done);
    this.#end += facts.length;
  }

  /** Sorted by key, so that every scan tells them in one order. */
  *all(): Iterable<{ analyser: AnalyserName; key: string; facts: Buffer }> {
    for (const [analyser, places] of this.#places) {
      for (const key of [...places.keys()].sort()) {
        const { at, length } = places.get(key) as { at: number; length: number };
        const facts = Buffer.allocUnsafe(length);
        for (let done = 0; done < length; ) {
          const got = readSync(this.#fd, facts, done, length - done, at + done);
          if (got === 0) throw new Error("the file of facts is shorter than it was");
          done += got;
        }
        yield { analyser, key, facts };
      }
    }
  }

  close(): void {
    closeSync(this.#fd);
  }
}
