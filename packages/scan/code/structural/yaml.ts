import { type Position, pathOf, readDocument, type SourceDocument } from "@plastron/document";
import { textExpression } from "./expression.ts";
import type { YamlBody } from "./kinds.ts";

export function documentOf(text: string): SourceDocument | null {
  try {
    return readDocument(text, { noun: "document", code: "invalid_document" });
  } catch {
    return null;
  }
}

export function findInYaml(document: SourceDocument, source: string, { yaml: { when, ...wanted } }: YamlBody): Position[] {
  if (!when.every((each) => at(document, each).length > 0)) return [];
  const lines = source.split("\n");
  return at(document, wanted).map((place) => lineWithin(place, lines, wanted.matches));
}

function at(
  document: SourceDocument,
  { path, matches, not_matches }: { path: string; matches?: string | undefined; not_matches?: string | undefined },
): Position[] {
  const [yes, no] = [matches, not_matches].map((source) => (source === undefined ? null : textExpression(source)));
  const found: Position[] = [];
  walk(document.value, [], path.split("."), 0, (value, parts) => {
    const text = typeof value === "object" ? "" : String(value);
    const place = document.positions.get(pathOf(parts)) ?? document.keys.get(pathOf(parts));
    if (place && (!yes || yes.test(text)) && !no?.test(text)) found.push(place);
  });
  return found;
}

/** Where `on: pull_request_target` or `on: [push, pull_request_target]` is asked for as `on.pull_request_target`, the word itself is it. */
function walk(
  value: unknown,
  parts: (string | number)[],
  path: readonly string[],
  i: number,
  tell: (value: unknown, parts: (string | number)[]) => void,
): void {
  if (i === path.length) {
    if (Array.isArray(value)) value.forEach((each, n) => tell(each, [...parts, n]));
    else tell(value, parts);
    return;
  }
  const segment = path[i] as string;
  if (segment === "**") walk(value, parts, path, i + 1, tell);
  if (Array.isArray(value)) {
    // Lists are seen through: `steps.run` is `run` of each step.
    value.forEach((each, n) => {
      if (i === path.length - 1 && each === segment) tell("", [...parts, n]);
      else if (typeof each === "object") walk(each, [...parts, n], path, i, tell);
    });
    return;
  }
  if (typeof value !== "object" || value === null) {
    if (i === path.length - 1 && value === segment) tell("", parts);
    return;
  }
  for (const [key, inner] of Object.entries(value)) {
    if (segment === "**") walk(inner, [...parts, key], path, i, tell);
    else if (segment === "*" || segment === key) walk(inner, [...parts, key], path, i + 1, tell);
  }
}

/** In a block of text the line that matches, not the one where the block begins. */
function lineWithin(place: Position, lines: readonly string[], matches: string | undefined): Position {
  const begin = lines[place.line - 1]?.slice(place.column - 1) ?? "";
  if (matches === undefined || !/^[|>]/.test(begin)) return place;
  const pattern = textExpression(matches);
  const offset = lines.slice(place.line).findIndex((line) => pattern.test(line.slice(0, 2000)));
  if (offset < 0) return place;
  const line = place.line + 1 + offset;
  return { line, column: (lines[line - 1]?.search(/\S/) ?? 0) + 1 };
}
