import type { Reader } from "../facts.ts";
import { readNpmLock } from "./npm-lock.ts";

/** Who reads a file of this name; undefined where nobody does. */
export function readerOf(path: string): Reader | undefined {
  const name = path.slice(path.lastIndexOf("/") + 1);
  return BY_NAME.get(name);
}

const BY_NAME: ReadonlyMap<string, Reader> = new Map<string, Reader>([
  ["package-lock.json", readNpmLock],
  ["npm-shrinkwrap.json", readNpmLock],
  [".package-lock.json", readNpmLock],
]);
