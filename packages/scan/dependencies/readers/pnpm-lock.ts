import { type Group, type Listed, type Listing, MOST_PACKAGES, type Need, type Reading, type ReadingGap, type Root, Unreadable } from "../facts.ts";
import { hashesOf, originOf } from "../origin.ts";
import { Block, type Node, readBlocks } from "./block-yaml.ts";
import { duplicateGap } from "./npm-lock.ts";

/**
 * pnpm-lock.yaml, versions 5 to 9. A key of `packages` is a name and a version: `/a/1.0.0_peer@2` (5), `/a@1.0.0(peer@2.0.0)` (6), `a@1.0.0` (9, where
 * `snapshots` hold the edges, with peers in the key). https://github.com/pnpm/spec/tree/master/lockfile
 */
export function readPnpmLock(source: string): Reading {
  const { blocks, duplicates } = readBlocks(source);
  const document = blocks.find((block) => block.entries.has("lockfileVersion") && block.entries.has("packages")) ?? blocks.at(-1);
  const version = document?.text("lockfileVersion") ?? "";
  if (document === undefined || !/^[5-9](\.\d+)?$/.test(version))
    throw new Unreadable("unsupported", `version ${JSON.stringify(version.slice(0, 20))} of pnpm-lock.yaml is not known`);
  const gaps: ReadingGap[] = duplicates.length > 0 ? [duplicateGap(duplicates)] : [];
  const read = packagesOf(document, Number(version));
  if (read.cut) gaps.push({ reason: "too_many", detail: `it lists more than ${MOST_PACKAGES} packages; the rest was not read`, matters: true });
  const listing: Listing = { format: `pnpm-lock.yaml v${version}`, tool: "pnpm", role: "lock", subject: null, packages: read.packages, roots: read.roots };
  return { listings: [listing], gaps };
}

function packagesOf(document: Block, version: number): { packages: Listed[]; roots: Root[]; cut: boolean } {
  const described = document.block("packages").entries;
  const snapshots = document.block("snapshots").entries;
  const keys = version >= 9 && snapshots.size > 0 ? snapshots : described;
  const indexes = new Map<string, number>();
  const cut = keys.size > MOST_PACKAGES;
  const kept = [...keys].slice(0, MOST_PACKAGES);
  for (const [index, [key]] of kept.entries()) indexes.set(key, index);
  const packages = kept.map(([key, { value, line }]) => {
    const edges = value instanceof Block ? value : new Block();
    const bare = withoutPeers(key);
    const about = described.get(bare) ?? described.get(key);
    const facts = about?.value instanceof Block ? about.value : edges;
    return listed(key, facts, about?.line ?? line, needsOf(edges, indexes, version));
  });
  return { packages, roots: rootsOf(document, indexes, version), cut };
}

function listed(key: string, facts: Block, line: number, needs: Need[]): Listed {
  const split = splitKey(key, facts);
  const resolution = facts.block("resolution");
  const tarball = resolution.text("tarball");
  const git = resolution.text("repo") || (resolution.text("type") === "git" ? key : "");
  const from =
    git !== ""
      ? originOf(git.startsWith("git") ? git : `git+${git}`)
      : resolution.text("type") === "directory"
        ? { origin: "path" as const }
        : originOf(tarball);
  const hashes = hashesOf(resolution.text("integrity"));
  const group: Group = facts.text("dev") === "true" ? "development" : facts.text("optional") === "true" ? "optional" : "production";
  return {
    ...{ ecosystem: "npm", ...split, line, needs, group, ...from },
    ...(hashes.length > 0 ? { hashes } : from.origin === "registry" ? { unhashed: true } : {}),
  };
}

/** Name and version in a key of any version of the format. */
export function splitKey(key: string, facts: Block): { name: string; version: string } {
  const name = facts.text("name");
  const version = facts.text("version");
  if (name !== "" && version !== "") return { name, version };
  const bare = withoutPeers(key).replace(/^\//, "");
  const at = bare.indexOf("@", 1);
  const old = /^((?:@[^/@]+\/)?[^/@]+)\/(\d[^/_]*)/.exec(bare);
  if (old?.[1] && old[2]) return { name: old[1], version: old[2] };
  if (at < 0) return { name: name || bare, version };
  const said = bare.slice(at + 1);
  return { name: name || bare.slice(0, at), version: version || (/[:/]/.test(said) ? "" : said) };
}

function withoutPeers(key: string): string {
  const open = key.indexOf("(");
  return open < 0 ? key : key.slice(0, open);
}

function needsOf(edges: Block, indexes: ReadonlyMap<string, number>, version: number): Need[] {
  const needs: Need[] = [];
  for (const field of ["dependencies", "optionalDependencies"]) {
    for (const [name, { value }] of edges.block(field).entries) {
      const target = targetOf(name, value, indexes, version);
      if (target >= 0) needs.push([target, ""]);
    }
  }
  return needs;
}

/** A version is the rest of a key, or, for an alias, a link or a tarball, the whole key. */
function targetOf(name: string, value: Node, indexes: ReadonlyMap<string, number>, version: number): number {
  if (typeof value !== "string") return -1;
  const spelled = version >= 9 ? [`${name}@${value}`, value] : version >= 6 ? [`/${name}@${value}`, value] : [`/${name}/${value}`, value];
  for (const each of spelled) {
    const found = indexes.get(each);
    if (found !== undefined) return found;
  }
  return -1;
}

const FIELDS = [
  ["dependencies", "production"],
  ["optionalDependencies", "optional"],
  ["devDependencies", "development"],
] as const;

function rootsOf(document: Block, indexes: ReadonlyMap<string, number>, version: number): Root[] {
  const importers = document.entries.has("importers") ? document.block("importers").entries : new Map([[".", { value: document, line: 1 }]]);
  return [...importers].flatMap(([member, { value }]) => {
    if (!(value instanceof Block)) return [];
    const ranges = value.block("specifiers");
    return FIELDS.flatMap(([field, group]) =>
      [...value.block(field).entries].map(([name, { value: asked, line }]): Root => {
        const resolved = asked instanceof Block ? asked.text("version") : asked;
        const range = (asked instanceof Block ? asked.text("specifier") : ranges.text(name)).slice(0, 200);
        const linked = typeof resolved === "string" && resolved.startsWith("link:");
        const target = targetOf(name, resolved, indexes, version);
        return {
          ecosystem: "npm",
          name,
          range,
          group,
          target,
          line,
          ...(linked ? { origin: "workspace" as const } : {}),
          ...(member === "." ? {} : { member }),
        };
      }),
    );
  });
}
