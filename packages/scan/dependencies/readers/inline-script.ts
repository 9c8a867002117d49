import { type Listing, type Reading, type Root, Unreadable } from "../facts.ts";
import { list } from "./json.ts";
import { parseRequirement, rootOf } from "./requirement.ts";
import { parseToml } from "./toml.ts";

const BEGIN = "# /// script";

/** What a script of Python says in a comment that it needs (PEP 723): https://packaging.python.org/en/latest/specifications/inline-script-metadata/ */
export function readInlineScript(source: string): Reading {
  if (!source.startsWith(BEGIN) && !source.includes(`\n${BEGIN}`)) return { listings: [], gaps: [] };
  const [block, ...others] = blocksOf(source);
  if (block === undefined) return { listings: [], gaps: [] };
  // Tools must refuse it, too.
  if (others.length > 0) throw new Unreadable("duplicate_keys", "it says twice what it needs, and tools differ in which they obey");
  const roots = list(parseToml(block.toml), "dependencies").flatMap((each): Root[] => {
    const requirement = typeof each === "string" ? parseRequirement(each) : null;
    if (requirement === null) return [];
    const below = block.lines.findIndex((line) => line.includes(requirement.name));
    return [rootOf(requirement, "production", block.line + Math.max(0, below))];
  });
  const listing: Listing = { format: "inline script", tool: "uv", role: "manifest", subject: null, packages: [], roots };
  return { listings: roots.length === 0 ? [] : [listing], gaps: [] };
}

interface Block {
  readonly toml: string;
  readonly lines: readonly string[];
  /** Of its first line below the mark. */
  readonly line: number;
}

const MOST_LINES = 1000;

/** A block ends at the last `# ///` before a line that is no comment. */
function blocksOf(source: string): Block[] {
  const lines = source.split("\n", 100_000).map((line) => line.trimEnd());
  const blocks: Block[] = [];
  for (let at = 0; at < lines.length; at++) {
    if (lines[at] !== BEGIN) continue;
    let stop = -1;
    let next = at + 1;
    for (; next < lines.length && next - at < MOST_LINES && /^#( |$)/.test(lines[next] as string); next++) if (lines[next] === "# ///") stop = next;
    // Nor does one that begins further down in the same comment end.
    if (stop < 0) at = next - 1;
    if (stop < 0) continue;
    const inner = lines.slice(at + 1, stop).map((line) => line.slice(2));
    blocks.push({ toml: inner.join("\n"), lines: inner, line: at + 2 });
    at = stop;
  }
  return blocks;
}
