import { type Listed, type Listing, MOST_PACKAGES, type Need, type Reading, type ReadingGap, type Root, Unreadable } from "../facts.ts";
import { hashesOf, labelOf, originOf } from "../origin.ts";
import { Block, readBlocks } from "./block-yaml.ts";
import { refuseConflict } from "./json.ts";
import { duplicateGap } from "./npm-lock.ts";

/** One entry of either kind of yarn.lock: the descriptors that it answers to, and what they resolve to. */
interface Entry {
  readonly descriptors: readonly string[];
  readonly fields: ReadonlyMap<string, string>;
  readonly needs: readonly (readonly [name: string, range: string])[];
  readonly line: number;
}

/** yarn.lock of Yarn 1 (its own format) and of Yarn 2 and later (a YAML of it). Neither says what was asked for but through package.json. */
export function readYarnLock(source: string): Reading {
  refuseConflict(source);
  const berry = /^__metadata:/m.test(source.slice(0, 4096));
  if (!berry && !source.slice(0, 4096).includes("yarn lockfile v1") && source.trim() !== "")
    throw new Unreadable("unsupported", "neither a yarn.lock of Yarn 1 nor of Yarn 2 and later");
  const { entries, duplicates, version } = berry ? readBerry(source) : readClassic(source);
  const gaps: ReadingGap[] = duplicates.length > 0 ? [duplicateGap(duplicates)] : [];
  const cut = entries.length > MOST_PACKAGES;
  if (cut) gaps.push({ reason: "too_many", detail: `it lists more than ${MOST_PACKAGES} packages; the rest was not read`, matters: true });
  const { packages, roots } = berry ? joinBerry(entries.slice(0, MOST_PACKAGES)) : joinClassic(entries.slice(0, MOST_PACKAGES));
  const listing: Listing = { format: `yarn.lock ${version}`, tool: "yarn", role: "lock", subject: null, packages, roots };
  return { listings: [listing], gaps };
}

function readClassic(source: string): { entries: Entry[]; duplicates: string[]; version: string } {
  const entries: Entry[] = [];
  let fields = new Map<string, string>();
  let needs: [string, string][] = [];
  let inNeeds = false;
  for (const [index, raw] of source.split("\n").entries()) {
    const line = raw.trimEnd();
    if (line === "" || line.startsWith("#")) continue;
    if (!line.startsWith(" ")) {
      if (!line.endsWith(":")) throw new Unreadable("syntax_error", `line ${index + 1} is not what Yarn would write`);
      fields = new Map();
      needs = [];
      inNeeds = false;
      entries.push({ descriptors: descriptors(line.slice(0, -1)), fields, needs, line: index + 1 });
    } else if (line.startsWith("    ")) {
      const pair = words(line);
      if (inNeeds && pair) needs.push(pair);
    } else if (line === "  dependencies:" || line === "  optionalDependencies:") inNeeds = true;
    else {
      const pair = words(line);
      inNeeds = false;
      if (pair) fields.set(pair[0], pair[1]);
    }
  }
  return { entries, duplicates: [], version: "v1" };
}

/** `"@a/b@^1.0.0", "@a/b@^1.1.0"` or `a@^1, a@^2`. */
function descriptors(text: string): string[] {
  return text.split(/,\s?/).map((each) => each.trim().replace(/^"|"$/g, ""));
}

/** `  key value`, either in quotes or not. */
function words(line: string): [string, string] | null {
  const text = line.trim();
  const end = text.startsWith('"') ? text.indexOf('"', 1) + 1 : text.indexOf(" ");
  if (end <= 0) return null;
  const strip = (word: string) => word.trim().replace(/^"|"$/g, "");
  return [strip(text.slice(0, end)), strip(text.slice(end))];
}

function readBerry(source: string): { entries: Entry[]; duplicates: readonly string[]; version: string } {
  const { blocks, duplicates } = readBlocks(source);
  const document = blocks[0] ?? new Block();
  const entries: Entry[] = [];
  for (const [key, { value, line }] of document.entries) {
    if (key === "__metadata" || !(value instanceof Block)) continue;
    const fields = new Map([...value.entries].flatMap(([name, { value: each }]) => (typeof each === "string" ? [[name, each] as const] : [])));
    const needs = [...value.block("dependencies").entries].flatMap(([name, { value: each }]) => (typeof each === "string" ? [[name, each] as const] : []));
    entries.push({ descriptors: key.split(", "), fields, needs, line });
  }
  return { entries, duplicates, version: `v${document.block("__metadata").text("version").slice(0, 10) || "2"}` };
}

function joinClassic(entries: readonly Entry[]): { packages: Listed[]; roots: Root[] } {
  const { needsOf } = edges(entries, (name, range) => [`${name}@${range}`]);
  const packages = entries.map((entry): Listed => {
    const [descriptor = ""] = entry.descriptors;
    const resolved = entry.fields.get("resolved") ?? "";
    const alias = /^(?:@[^/]+\/)?[^@]+@npm:((?:@[^/]+\/)?[^@]+)/.exec(descriptor)?.[1];
    const hashes = hashesOf(`${entry.fields.get("integrity") ?? ""} ${/#([0-9a-f]{40})$/.exec(resolved)?.[1]?.replace(/^/, "sha1:") ?? ""}`);
    const from = originOf(resolved || (/@(file|link):/.test(descriptor) ? "file:" : ""));
    const unhashed = hashes.length === 0 && from.origin === "registry" && resolved !== "";
    return {
      ...{ ecosystem: "npm", name: alias ?? nameOf(descriptor), version: entry.fields.get("version") ?? "", line: entry.line, needs: needsOf(entry), ...from },
      ...{ answers: entry.descriptors },
      ...labelOf(resolved, alias ?? nameOf(descriptor), entry.fields.get("version") ?? ""),
      ...(hashes.length > 0 ? { hashes } : {}),
      ...(unhashed ? { unhashed } : {}),
    };
  });
  return { packages, roots: [] };
}

function joinBerry(entries: readonly Entry[]): { packages: Listed[]; roots: Root[] } {
  const spelled = (name: string, range: string) => [`${name}@${range}`, `${name}@npm:${range}`];
  const { index, needsOf } = edges(entries, spelled);
  const roots: Root[] = [];
  const packages = entries.map((entry): Listed => {
    const resolution = entry.fields.get("resolution") ?? entry.descriptors[0] ?? "";
    const name = nameOf(resolution);
    const reference = resolution.slice(name.length + 1);
    const workspace = reference.startsWith("workspace:");
    if (workspace) {
      // A member's development dependencies stand among its dependencies here: package.json tells them apart.
      for (const [wanted, range] of entry.needs) {
        const target = index(wanted, range);
        const member = reference.slice("workspace:".length);
        roots.push({
          ecosystem: "npm",
          name: wanted,
          range: range.slice(0, 200),
          group: "production",
          target,
          line: entry.line,
          ...(member === "." ? {} : { member }),
        });
      }
    }
    const from = workspace
      ? { origin: "workspace" as const }
      : originOf(/^(npm|patch):/.test(reference) ? "" : reference.replace(/^[\w@/-]+@(?=git|https?:)/, ""));
    const version = workspace ? "" : (/^npm:([^:@]+)$/.exec(reference)?.[1] ?? entry.fields.get("version") ?? "");
    const checksum = /^(?:[0-9a-z]+\/)?([0-9a-f]{128})$/.exec(entry.fields.get("checksum") ?? "")?.[1];
    // What is for another platform was not fetched, and has no checksum yet.
    const unhashed = checksum === undefined && from.origin === "registry" && !entry.fields.has("conditions");
    // Its checksum is of Yarn's own archive, not of what the registry gave: no use to anybody else.
    return { ecosystem: "npm", name, version, line: entry.line, needs: workspace ? [] : needsOf(entry), ...from, ...(unhashed ? { unhashed } : {}) };
  });
  return { packages, roots: roots.filter(({ target }) => target < 0 || packages[target]?.origin !== "workspace") };
}

function edges(entries: readonly Entry[], spelled: (name: string, range: string) => string[]) {
  const indexes = new Map<string, number>();
  for (const [index, { descriptors: all }] of entries.entries()) for (const each of all) indexes.set(each, index);
  const index = (name: string, range: string): number => {
    for (const each of spelled(name, range)) {
      const found = indexes.get(each);
      if (found !== undefined) return found;
    }
    return -1;
  };
  const needsOf = (entry: Entry): Need[] =>
    entry.needs.flatMap(([name, range]) => {
      const target = index(name, range);
      return target < 0 ? [] : [[target, range.replace(/^npm:/, "").slice(0, 200)] as const];
    });
  return { index, needsOf };
}

function nameOf(descriptor: string): string {
  const at = descriptor.indexOf("@", 1);
  return at < 0 ? descriptor : descriptor.slice(0, at);
}
