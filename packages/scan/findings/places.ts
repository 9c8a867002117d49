import type { Finding, Place } from "@plastron/contracts";

/** Layers that are ways to write text, not things that hold files: a place within them is a place of the file. */
const WRITTEN = /^(base(16|32|58|64|85)(url)?|hex|url|percent|html|unicode|utf-?(7|16)|escapes?|gzip|deflate|zlib|rot13|json|xml|jwt|quoted-printable)\b/i;
const COMMIT = "commit:";

/** A place's file among all, as `fileKey` says it: `vendor.zip!/lib/a.js`. */
export function placeKey({ path, layers }: Pick<Place, "path" | "layers">): string {
  return [...layers.filter((layer) => !WRITTEN.test(layer)), path].join("!/");
}

/**
 * The same without the commit in which it was seen: what lies in a repository's history and in its tree is one thing to repair, and
 * keeps its name when it is deleted from the tree.
 */
export function lastingKey({ path, layers }: Pick<Place, "path" | "layers">): string {
  return placeKey({ path, layers: layers.filter((layer) => !layer.startsWith(COMMIT)) });
}

/** For people: the file as it lies there, then how it is hidden and since when. */
export function placeWords(place: Pick<Place, "path" | "layers">): string {
  const commit = place.layers.find((layer) => layer.startsWith(COMMIT))?.slice(COMMIT.length);
  const written = place.layers.filter((layer) => WRITTEN.test(layer));
  const aside = [commit && `commit ${commit.slice(0, 12)}`, ...written].filter(Boolean).join(", ");
  return `${lastingKey(place)}${aside && ` (${aside})`}`;
}

/** What lies on the disk, or in the repository: the outermost archive, else the file. */
export function outermost({ path, layers }: Pick<Place, "path" | "layers">): string {
  const [container] = layers.filter((layer) => !WRITTEN.test(layer) && !layer.startsWith(COMMIT));
  return container?.replace(/^archive:/, "") ?? path;
}

export const inHistory = (place: Pick<Place, "layers">): boolean => place.layers.some((layer) => layer.startsWith(COMMIT));

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
