import { Unreadable } from "../facts.ts";
import { refuseConflict } from "./json.ts";

/** What stands after a key or a dash. Null: nothing. */
export type Node = string | null | Node[] | Block;
export class Block {
  readonly entries = new Map<string, { readonly value: Node; readonly line: number }>();

  get(key: string): Node {
    return this.entries.get(key)?.value ?? null;
  }

  text(key: string): string {
    const value = this.get(key);
    return typeof value === "string" ? value : "";
  }

  block(key: string): Block {
    const value = this.get(key);
    return value instanceof Block ? value : EMPTY;
  }
}
export const EMPTY = new Block();

export interface BlockDocument {
  /** Documents of one file, in order. */
  readonly blocks: readonly Block[];
  readonly duplicates: readonly string[];
}

/**
 * The part of YAML that pnpm and yarn write: mappings by indentation, one-line flow collections, one-line scalars. Tens of megabytes a
 * second, with the line of every key, where a whole YAML reader needs minutes for what a hostile author can write. Anchors, aliases and tags, which
 * no tool writes into a lock file, are refused.
 */
export function readBlocks(text: string): BlockDocument {
  refuseConflict(text);
  return new BlockReader(text).documents();
}

interface Line {
  readonly indent: number;
  readonly text: string;
  readonly number: number;
}

const DEEPEST = 32;

class BlockReader {
  readonly #text: string;
  #at = 0;
  #number = 0;
  #line: Line | null = null;
  readonly #duplicates: string[] = [];

  constructor(text: string) {
    this.#text = text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
    this.#next();
  }

  documents(): BlockDocument {
    const blocks: Block[] = [];
    while (this.#line !== null) {
      if (this.#line.text.startsWith("---") || this.#line.text === "...") this.#next();
      else blocks.push(this.#block(this.#line.indent, 0));
    }
    return { blocks, duplicates: this.#duplicates };
  }

  /** To the next line that says something. */
  #next(): void {
    for (;;) {
      if (this.#at >= this.#text.length) {
        this.#line = null;
        return;
      }
      let end = this.#text.indexOf("\n", this.#at);
      if (end < 0) end = this.#text.length;
      const begin = this.#at;
      let start = begin;
      this.#at = end + 1;
      this.#number++;
      while (start < end && this.#text.charCodeAt(start) === 32) start++;
      const first = this.#text.charCodeAt(start);
      if (start >= end || first === 35 || first === 13) continue;
      this.#line = { indent: start - begin, text: this.#text.slice(start, end).trimEnd(), number: this.#number };
      return;
    }
  }

  #block(indent: number, depth: number): Block {
    if (depth > DEEPEST) throw new Unreadable("depth", "it is nested too deeply");
    const block = new Block();
    for (let line = this.#line; line !== null && line.indent === indent; line = this.#line) {
      if (indent === 0 && (line.text.startsWith("---") || line.text === "...")) break;
      const { key, rest } = this.#key(line);
      if (block.entries.has(key) && this.#duplicates.length < 100) this.#duplicates.push(key);
      block.entries.set(key, { value: this.#value(rest, indent, depth), line: line.number });
    }
    if (this.#line !== null && this.#line.indent > indent) throw malformed(this.#line);
    return block;
  }

  /** `key: rest`, or `? key` with `: rest` on the next line. */
  #key(line: Line): { key: string; rest: string } {
    if (line.text.startsWith("? ")) {
      const key = scalar(line.text.slice(2), line);
      this.#next();
      if (!this.#line?.text.startsWith(":")) throw malformed(line);
      return { key, rest: this.#line.text.slice(1).trim() };
    }
    const first = line.text[0] as string;
    if (first === '"' || first === "'") {
      const end = quotedEnd(line.text, 0);
      if (end < 0 || line.text[end] !== ":") throw malformed(line);
      return { key: unquoted(line.text.slice(0, end), line), rest: line.text.slice(end + 1).trim() };
    }
    const colon = line.text.endsWith(":") && !line.text.includes(": ") ? line.text.length - 1 : line.text.indexOf(": ");
    if (colon <= 0 || "&*!{[-".includes(first)) throw malformed(line);
    return { key: line.text.slice(0, colon), rest: line.text.slice(colon + 1).trim() };
  }

  #value(rest: string, indent: number, depth: number): Node {
    const line = this.#line as Line;
    this.#next();
    if (/^[|>][-+0-9]*$/.test(rest)) return this.#folded(indent);
    if (rest !== "" && !rest.startsWith("#")) return inline(rest, line);
    const below = this.#line;
    if (below === null) return null;
    if (below.text === "-" || below.text.startsWith("- ")) return below.indent >= indent ? this.#sequence(below.indent, depth + 1) : null;
    return below.indent > indent ? this.#block(below.indent, depth + 1) : null;
  }

  #folded(indent: number): string {
    const parts: string[] = [];
    while (this.#line !== null && this.#line.indent > indent) {
      parts.push(this.#line.text);
      this.#next();
    }
    return parts.join(" ");
  }

  #sequence(indent: number, depth: number): Node[] {
    const items: Node[] = [];
    for (let line = this.#line; line !== null && line.indent === indent && (line.text === "-" || line.text.startsWith("- ")); line = this.#line) {
      const rest = line.text.slice(2);
      const inner = indent + 2 + (rest.length - rest.trimStart().length);
      if (/^[^\s"'{[][^"'{[]*:(\s|$)/.test(rest)) {
        this.#line = { indent: inner, text: rest.trimStart(), number: line.number };
        items.push(this.#block(inner, depth + 1));
      } else items.push(this.#value(rest.trim(), indent, depth));
    }
    return items;
  }
}

function malformed(line: Line): Unreadable {
  return new Unreadable("syntax_error", `line ${line.number} is not what a tool would write`);
}

/** A scalar or a flow collection on one line. */
function inline(text: string, line: Line): Node {
  if (text[0] !== "{" && text[0] !== "[") return scalar(text, line);
  const [value, end] = flow(text, 0, line, 0);
  const left = text.slice(end).trim();
  if (left !== "" && !left.startsWith("#")) throw malformed(line);
  return value;
}

function flow(text: string, start: number, line: Line, depth: number): [Node, number] {
  if (depth > DEEPEST) throw new Unreadable("depth", "it is nested too deeply");
  const open = text[start];
  if (open !== "{" && open !== "[") {
    const end = open === '"' || open === "'" ? quotedEnd(text, start) : plainEnd(text, start);
    if (end < 0) throw malformed(line);
    return [scalar(text.slice(start, end).trim(), line), end];
  }
  const close = open === "{" ? "}" : "]";
  const block = new Block();
  const items: Node[] = [];
  let at = skip(text, start + 1);
  while (at < text.length && text[at] !== close) {
    let value: Node;
    [value, at] = flow(text, at, line, depth + 1);
    at = skip(text, at);
    if (open === "{") {
      const key = typeof value === "string" ? value : "";
      value = null;
      if (text[at] === ":") [value, at] = flow(text, skip(text, at + 1), line, depth + 1);
      block.entries.set(key, { value, line: line.number });
    } else items.push(value);
    at = skip(text, at);
    if (text[at] === ",") at = skip(text, at + 1);
    else if (text[at] !== close) throw malformed(line);
  }
  if (at >= text.length) throw malformed(line);
  return [open === "{" ? block : items, at + 1];
}

function skip(text: string, from: number): number {
  let at = from;
  while (text.charCodeAt(at) === 32) at++;
  return at;
}

/** A plain scalar in a flow ends at a comma, a bracket, or a colon before a space. */
function plainEnd(text: string, start: number): number {
  for (let at = start; at < text.length; at++) {
    const char = text[at] as string;
    if (",}]".includes(char) || (char === ":" && text[at + 1] === " ")) return at;
  }
  return -1;
}

/** Index after the closing quote; -1 where there is none. */
function quotedEnd(text: string, start: number): number {
  const quote = text[start];
  for (let at = start + 1; at < text.length; at++) {
    if (quote === '"' && text[at] === "\\") at++;
    else if (text[at] === quote) {
      if (quote === "'" && text[at + 1] === "'") at++;
      else return at + 1;
    }
  }
  return -1;
}

function scalar(text: string, line: Line): string {
  const first = text[0] ?? "";
  if (first === '"' || first === "'") {
    const end = quotedEnd(text, 0);
    if (end < 0) throw malformed(line);
    return unquoted(text.slice(0, end), line);
  }
  if ("&*!|>@`%".includes(first) && first !== "" && !(first === "*" && text === "*") && !(first === ">" && /^>=?\s?\d/.test(text))) throw malformed(line);
  const comment = text.indexOf(" #");
  return comment < 0 ? text : text.slice(0, comment).trimEnd();
}

function unquoted(quoted: string, line: Line): string {
  if (quoted[0] === "'") return quoted.slice(1, -1).replaceAll("''", "'");
  if (!quoted.includes("\\")) return quoted.slice(1, -1);
  try {
    return JSON.parse(quoted) as string;
  } catch {
    throw malformed(line);
  }
}
