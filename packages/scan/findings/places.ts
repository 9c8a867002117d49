import type { Finding, Match, Place } from "@plastron/contracts";

/** A place's file among all, layers included, as `fileKey` says it: `archive:vendor.zip!/lib/a.js`. */
export function placeKey(place: Pick<Place, "path" | "layers">): string {
  return [...place.layers, place.path].join("!/");
}

/**
 * The same without the commit in which it was seen: what lies in a repository's history and in its tree is one thing to repair, and
 * keeps its name when it is deleted from the tree.
 */
export function lastingKey(place: Pick<Place, "path" | "layers">): string {
  return placeKey({ path: place.path, layers: place.layers.filter((layer) => !layer.startsWith("commit:")) });
}

export const inHistory = (place: Pick<Place, "layers">): boolean => place.layers.some((layer) => layer.startsWith("commit:"));

export function byPlace(a: Pick<Place, "path" | "layers" | "line" | "column">, b: Pick<Place, "path" | "layers" | "line" | "column">): number {
  return compare(placeKey(a), placeKey(b)) || a.line - b.line || a.column - b.column;
}

/** By code unit, not by language: the order must be the same on every machine. */
export function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Whether two spans of one file have a character in common; an empty span has the one it stands at. */
export function overlap(a: Place, b: Place): boolean {
  return before(startOf(a), endOf(b)) && before(startOf(b), endOf(a));
}

export function sameSpan(a: Place, b: Place): boolean {
  return a.line === b.line && a.column === b.column && a.end_line === b.end_line && a.end_column === b.end_column;
}

export const linesOf = (place: Place): number => Math.max(1, place.end_line - place.line + 1);

type Point = readonly [line: number, column: number];
const startOf = (place: Place): Point => [place.line, place.column];
const endOf = (place: Place): Point =>
  place.end_line > place.line || (place.end_line === place.line && place.end_column > place.column)
    ? [place.end_line, place.end_column]
    : [place.line, place.column + 1];
const before = ([line, column]: Point, [otherLine, otherColumn]: Point): boolean => line < otherLine || (line === otherLine && column < otherColumn);

/** Every rule that says this finding: its own, and those that said the same. */
export function rulesOf(finding: Pick<Finding, "rule" | "also">): string[] {
  return [finding.rule, ...finding.also.map(({ rule }) => rule)];
}

export type Located = Pick<Match, "place">;
