import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { parse } from "yaml";

/**
 * The files of `secrets/` in each directory of rules, parsed: data for `createSecrets` and `verifiersOf`, which say what is wrong with them.
 * A directory without one brings none.
 */
export async function readSecretRules(directories: readonly string[]): Promise<unknown[]> {
  const documents: unknown[] = [];
  for (const directory of directories.map((each) => join(each, "secrets"))) {
    const names = await readdir(directory).catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return [];
      throw error;
    });
    for (const name of names.filter((each) => /\.ya?ml$/.test(each)).sort()) {
      documents.push(parse(await readFile(join(directory, name), "utf8"), { maxAliasCount: 0 }));
    }
  }
  return documents;
}
