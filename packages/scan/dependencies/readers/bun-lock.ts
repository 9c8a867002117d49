import { type Group, type Listed, type Listing, MOST_PACKAGES, type Need, type Reading, type ReadingGap, type Root } from "../facts.ts";
import { hashesOf, originOf } from "../origin.ts";
import { isObject, type Json, type JsonObject, type KeyPlaces, keyPlaces, object, parseJson, withoutTrailingCommas } from "./json.ts";
import { word } from "./npm-entry.ts";
import { duplicateGap } from "./npm-lock.ts";

/** bun.lock, the text form: JSON with commas at ends; a package is `[name@version, registry, {…}, integrity]`. https://bun.sh/docs/install/lockfile */
export function readBunLock(source: string): Reading {
  const plain = withoutTrailingCommas(source);
  const document = parseJson(plain);
  const places = keyPlaces(plain);
  const entries = Object.entries(object(document, "packages")).filter((entry): entry is [string, Json[]] => Array.isArray(entry[1]));
  const gaps: ReadingGap[] = places.duplicates.length > 0 ? [duplicateGap(places.duplicates)] : [];
  if (entries.length > MOST_PACKAGES)
    gaps.push({ reason: "too_many", detail: `it lists more than ${MOST_PACKAGES} packages; the rest was not read`, matters: true });
  const kept = entries.slice(0, MOST_PACKAGES);
  const indexes = new Map(kept.map(([key], index) => [key, index]));
  const packages = kept.map(([key, entry]) => listed(key, entry, indexes, places));
  const roots = Object.entries(object(document, "workspaces")).flatMap(([member, entry]) => (isObject(entry) ? rootsOf(member, entry, indexes, places) : []));
  const listing: Listing = { format: "bun.lock", tool: "bun", role: "lock", subject: null, packages, roots };
  return { listings: [listing], gaps };
}

function listed(key: string, entry: readonly Json[], indexes: ReadonlyMap<string, number>, places: KeyPlaces): Listed {
  const spelled = word(entry[0]);
  const at = spelled.indexOf("@", 1);
  const name = at < 0 ? spelled : spelled.slice(0, at);
  const said = at < 0 ? "" : spelled.slice(at + 1);
  const workspace = said.startsWith("workspace:");
  const from = workspace ? { origin: "workspace" as const } : /[:/]/.test(said) ? originOf(said) : originOf(word(entry[1]));
  const info = entry.find(isObject) ?? {};
  const hashes = hashesOf(
    entry
      .slice(1)
      .filter((each) => typeof each === "string" && each.startsWith("sha"))
      .join(" "),
  );
  const needs = ["dependencies", "optionalDependencies", "peerDependencies"].flatMap((field) => needsOf(key, object(info, field), indexes));
  return {
    ...{ ecosystem: "npm", name, version: /[:/]/.test(said) ? "" : said, line: places.line("packages", key), needs, ...from },
    ...(hashes.length > 0 ? { hashes } : from.origin === "registry" ? { unhashed: true } : {}),
  };
}

function needsOf(key: string, wanted: JsonObject, indexes: ReadonlyMap<string, number>): Need[] {
  return Object.entries(wanted).flatMap(([name, range]) => {
    const target = find(key, name, indexes);
    return target < 0 ? [] : [[target, word(range)] as const];
  });
}

/** `a/b` is b below a. A name may hold a slash itself: `@s/a/b`. */
function find(key: string, name: string, indexes: ReadonlyMap<string, number>): number {
  const parts = key === "" ? [] : (key.match(/@[^/]+\/[^/]+|[^/]+/g) ?? []).slice(0, 64);
  for (let length = parts.length; length >= 0; length--) {
    const found = indexes.get([...parts.slice(0, length), name].join("/"));
    if (found !== undefined) return found;
  }
  return -1;
}

const FIELDS: readonly (readonly [string, Group])[] = [
  ["dependencies", "production"],
  ["optionalDependencies", "optional"],
  ["devDependencies", "development"],
  ["peerDependencies", "peer"],
];

function rootsOf(member: string, entry: JsonObject, indexes: ReadonlyMap<string, number>, places: KeyPlaces): Root[] {
  const line = places.line("workspaces", member);
  const owner = word(entry.name);
  return FIELDS.flatMap(([field, group]) =>
    Object.entries(object(entry, field)).map(([name, range]): Root => {
      const target = find(member === "" ? "" : owner, name, indexes);
      return { ecosystem: "npm", name, range: word(range), group, target, line, ...(member === "" ? {} : { member }) };
    }),
  );
}
