import { isWritable } from "./places.ts";

/** One path as a pattern (a glob of contracts/watch.ts) that other runs of the same program match too, and why it is one. */
export interface Named {
  pattern: string;
  /** In words; empty where the pattern is the path itself. */
  why: string;
}

/**
 * What differs between two runs of one program is taken out of a path: numbers of processes, names that mkstemp or uuid made,
 * patch versions of libraries. Only of a path's own text: equal paths always give equal patterns, whatever else was seen.
 * Text of the program: signs of globs in it are escaped, and what cannot be spelt stands as any character.
 */
export function nameOf(path: string): Named {
  const clean = straight(path.replace(/ \(deleted\)$/, ""));
  if (clean.startsWith("/memfd:")) return { pattern: "/memfd:* (deleted)", why: "an anonymous file, whose name means nothing" };
  const reasons = new Set<string>();
  const parts = clean.split("/").map((part, at, all) => {
    const found = ofKernel(part, all, at) ?? ofLibrary(part, all) ?? (isWritable(clean) && at > 1 ? ofChance(part) : null) ?? ofCache(part);
    if (found) reasons.add(found.why);
    return found?.pattern ?? escaped(part);
  });
  return { pattern: parts.join("/"), why: [...reasons].sort().join("; ") };
}

/** What was asked for by a call that changes names may lead up and down again. */
function straight(path: string): string {
  if (!/\/(\.{0,2}(\/|$))/.test(path)) return path;
  const parts: string[] = [];
  for (const part of path.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  return `/${parts.join("/")}`;
}

/** A name that matches itself alone. */
export function escaped(name: string): string {
  return name.replace(/[*?[]/g, "[$&]").replace(/\u{fffd}+/gu, "*");
}

const NUMBER = "[0-9]*";

function ofKernel(part: string, all: readonly string[], at: number): Named | null {
  if (all[1] === "proc" && (/^\d+$/.test(part) || (at === 2 && /^(self|thread-self)$/.test(part))))
    return { pattern: NUMBER, why: "numbers of processes, threads and descriptors differ" };
  if (all[1] === "sys" && /^(cpu|node|index)\d+$/.test(part))
    return { pattern: part.replace(/\d+$/, NUMBER), why: "machines have other numbers of processors" };
  return null;
}

function ofLibrary(part: string, all: readonly string[]): Named | null {
  const [, name] = /^(lib[^/]*\.so\.\d+|lib[^/]*\.so)(?:\.\d+)+$/.exec(part) ?? [];
  if (!name || !["usr", "lib", "lib64", "opt"].includes(all[1] ?? "")) return null;
  return { pattern: `${escaped(name.replace(/\.so\.\d+$/, ".so"))}.*`, why: "updates change the versions of libraries" };
}

/** The interpreter writes under a number and renames. */
function ofCache(part: string): Named | null {
  const [, name] = /^(.+\.pyc)\.\d+$/.exec(part) ?? [];
  return name ? { pattern: `${escaped(name)}.${NUMBER}`, why: "bytecode is written under a random number first" } : null;
}

const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/gi;
const CHANCE = "random and temporary names differ";

/** Names that a program made by chance, in a place where it may make names. */
function ofChance(part: string): Named | null {
  if (UUID.test(part)) return { pattern: mapped(part, UUID, (found) => found.replace(/[0-9a-f]/gi, "?")), why: CHANCE };
  const temporary = /^(tmp|pymp-|psm_|sem\.mp-|wnsm_|tmp\.|npm-|node-)([A-Za-z0-9_]{6,12})(?=$|[.-])/.exec(part);
  if (temporary && !/^[a-z]+$/.test(temporary[2] ?? "")) return cut(part, temporary);
  if (temporary && /^(tmp|pymp-|psm_|sem\.mp-)$/.test(temporary[1] ?? "") && temporary[2]?.length === 8) return cut(part, temporary);
  const ending = /[-._]([A-Za-z0-9]{6})$/.exec(part);
  if (ending && isMixed(ending[1] as string)) return { pattern: `${escaped(part.slice(0, -6))}??????`, why: CHANCE };
  if (/^[a-z0-9_]{8}$/.test(part) && /[a-z_]/.test(part) && /\d/.test(part) && !/^[a-z_]+\d+$/.test(part)) return { pattern: "????????", why: CHANCE };
  const hex = /(?<![A-Za-z0-9])(?=[0-9a-f]*\d)(?=[0-9a-f]*[a-f])[0-9a-f]{8,}(?![A-Za-z0-9])/g;
  if (hex.test(part)) return { pattern: mapped(part, hex, (found) => (found.length > 64 ? "*" : "?".repeat(found.length))), why: CHANCE };
  const number = /\d{4,}/g;
  if (number.test(part)) return { pattern: mapped(part, number, () => NUMBER), why: "long numbers in names differ" };
  return null;
}

/** As mkdtemp and mktemp make them, and no word: digits among letters, or capitals inside. */
const isMixed = (text: string): boolean => !/^([A-Z]?[a-z]+|[A-Z]+|\d+|[A-Za-z]+\d{1,3})$/.test(text);

function cut(part: string, [whole, head = "", random = ""]: RegExpExecArray): Named {
  return { pattern: `${escaped(head)}${"?".repeat(random.length)}${escaped(part.slice(whole.length))}`, why: CHANCE };
}

function mapped(part: string, what: RegExp, to: (found: string) => string): string {
  what.lastIndex = 0;
  let [text, from] = ["", 0];
  for (const found of part.matchAll(what)) {
    text += escaped(part.slice(from, found.index)) + to(found[0]);
    from = found.index + found[0].length;
  }
  return text + escaped(part.slice(from));
}
