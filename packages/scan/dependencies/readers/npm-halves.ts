import type { Disagreement } from "../facts.ts";
import { hashesOf } from "../origin.ts";
import { get, isObject, type JsonObject, type KeyPlaces, object, text } from "./json.ts";

const MOST = 1000;

/**
 * Version 2 of package-lock.json says everything twice: `packages`, which npm obeys since version 7, and `dependencies`, which npm 6 and many other
 * tools read. Where both are by npm they agree; where one was written by hand, who reviews one half installs the other.
 */
export function disagreements(document: JsonObject, lines: KeyPlaces): Disagreement[] {
  const places = object(document, "packages");
  const found: Disagreement[] = [];
  const levels: { entries: JsonObject; above: string }[] = [{ entries: object(document, "dependencies"), above: "" }];
  for (let level = levels.pop(); level !== undefined && found.length < MOST; level = levels.pop()) {
    for (const [key, old] of Object.entries(level.entries)) {
      if (!isObject(old)) continue;
      const place = `${level.above}node_modules/${key}`;
      const entry = object(places, place);
      const link = get(entry, "link") === true;
      if (!link) {
        const said = answers(key, old, Object.hasOwn(places, place) ? entry : null);
        if (said !== null) found.push({ place, ...said, line: lines.line("packages", place) });
      }
      const below = link ? text(entry, "resolved") : place;
      const nested = get(old, "dependencies");
      // A path that grows with every level is its author's; it ends where no disk would hold it.
      if (isObject(nested) && below.length < 4000) levels.push({ entries: nested, above: below === "" ? "" : `${below}/` });
    }
  }
  return found;
}

/** What each half says, where that is not the same. */
function answers(key: string, old: JsonObject, entry: JsonObject | null): Pick<Disagreement, "since7" | "before7"> | null {
  const said = text(old, "version");
  const [, alias, real] = /^npm:((?:@[^/@]+\/)?[^/@]+)@(.+)$/.exec(said.slice(0, 500)) ?? [];
  const address = alias === undefined && /[:/]/.test(said);
  const before = `${alias ?? key}@${real ?? said}`;
  if (entry === null) return address ? null : { since7: null, before7: before };
  const now = `${text(entry, "name") || key}@${text(entry, "version")}`;
  if (!address && before !== now) return { since7: now, before7: before };
  const [from, fromNow] = [fetched(address ? said : text(old, "resolved")), fetched(text(entry, "resolved"))];
  if (from !== "" && fromNow !== "" && from !== fromNow) return { since7: fromNow, before7: from };
  const [hash, hashNow] = [text(old, "integrity"), text(entry, "integrity")];
  return sameContent(hash, hashNow) ? null : { since7: hashNow.slice(0, 100), before7: hash.slice(0, 100) };
}

/** An address of the web, however it is reached. */
function fetched(address: string): string {
  return /^https?:\/\//.test(address) ? address.slice(0, 300).replace(/^https?:/, "") : "";
}

/** False where both give a hash of one kind, and none of them is the same. */
function sameContent(one: string, other: string): boolean {
  const theirs = hashesOf(other);
  const comparable = hashesOf(one).filter(([kind]) => theirs.some(([their]) => their === kind));
  return comparable.length === 0 || comparable.some(([kind, value]) => theirs.some(([their, hash]) => their === kind && hash === value));
}
