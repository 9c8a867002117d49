import type { Place } from "@plastron/contracts";

/** What is meant within one line of a snippet: characters `from` up to `to`. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/**
 * What a place is about, line by line of its snippet; null for lines that only surround it. Empty where nobody knows any more how columns
 * and snippet lie to each other; `shown` is then looked for, the form in which a secret stands there.
 */
export function meantIn(place: Place, shown = ""): (Span | null)[] {
  const lines = place.snippet.split(/\r?\n/);
  const at = shown === "" ? -1 : (lines[0] as string).indexOf(shown);
  if (at >= 0) return [{ from: at, to: at + shown.length }];
  if (place.snippet_column === undefined) return [];
  const last = place.end_line - place.line;
  return lines.map((line, index) => {
    if (index > last) return null;
    const shift = index === 0 ? (place.snippet_column as number) : 1;
    const from = index === 0 ? place.column - shift : line.length - line.trimStart().length;
    const to = Math.min(index === last ? Math.max(place.end_column - shift, from + 1) : line.trimEnd().length, line.length);
    return from >= 0 && from < to ? { from, to } : null;
  });
}

/** The text of that, where all of it is in the snippet; else nothing. */
export function meantText(place: Place): string {
  const lines = place.snippet.split(/\r?\n/);
  const spans = meantIn(place);
  const needed = place.end_line - place.line + 1;
  if (spans.length < needed || spans.slice(0, needed).includes(null)) return "";
  return spans
    .slice(0, needed)
    .map((span, at) => (lines[at] as string).slice(span?.from, span?.to))
    .join("\n");
}
