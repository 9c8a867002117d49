/** So many names below one parent are told one by one. */
const TOLD_EACH = 5;
const KEPT_PARENTS = 256;

/**
 * Names of which records are made, by the parent that they share: who makes names up has thousands, and one `*.example.com` says it.
 * A parent is the last two labels, as in tunnel.ts; a name that is no longer than that is its own.
 */
export class Relatives {
  readonly #told = new Map<string, Set<string>>();

  /** The name to be told of what is recorded as `kind`; after the first few `*.PARENT`, once; then null: it is only counted. */
  add(kind: string, name: string): string | null {
    const parent = name.split(".").slice(-2).join(".");
    if (parent === name) return name;
    const key = `${kind} ${parent}`;
    const told = this.#told.get(key) ?? new Set();
    if (told.has(name)) return name;
    if (told.size > TOLD_EACH) return null;
    if (this.#told.has(key) || this.#told.size < KEPT_PARENTS) this.#told.set(key, told.add(name));
    return told.size <= TOLD_EACH ? name : `*.${parent}`;
  }
}
