import { existsSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { RuntimeBody } from "../client/client.ts";
import { usage } from "../failure.ts";

type Packages = Pick<RuntimeBody, "packages" | "requirements" | "package_json" | "package_lock">;

/**
 * `--packages` as the API takes it: a file of the kind that pip or npm reads, else names with commas between them. The
 * package-lock.json beside a package.json goes along. Throws Failure where it names nothing, or a file among names.
 */
export function readPackages(words: string[], from: "python3" | "nodejs" | undefined): Packages {
  const [first = "", ...others] = words;
  if (!isFile(first)) return { packages: words.flatMap((word) => splitNames(word)) };
  if (others.length > 0) throw usage("--packages names a file and more", "Give one file, or names.");
  const text = read(first);
  if (basename(first) !== "package.json" && !(from === "nodejs" && first.endsWith(".json"))) return { requirements: text };
  const lock = join(dirname(first), "package-lock.json");
  return { package_json: text, ...(existsSync(lock) ? { package_lock: read(lock) } : {}) };
}

/** A name ends at a comma that neither stands in brackets nor before a comparison: `pandas>=1,<2,pillow[x,y]` are two. */
function splitNames(words: string): string[] {
  const names = words
    .split(/,(?!\s*[<>=!~])(?![^[]*\])/)
    .map((name) => name.trim())
    .filter(Boolean);
  if (names.length === 0) throw usage("--packages names nothing", "Such as --packages numpy==1.26.4,pandas or --packages requirements.txt.");
  for (const name of names) if (isFile(name)) throw usage(`--packages names the file ${name} among others`, "Give one file, or names.");
  return names;
}

const isFile = (word: string): boolean => /\.(txt|in|json)$/.test(word) || word.includes("/package") || (/^[./~]/.test(word) && existsSync(word));

function read(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw usage(`${file} cannot be read: ${(error as NodeJS.ErrnoException).code}`, "Give a requirements.txt or a package.json, or names of packages.");
  }
}
