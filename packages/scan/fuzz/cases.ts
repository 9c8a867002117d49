import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import type { Confirmed } from "./confirm.ts";
import { caseName } from "./finding.ts";
import { harnessSchema, oracleSchema, pumpSchema } from "./harness.ts";

/** A finding as a test that stays: `.plastron/fuzz/HARNESS/ORACLE-HASH.json`. */
export const fuzzCaseSchema = z.object({
  version: z.literal(1),
  harness: harnessSchema,
  oracle: oracleSchema,
  key: z.string().max(1000),
  message: z.string().max(5000),
  input: z.array(z.unknown()).max(16),
  pump: pumpSchema.nullable(),
  seed: z.int(),
});
export type FuzzCase = z.infer<typeof fuzzCaseSchema>;

export const CASES_PATH = ".plastron/fuzz";
const MOST_CASES = 1000;
const LARGEST = 1024 * 1024;

/** Writes one, below a directory of the user's own; gives its path from there. */
export function writeCase(root: string, { harness, oracle, key, message, input, pump, seed }: Confirmed): string {
  const name = join(harness.id.replace(/[^\w.-]+/g, "_").slice(0, 100), `${caseName({ harness, oracle, key })}.json`);
  const path = join(root, CASES_PATH, name);
  mkdirSync(join(path, ".."), { recursive: true });
  const one: FuzzCase = { version: 1, harness, oracle, key, message, input, pump, seed };
  writeFileSync(path, `${JSON.stringify(one, null, 2)}\n`);
  return join(CASES_PATH, name);
}

export interface ReadCases {
  readonly cases: readonly { readonly path: string; readonly content: FuzzCase }[];
  readonly unreadable: readonly { readonly path: string; readonly why: string }[];
}

/** All cases below a directory; those that are none are told. */
export function readCases(root: string): ReadCases {
  const cases: { path: string; content: FuzzCase }[] = [];
  const unreadable: { path: string; why: string }[] = [];
  const base = join(root, CASES_PATH);
  let names: string[] = [];
  try {
    names = (readdirSync(base, { recursive: true }) as string[]).filter((name) => name.endsWith(".json")).sort();
  } catch {
    return { cases, unreadable };
  }
  for (const name of names.slice(0, MOST_CASES)) {
    const path = join(CASES_PATH, name);
    try {
      if (statSync(join(base, name)).size > LARGEST) throw new Error("larger than a case can be");
      cases.push({ path, content: fuzzCaseSchema.parse(JSON.parse(readFileSync(join(base, name), "utf8"))) });
    } catch (error) {
      unreadable.push({ path, why: error instanceof z.ZodError ? (error.issues[0]?.message ?? "not a case") : (error as Error).message });
    }
  }
  return { cases, unreadable };
}
