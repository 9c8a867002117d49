import { globMatcher } from "@plastron/contracts";

/**
 * What `.gitignore` files leave out (https://git-scm.com/docs/gitignore). They are the artifact's: a pattern may be made to take long, so all are matched in
 * time linear in pattern × path, and what is too long or too many is no pattern (then more is looked at, never less).
 */
interface Pattern {
  readonly keep: boolean;
  readonly directories: boolean;
  readonly matches: (path: string, name: string) => boolean;
}

const LONGEST = 512;
const MOST = 2000;

export class IgnoreRules {
  /** By the directory that they stand in; "" is the root. */
  readonly #byDirectory = new Map<string, readonly Pattern[]>();

  add(directory: string, text: string): void {
    const patterns = text.split(/\r?\n/, MOST).flatMap((line) => patternOf(line) ?? []);
    if (patterns.length > 0) this.#byDirectory.set(directory, [...(this.#byDirectory.get(directory) ?? []), ...patterns]);
  }

  /** The last pattern of the deepest file decides. Says nothing of directories above `path`, which the caller has asked about. */
  ignores(path: string, directory: boolean): boolean {
    const name = path.slice(path.lastIndexOf("/") + 1);
    for (let base: string | null = parentOf(path); base !== null; base = parentOf(base)) {
      const below = base === "" ? path : path.slice(base.length + 1);
      const patterns = this.#byDirectory.get(base) ?? [];
      for (let at = patterns.length - 1; at >= 0; at--) {
        const pattern = patterns[at] as Pattern;
        if ((directory || !pattern.directories) && pattern.matches(below, name)) return !pattern.keep;
      }
    }
    return false;
  }
}

function parentOf(path: string): string | null {
  if (path === "") return null;
  const slash = path.lastIndexOf("/");
  return slash < 0 ? "" : path.slice(0, slash);
}

function patternOf(line: string): Pattern | null {
  let text = line.replace(/(?<!\\) +$/, "");
  if (text === "" || text.startsWith("#") || text.length > LONGEST) return null;
  const keep = text.startsWith("!");
  if (keep) text = text.slice(1);
  const directories = text.endsWith("/");
  if (directories) text = text.slice(0, -1);
  const anchored = text.includes("/");
  if (text.startsWith("/")) text = text.slice(1);
  return text === "" ? null : { keep, directories, matches: matcherOf(text, anchored) };
}

function matcherOf(text: string, anchored: boolean): Pattern["matches"] {
  if (!/[*?[\\]/.test(text)) return anchored ? (path) => path === text : (_, name) => name === text;
  const suffix = anchored ? undefined : /^\*([^*?[\\/]+)$/.exec(text)?.[1];
  if (suffix !== undefined) return (_, name) => name.endsWith(suffix);
  const matches = globMatcher(`/${globOf(text)}`);
  return anchored ? (path) => matches(`/${path}`) : (_, name) => matches(`/${name}`);
}

/** The house's own globs know neither `\` nor `[!a]`, and take every `**` for one that crosses slashes. */
function globOf(text: string): string {
  return text
    .replace(/\\(.)/g, (_, character: string) => (/[*?[]/.test(character) ? `[${character}]` : character))
    .replaceAll("[!", "[^")
    .replace(/(^|[^*/])\*\*+(?=[^*/]|$)|(^|\/)\*\*+(?=[^*/])/g, (_, before = "", start = "") => `${before}${start}*`);
}
