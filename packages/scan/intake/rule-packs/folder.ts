import { lstatSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { PlastronError } from "@plastron/contracts";
import type { PackFiles } from "../../rules/index.ts";

const MAX_FILES = 5000;
const MAX_FILE_BYTES = 256 * 1024;
const MAX_DEPTH = 8;

/** Every YAML file below a folder, by its path there. Links are not followed: a pack is what lies in it. Throws invalid_rule past the limits. */
export function readRuleFolder(root: string): PackFiles {
  const files = new Map<string, string>();
  const walk = (folder: string, depth: number): void => {
    if (depth > MAX_DEPTH) throw tooMuch(root, `${folder} lies more than ${MAX_DEPTH} folders deep`);
    for (const entry of readdirSync(join(root, folder), { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
      if (entry.isDirectory() && !entry.name.startsWith(".") && entry.name !== "node_modules") walk(path, depth + 1);
      else if (entry.isFile() && /\.ya?ml$/.test(entry.name)) files.set(path, textOf(root, path));
      if (files.size > MAX_FILES) throw tooMuch(root, `more than ${MAX_FILES} files`);
    }
  };
  walk("", 0);
  return files;
}

function textOf(root: string, path: string): string {
  const full = join(root, path);
  if (lstatSync(full).size > MAX_FILE_BYTES) throw tooMuch(root, `${path} is larger than ${MAX_FILE_BYTES} bytes`);
  return readFileSync(full, "utf8");
}

const tooMuch = (root: string, why: string): PlastronError => new PlastronError("invalid_rule", `${root} is no folder of rules: ${why}`);
