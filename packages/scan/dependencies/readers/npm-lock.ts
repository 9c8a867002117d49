import { type Listed, type Listing, MOST_PACKAGES, type Need, type Reading, type ReadingGap, type Root, Unreadable } from "../facts.ts";
import { hashesOf, labelOf, originOf } from "../origin.ts";
import { get, isObject, type JsonObject, type KeyPlaces, keyPlaces, object, parseJson, text } from "./json.ts";
import { groupOf, word } from "./npm-entry.ts";
import { disagreements } from "./npm-halves.ts";
import { readTree } from "./npm-lock-tree.ts";

/**
 * package-lock.json and npm-shrinkwrap.json, versions 1 to 3, and node_modules/.package-lock.json.
 * https://docs.npmjs.com/cli/configuring-npm/package-lock-json
 */
export function readNpmLock(source: string, path = ""): Reading {
  const document = parseJson(source);
  const places = keyPlaces(source);
  const version = Number(get(document, "lockfileVersion") ?? 1);
  if (![1, 2, 3].includes(version)) throw new Unreadable("unsupported", `version ${String(version).slice(0, 20)} of package-lock.json is not known`);
  const gaps: ReadingGap[] = places.duplicates.length > 0 ? [duplicateGap(places.duplicates)] : [];
  const read = isObject(get(document, "packages")) ? readPlaces(document, places) : readTree(object(document, "dependencies"), places);
  if (read.cut) gaps.push({ reason: "too_many", detail: `it lists more than ${MOST_PACKAGES} packages; the rest was not read`, matters: true });
  const subject = text(document, "name") === "" ? null : { name: text(document, "name"), version: text(document, "version") };
  const listing: Listing = {
    format: `package-lock.json v${version}`,
    tool: "npm",
    role: path.endsWith("node_modules/.package-lock.json") ? "installed" : "lock",
    subject,
    packages: read.packages,
    roots: read.roots,
  };
  const twice = version === 2 && isObject(get(document, "packages")) ? disagreements(document, places) : [];
  return { listings: [twice.length === 0 ? listing : { ...listing, disagreements: twice }], gaps };
}

export function duplicateGap(names: readonly string[]): ReadingGap {
  const named = names.slice(0, 3).join(", ");
  return { reason: "duplicate_keys", detail: `keys stand in it twice, and tools differ in which one they obey: ${named}`, matters: true };
}

/** Version 2 and 3: one entry for each place on disk. */
function readPlaces(document: JsonObject, places: KeyPlaces): { packages: Listed[]; roots: Root[]; cut: boolean } {
  const entries = object(document, "packages");
  const indexes = new Map<string, number>();
  const kept: { place: string; entry: JsonObject }[] = [];
  const members: { place: string; entry: JsonObject }[] = [];
  let cut = false;
  for (const place of Object.keys(entries)) {
    const entry = entries[place];
    if (!isObject(entry) || get(entry, "link") === true) continue;
    if (!/(^|\/)node_modules\//.test(place)) members.push({ place, entry });
    else if (kept.length >= MOST_PACKAGES) cut = true;
    else {
      indexes.set(place, kept.length);
      kept.push({ place, entry });
    }
  }
  const packages = kept.map(({ place, entry }) => listed(place, entry, places.line("packages", place), needsOf(place, entry, indexes)));
  const roots = members.flatMap(({ place, entry }) => rootsOf(place, entry, indexes, places.line("packages", place)));
  return { packages, roots, cut };
}

function listed(place: string, entry: JsonObject, line: number, needs: Need[]): Listed {
  const name = text(entry, "name") || place.slice(place.lastIndexOf("node_modules/") + 13);
  const resolved = text(entry, "resolved");
  const bundled = get(entry, "inBundle") === true;
  const from = originOf(resolved);
  const hashes = hashesOf(text(entry, "integrity"));
  const unhashed = !bundled && hashes.length === 0 && from.origin === "registry" && resolved !== "";
  return {
    ...{ ecosystem: "npm", name, version: text(entry, "version"), line, needs, group: groupOf(entry), ...from },
    ...labelOf(resolved, name, text(entry, "version")),
    ...(hashes.length > 0 ? { hashes } : {}),
    ...(unhashed ? { unhashed } : {}),
    ...(bundled ? { bundled } : {}),
  };
}

function needsOf(place: string, entry: JsonObject, indexes: ReadonlyMap<string, number>): Need[] {
  const needs: Need[] = [];
  for (const field of ["dependencies", "optionalDependencies", "peerDependencies"]) {
    const wanted = object(entry, field);
    for (const name of Object.keys(wanted)) {
      const target = find(place, name, indexes);
      if (target >= 0) needs.push([target, word(wanted[name])]);
    }
  }
  return needs;
}

function rootsOf(place: string, entry: JsonObject, indexes: ReadonlyMap<string, number>, line: number): Root[] {
  const fields = [
    ["dependencies", "production"],
    ["optionalDependencies", "optional"],
    ["devDependencies", "development"],
    ["peerDependencies", "peer"],
  ] as const;
  return fields.flatMap(([field, group]) =>
    Object.entries(object(entry, field)).map(([name, range]): Root => {
      const target = find(place, name, indexes);
      return { ecosystem: "npm", name, range: word(range), group, target, line, ...(place === "" ? {} : { member: place }) };
    }),
  );
}

/** As Node looks a name up: beside the package, then in each directory above. */
function find(place: string, name: string, indexes: ReadonlyMap<string, number>): number {
  let base = place;
  for (let climbed = 0; climbed < 64; climbed++) {
    const found = indexes.get(base === "" ? `node_modules/${name}` : `${base}/node_modules/${name}`);
    if (found !== undefined) return found;
    if (base === "") return -1;
    const nested = base.lastIndexOf("/node_modules/");
    base = nested >= 0 ? base.slice(0, nested) : base.startsWith("node_modules/") ? "" : base.slice(0, Math.max(0, base.lastIndexOf("/")));
  }
  return -1;
}
