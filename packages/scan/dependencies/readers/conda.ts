import type { Listed, Listing, Reading, Root } from "../facts.ts";
import { pythonName } from "../versions/python.ts";
import { Block, type Node, readBlocks } from "./block-yaml.ts";
import { parseRequirement, rootOf } from "./requirement.ts";

/** environment.yml: what pip installs is held against advisories; conda's own packages are in no database of OSV, and that is said. */
export function readCondaEnvironment(source: string): Reading {
  const document = readBlocks(source).blocks[0] ?? new Block();
  const dependencies = document.get("dependencies");
  if (!Array.isArray(dependencies)) return { listings: [], gaps: [] };
  const line = document.entries.get("dependencies")?.line ?? 1;
  const packages: Listed[] = [];
  const roots: Root[] = [];
  let conda = 0;
  for (const each of dependencies) {
    if (typeof each === "string") conda++;
    else if (each instanceof Block) for (const wish of textsOf(each.get("pip"))) note(wish);
  }
  function note(wish: string): void {
    const requirement = parseRequirement(wish);
    if (requirement === null) return;
    roots.push({ ...rootOf(requirement, "production", line), target: requirement.pinned === "" ? -1 : packages.length });
    if (requirement.pinned !== "") packages.push({ ecosystem: "PyPI", name: pythonName(requirement.name), version: requirement.pinned, line });
  }
  const listing: Listing = { format: "environment.yml", tool: "conda", role: "manifest", subject: null, packages, roots };
  const detail = `${conda} packages of conda are listed; no database of advisories knows them by these names`;
  return { listings: roots.length === 0 ? [] : [listing], gaps: conda === 0 ? [] : [{ reason: "ecosystem_not_supported", detail, matters: false }] };
}

function textsOf(node: Node): string[] {
  return Array.isArray(node) ? node.filter((each): each is string => typeof each === "string") : [];
}
