import { createHash } from "node:crypto";
import { lstatSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/**
 * What could change an analyser's answer besides its file: the sources of this package, the libraries that the lock file pins, the rules and the advisories.
 * A version number that somebody forgot to raise must not give yesterday's answers.
 */
export class Identity {
  readonly #paths: readonly string[];

  constructor(paths: readonly string[]) {
    this.#paths = [...paths].sort();
  }

  /** Of names and stamps alone: cheap, and different wherever anything was touched. */
  stamp(): string {
    return this.#hash((hash, path) => {
      const { size, mtimeNs, ctimeNs, ino } = lstatSync(path, { bigint: true });
      hash.update(`${path}\0${size}\0${mtimeNs}\0${ctimeNs}\0${ino}\0`);
    });
  }

  /** Of names and contents. */
  content(): string {
    return this.#hash((hash, path) => hash.update(`${path}\0`).update(createHash("sha256").update(readFileSync(path)).digest()));
  }

  #hash(take: (hash: ReturnType<typeof createHash>, path: string) => void): string {
    const hash = createHash("sha256");
    for (const path of this.#paths) for (const file of filesOf(path)) take(hash, file);
    return hash.digest("hex").slice(0, 24);
  }
}

function* filesOf(path: string): Iterable<string> {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat?.isFile()) yield path;
  if (!stat?.isDirectory()) return;
  for (const entry of readdirSync(path).sort()) {
    if (entry.endsWith(".test.ts") || entry === "testing" || entry === "fixtures") continue;
    yield* filesOf(join(path, entry));
  }
}
