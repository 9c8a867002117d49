import { readFile } from "node:fs/promises";
import { join } from "node:path";

/** A secret that a header needs and that cannot be read. Its message names it and never holds it. */
export class NoSecret extends Error {}

const NAME = /^[A-Za-z0-9_-][A-Za-z0-9._-]{0,252}$/;

/** DIRECTORY/NAME/KEY, read anew for each request: a secret that is changed is used at once, and none is kept. */
export async function readSecret(directory: string | null, { name, key }: { name: string; key: string }): Promise<string> {
  if (directory === null) throw new NoSecret(`secret ${name}/${key} is needed, and there is no directory of secrets`);
  if (!NAME.test(name) || !NAME.test(key)) throw new NoSecret(`secret ${name}/${key} has an impossible name`);
  const text = await readFile(join(directory, name, key), "utf8").catch((error: NodeJS.ErrnoException) => {
    throw new NoSecret(`secret ${name}/${key} cannot be read: ${error.code}`);
  });
  const value = text.replace(/\r?\n$/, "");
  if (/[^\t\x20-\x7e\x80-\xff]/.test(value)) throw new NoSecret(`secret ${name}/${key} cannot stand in a header`);
  return value;
}
