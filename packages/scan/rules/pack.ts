import { createHash } from "node:crypto";
import { PlastronError, type Problem } from "@plastron/contracts";
import { type Rule, type RuleKind, readRule } from "./read.ts";

/** Rules that came together: the project's own, or a user's. */
export interface Pack {
  readonly name: string;
  /** sha256 over the paths and contents of its files, hexadecimal: equal versions find equal things. */
  readonly version: string;
  readonly rules: readonly Rule[];
}

/** What is wrong with one file of a pack. */
export interface PackFault {
  readonly file: string;
  readonly message: string;
  readonly errors: NonNullable<Problem["errors"]>;
}

/** Path below the pack's root, with forward slashes → text. */
export type PackFiles = ReadonlyMap<string, string>;

const MAX_RULES = 5000;

/** Reads every rule of a pack, by these kinds. All that is wrong is told: a pack with faults is not one to scan with. */
export function readPack(name: string, files: PackFiles, kinds: readonly RuleKind[]): { pack: Pack; faults: PackFault[] } {
  const rules: Rule[] = [];
  const faults: PackFault[] = [];
  for (const file of ruleFiles(files)) {
    try {
      rules.push(readRule(file, files.get(file) as string, kinds));
    } catch (error) {
      if (!(error instanceof PlastronError)) throw error;
      faults.push({ file, message: error.message, errors: error.errors ?? [] });
    }
  }
  return { pack: { name, version: packVersion(files), rules }, faults };
}

function ruleFiles(files: PackFiles): string[] {
  // What lies in a folder `models` tells an analyser of libraries: no rule, nothing to find.
  const named = [...files.keys()].filter((path) => /\.ya?ml$/.test(path) && !/(?:^|\/)models\//.test(path)).sort();
  if (named.length > MAX_RULES) throw new PlastronError("invalid_rule", `a pack has at most ${MAX_RULES} rules, and this one ${named.length}`);
  return named;
}

/** Lengths stand before contents, so that no two packs have one text to hash. */
export function packVersion(files: PackFiles): string {
  const hash = createHash("sha256");
  for (const path of [...files.keys()].sort()) {
    const text = files.get(path) as string;
    hash.update(`${Buffer.byteLength(path)}:${path}:${Buffer.byteLength(text)}:`).update(text);
  }
  return hash.digest("hex");
}
