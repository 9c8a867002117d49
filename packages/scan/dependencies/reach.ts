import type { CodeFacts, Import, Use } from "../outline.ts";
import { pythonName } from "./versions/python.ts";

/** How near a weakness is to the artifact's own code. */
export interface Reach {
  readonly level: "function_used" | "imported" | "installed" | "unknown";
  readonly words: string;
}

/** What the artifact's code takes from which package. */
export interface Reachability {
  /** `chain` are the names from a direct dependency down to the package. */
  of(ecosystem: string, name: string, chain: readonly string[], functions: readonly string[]): Reach;
}

/** What one package is taken for, and from where. */
interface Taken {
  /** First file of the artifact's own that imports it. */
  own: { file: string; line: number } | null;
  /** Packages whose sources, lying in the artifact, import it. */
  readonly by: Set<string>;
  readonly uses: { member: string; file: string; line: number }[];
}

interface Languages {
  readonly npm: boolean;
  readonly PyPI: boolean;
}

/** From the outlines that the code analyser made of every file. */
export function reachabilityOf(code: ReadonlyMap<string, CodeFacts>, pythonModules: ReadonlyMap<string, string>): Reachability {
  const taken = new Map<string, Taken>();
  const computed = new Set<string>();
  const sources = new Set<string>();
  const seen = { npm: false, PyPI: false };
  for (const [file, facts] of code) {
    const outline = facts?.outline;
    if (outline === undefined) continue;
    const ecosystem = outline.language === "python" ? "PyPI" : "npm";
    const owner = ownerOf(file, ecosystem, pythonModules);
    if (owner === null) seen[ecosystem] = true;
    else sources.add(`${ecosystem}\0${owner}`);
    const note = (item: Import | Use, member: string | null) => take(taken, { ecosystem, owner, file, item, member, pythonModules });
    for (const each of outline.imports) {
      if (each.module === "" && each.dynamic && owner === null) computed.add(ecosystem);
      note(each, null);
      for (const name of each.names) if (name !== "*") note(each, name);
    }
    for (const each of outline.uses) note(each, each.member);
  }
  return { of: (ecosystem, name, chain, functions) => judge({ taken, computed, sources, seen }, ecosystem, name, chain, functions) };
}

interface Noted {
  readonly ecosystem: string;
  readonly owner: string | null;
  readonly file: string;
  readonly item: Import | Use;
  readonly member: string | null;
  readonly pythonModules: ReadonlyMap<string, string>;
}

function take(taken: Map<string, Taken>, { ecosystem, owner, file, item, member, pythonModules }: Noted): void {
  const split = packageOf(item.module, ecosystem, pythonModules);
  if (split === null || split.name === owner) return;
  const key = `${ecosystem}\0${split.name}`;
  const entry: Taken = taken.get(key) ?? { own: null, by: new Set(), uses: [] };
  taken.set(key, entry);
  if (owner !== null) {
    entry.by.add(owner);
    return;
  }
  entry.own ??= { file, line: item.line };
  const below = [...split.below, ...(member === null || member === "" ? [] : [member])].join(".");
  if (below !== "" && entry.uses.length < 1000) entry.uses.push({ member: below, file, line: item.line });
}

/** `@a/b/c.js` → package `@a/b`, below it `c`; null for the artifact's own and the runtime's. */
function packageOf(module: string, ecosystem: string, pythonModules: ReadonlyMap<string, string>): { name: string; below: string[] } | null {
  if (module === "" || module.startsWith(".") || module.startsWith("/") || module.startsWith("node:") || module.startsWith("#")) return null;
  if (ecosystem === "npm") {
    const parts = module.split("/");
    const length = module.startsWith("@") ? 2 : 1;
    return { name: parts.slice(0, length).join("/"), below: parts.slice(length).map((part) => part.replace(/\.[cm]?js$/, "")) };
  }
  const parts = module.split(".");
  for (let length = Math.min(parts.length, 3); length > 0; length--) {
    const known = pythonModules.get(parts.slice(0, length).join("."));
    if (known !== undefined) return { name: known, below: parts.slice(length) };
  }
  return { name: pythonName(parts[0] as string), below: parts.slice(1) };
}

/** The package in whose installed sources a file lies; null: it is the artifact's own. */
function ownerOf(file: string, ecosystem: string, pythonModules: ReadonlyMap<string, string>): string | null {
  const npm = file.lastIndexOf("node_modules/");
  if (ecosystem === "npm" && npm >= 0) return /^(@[^/]+\/[^/]+|[^/]+)/.exec(file.slice(npm + 13))?.[0] ?? null;
  const python = /(?:^|\/)(?:site|dist)-packages\/(.+)$/.exec(file)?.[1];
  return python === undefined ? null : (packageOf(python.replace(/\.py$/, "").replaceAll("/", "."), "PyPI", pythonModules)?.name ?? null);
}

interface Known {
  readonly taken: ReadonlyMap<string, Taken>;
  readonly computed: ReadonlySet<string>;
  readonly sources: ReadonlySet<string>;
  readonly seen: Languages;
}

function judge(known: Known, ecosystem: string, written: string, chain: readonly string[], functions: readonly string[]): Reach {
  if ((ecosystem !== "npm" && ecosystem !== "PyPI") || !known.seen[ecosystem]) return { level: "unknown", words: "" };
  const spell = (name: string) => (ecosystem === "PyPI" ? pythonName(name) : name);
  const name = spell(written);
  const entry = known.taken.get(`${ecosystem}\0${name}`);
  if (entry?.own) {
    const used = entry.uses.find(({ member }) => functions.some((each) => sameFunction(member, each)));
    if (used) return { level: "function_used", words: `${used.member} of it is used at ${used.file}:${used.line}.` };
    const whole = functions.length > 0 ? `, but ${functions.slice(0, 3).join(", ")}, where the weakness is, was not seen to be used` : "";
    return { level: "imported", words: `It is imported at ${entry.own.file}:${entry.own.line}${whole}.` };
  }
  const through = importedThrough(known, ecosystem, name);
  if (through !== null) return { level: "imported", words: `The code imports ${through.join(", which imports ")}, which imports it.` };
  if (known.computed.has(ecosystem))
    return { level: "unknown", words: "The code imports modules by names that are computed, so it cannot be said whether this one is used." };
  const top = chain[0] === undefined ? name : spell(chain[0]);
  if (top === name || !known.taken.get(`${ecosystem}\0${top}`)?.own)
    return { level: "installed", words: "No file of the artifact's own imports it or what brings it." };
  return known.sources.has(`${ecosystem}\0${top}`)
    ? { level: "installed", words: `${top}, which brings it, is imported, but nothing that is imported was seen to import it.` }
    : { level: "unknown", words: `${top}, which brings it, is imported; its sources are not here, so what it uses is not known.` };
}

/** Packages from one that the artifact's own code imports down to the one that imports `name`, by the sources that lie here. */
function importedThrough(known: Known, ecosystem: string, name: string): string[] | null {
  const above = new Map<string, string | null>([[name, null]]);
  const queue = [name];
  for (let at = 0; at < queue.length && at < 10_000; at++) {
    const each = queue[at] as string;
    for (const owner of known.taken.get(`${ecosystem}\0${each}`)?.by ?? []) {
      if (above.has(owner)) continue;
      above.set(owner, each);
      if (known.taken.get(`${ecosystem}\0${owner}`)?.own) {
        const chain: string[] = [];
        for (let step: string | null = owner; step !== null && step !== name; step = above.get(step) ?? null) chain.push(step);
        return chain;
      }
      queue.push(owner);
    }
  }
  return null;
}

/** `fp.template` and `template.default` are `template`; to import the class `Template` is not to call `Template.render`. */
function sameFunction(member: string, affected: string): boolean {
  return member === affected || member.endsWith(`.${affected}`) || member.startsWith(`${affected}.`);
}
