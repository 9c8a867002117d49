import { member, pathOf } from "./path.ts";
import type { Position, ProblemEntry, SourceDocument } from "./read.ts";

/** What a zod schema says of the value of a document, with places. A message for several unknown keys has one part each, parted by `; `. */
export function entriesOf(issue: { code: string; path: PropertyKey[]; message: string; keys?: string[] }, source: SourceDocument): ProblemEntry[] {
  const path = pathOf(issue.path);
  const missing = issue.code === "invalid_type" && issue.path.length > 0 && !source.positions.has(path);
  if (missing) return [{ path, message: `${path} is missing`, ...placeOf(issue.path, source) }];
  if (issue.code !== "unrecognized_keys" || !issue.keys)
    return [{ path, message: `${path || "the document"}: ${inWords(issue.message)}`, ...placeOf(issue.path, source) }];
  const messages = issue.message.split("; ");
  return issue.keys.map((key, i) => ({ path: member(path, key), message: messages[i] ?? issue.message, ...source.keys.get(member(path, key)) }));
}

const TYPES: Record<string, string> = {
  string: "text (in quotes, if it looks like a number)",
  boolean: "a boolean, true or false",
  array: "a list",
  object: "a map of fields",
  record: "a map of fields",
};

/** The schema library's own words for a value of another type, in ours. */
function inWords(message: string): string {
  const expected = /^Invalid input: expected (\w+), received \w+$/.exec(message)?.[1];
  return expected === undefined ? message : `must be ${TYPES[expected] ?? `a ${expected}`}`;
}

/** A missing field has no place of its own: the nearest thing around it that has one. */
function placeOf(parts: readonly PropertyKey[], source: SourceDocument): Position | undefined {
  for (let length = parts.length; length >= 0; length--) {
    const place = source.positions.get(pathOf(parts.slice(0, length)));
    if (place) return place;
  }
  return undefined;
}
