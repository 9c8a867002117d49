import { realpathSync } from "node:fs";
import { readMappings } from "../stacks/process.ts";

/** Learns one file, so that stacks of programs that have it mapped are fast from the first on: `learnBinary` of stacks. */
export type Learn = (path: string) => void;

/**
 * Files of interpreters, learned ahead: that takes 50 to 600 ms of Node's own, much longer than a program may be held still. One at a
 * time, while nobody is looked at.
 */
export class Learning {
  readonly #learn: Learn;
  readonly #files: string[];

  constructor(interpreters: readonly string[], learn: Learn) {
    this.#learn = learn;
    this.#files = interpreters.length === 0 ? [] : [...new Set([...interpreters.flatMap(resolved), ...ownLibraries()])];
  }

  get isDone(): boolean {
    return this.#files.length === 0;
  }

  next(): void {
    const file = this.#files.shift();
    if (file !== undefined) this.#learn(file);
  }
}

/** None where it is not installed. */
function resolved(path: string): string[] {
  try {
    return [realpathSync(path)];
  } catch {
    return [];
  }
}

/** The C library and its like are the same files in sandboxes, and our own process has them mapped. */
function ownLibraries(): string[] {
  const { mappings } = readMappings("/proc/self");
  return mappings.filter(({ executable, file, path }) => executable && file !== null && /\.so[.0-9]*$/.test(path)).map(({ path }) => path);
}
