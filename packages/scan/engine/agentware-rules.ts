import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { parse } from "yaml";

/** The files of `agentware/` and `agentware/lexicon/` in each directory of rules, parsed: data for `createAgentware`, which says what is wrong with them. */
export async function readAgentwareRules(directories: readonly string[]): Promise<unknown[]> {
  const documents: unknown[] = [];
  for (const directory of directories.flatMap((each) => [join(each, "agentware"), join(each, "agentware/lexicon")])) {
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
