import { type Listed, MOST_PACKAGES, type Need, type Root } from "../facts.ts";
import { hashesOf, labelOf, originOf } from "../origin.ts";
import { get, isObject, type JsonObject, type KeyPlaces, object, text } from "./json.ts";
import { groupOf, word } from "./npm-entry.ts";

interface Level {
  readonly names: Map<string, number>;
  readonly above: Level | null;
}

/** Version 1: a tree as it lies on disk. It does not say what was asked for: that is in package.json, or in what nobody needs. */
export function readTree(top: JsonObject, places: KeyPlaces): { packages: Listed[]; roots: Root[]; cut: boolean } {
  const packages: (Omit<Listed, "needs"> & { needs: Need[] })[] = [];
  const waiting: { level: Level; requires: JsonObject; index: number }[] = [];
  // A list of levels instead of recursion: the tree is as deep as its author likes.
  const levels: { entries: JsonObject; level: Level; line: number | null }[] = [{ entries: top, level: { names: new Map(), above: null }, line: null }];
  let cut = false;
  for (let next = levels.pop(); next !== undefined; next = levels.pop()) {
    for (const [key, entry] of Object.entries(next.entries)) {
      if (!isObject(entry)) continue;
      if (packages.length >= MOST_PACKAGES) cut = true;
      if (cut) break;
      const line = next.line ?? places.line("dependencies", key);
      next.level.names.set(key, packages.length);
      const below: Level = { names: new Map(), above: next.level };
      waiting.push({ level: below, requires: object(entry, "requires"), index: packages.length });
      packages.push({ ...listed(key, entry, line), needs: [] });
      const nested = get(entry, "dependencies");
      if (isObject(nested)) levels.push({ entries: nested, level: below, line });
    }
  }
  for (const { level, requires, index } of waiting) {
    for (const [name, range] of Object.entries(requires)) {
      const target = find(level, name);
      if (target >= 0) packages[index]?.needs.push([target, word(range)]);
    }
  }
  return { packages, roots: [], cut };
}

function listed(key: string, entry: JsonObject, line: number): Listed {
  const said = text(entry, "version");
  const [, alias, real] = /^npm:((?:@[^/@]+\/)?[^/@]+)@(.+)$/.exec(said) ?? [];
  const direct = alias === undefined && /[:/]/.test(said);
  const resolved = direct ? said : text(entry, "resolved");
  const hashes = hashesOf(text(entry, "integrity"));
  const from = originOf(resolved);
  const bundled = get(entry, "bundled") === true;
  return {
    ...{ ecosystem: "npm", name: alias ?? key, version: direct ? "" : (real ?? said), line, group: groupOf(entry), ...from },
    ...(direct ? {} : labelOf(resolved, alias ?? key, real ?? said)),
    ...(hashes.length > 0 ? { hashes } : resolved !== "" && from.origin === "registry" && !bundled ? { unhashed: true } : {}),
    ...(bundled ? { bundled } : {}),
  };
}

function find(level: Level, name: string): number {
  let at: Level | null = level;
  for (let climbed = 0; at !== null && climbed < 64; climbed++, at = at.above) {
    const found = at.names.get(name);
    if (found !== undefined) return found;
  }
  return -1;
}
