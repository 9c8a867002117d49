import { Unreadable } from "../facts.ts";

export type Json = null | boolean | number | string | Json[] | JsonObject;
export interface JsonObject {
  [key: string]: Json;
}

/** Parsed, or `Unreadable` with words that say why: git's conflict marks are the most frequent reason by far. */
export function parseJson(text: string): JsonObject {
  let value: Json;
  try {
    value = JSON.parse(text.charCodeAt(0) === 0xfeff ? text.slice(1) : text) as Json;
  } catch (error) {
    refuseConflict(text);
    throw new Unreadable("syntax_error", `not JSON: ${(error as Error).message.slice(0, 200)}`);
  }
  if (!isObject(value)) throw new Unreadable("syntax_error", "not an object");
  return value;
}

/** Throws where git left both sides of a conflict: either may be what gets installed. */
export function refuseConflict(text: string): void {
  if (text.startsWith("<<<<<<< ") || text.includes("\n<<<<<<< ")) throw new Unreadable("merge_conflict", "it holds both sides of an unresolved merge conflict");
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Own property alone: `constructor` of an empty object is nothing. */
export function get(value: unknown, key: string): Json | undefined {
  return isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;
}

export function text(value: unknown, key: string): string {
  const found = get(value, key);
  return typeof found === "string" ? found : "";
}

export function object(value: unknown, key: string): JsonObject {
  const found = get(value, key);
  return isObject(found) ? found : {};
}

export function list(value: unknown, key: string): readonly Json[] {
  const found = get(value, key);
  return Array.isArray(found) ? found : [];
}

/** Where each key of the top two levels stands, and which keys stand there twice. */
export interface KeyPlaces {
  line(parent: string, key: string): number;
  readonly duplicates: readonly string[];
}

/**
 * JSON.parse forgets lines, and keeps the last of two equal keys where a reader in another language may keep the first. One pass over a
 * text that JSON.parse took: strings are skipped by indexOf, so that it costs less than the parse.
 */
export function keyPlaces(text: string): KeyPlaces {
  const lines = new Map<string, number>();
  const duplicates: string[] = [];
  const parents: string[] = [];
  let depth = 0;
  let line = 1;
  let arrays = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === 10) line++;
    else if (code === 123) depth++;
    else if (code === 125) depth--;
    else if (code === 91) arrays++;
    else if (code === 93) arrays--;
    else if (code === 34) {
      const end = stringEnd(text, i);
      if (depth <= 2 && arrays === 0 && isKey(text, end)) {
        const key = unquote(text.slice(i, end));
        if (depth === 1) parents[0] = key;
        const name = depth === 1 ? `\0${key}` : `${parents[0]}\0${key}`;
        if (lines.has(name) && duplicates.length < 100) duplicates.push(key);
        lines.set(name, line);
      }
      i = end - 1;
    }
  }
  return { line: (parent, key) => lines.get(`${parent}\0${key}`) ?? lines.get(`\0${parent}`) ?? 1, duplicates };
}

/** Index after the closing quote. */
function stringEnd(text: string, start: number): number {
  for (let i = start + 1; ; i++) {
    i = text.indexOf('"', i);
    if (i < 0) return text.length;
    let slashes = 0;
    while (text.charCodeAt(i - 1 - slashes) === 92) slashes++;
    if (slashes % 2 === 0) return i + 1;
  }
}

function isKey(text: string, after: number): boolean {
  let i = after;
  for (let code = text.charCodeAt(i); code === 32 || code === 9 || code === 10 || code === 13; code = text.charCodeAt(i)) i++;
  return text.charCodeAt(i) === 58;
}

function unquote(quoted: string): string {
  if (!quoted.includes("\\")) return quoted.slice(1, -1);
  try {
    return JSON.parse(quoted) as string;
  } catch {
    return quoted;
  }
}

/** JSON as Bun writes it, with commas before closing brackets, as JSON: each such comma becomes a space, so that places stay. */
export function withoutTrailingCommas(text: string): string {
  const parts: string[] = [];
  let from = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === 34) i = stringEnd(text, i) - 1;
    else if (code === 44 && closes(text, i + 1)) {
      parts.push(text.slice(from, i));
      from = i + 1;
    }
  }
  return from === 0 ? text : `${parts.join(" ")} ${text.slice(from)}`;
}

function closes(text: string, from: number): boolean {
  for (let i = from; ; i++) {
    const code = text.charCodeAt(i);
    if (code !== 32 && code !== 9 && code !== 10 && code !== 13) return code === 125 || code === 93;
  }
}
