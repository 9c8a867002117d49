import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { parse } from "yaml";

/** Every file below `code/` in each directory of rules, parsed: data for `readCodeRules`, which says what is wrong with them. */
export async function readCodeDocuments(directories: readonly string[]): Promise<unknown[]> {
  const documents: unknown[] = [];
  for (const directory of directories.map((each) => join(each, "code"))) {
    const names = await readdir(directory, { recursive: true }).catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return [];
      throw error;
    });
    for (const name of names.filter((each) => /\.ya?ml$/.test(each)).sort()) {
      documents.push(parse(await readFile(join(directory, name), "utf8"), { maxAliasCount: 0 }));
    }
  }
  return documents;
}
