import type { Place } from "@plastron/contracts";
import { html, type Markup } from "./markup.ts";

/** The lines of a place with their numbers, and what is meant marked. */
export function codeOf(place: Place): Markup | null {
  if (place.snippet.trim() === "") return null;
  const lines = place.snippet.split(/\r?\n/).map((text, at) => html`<span class="l"><i>${place.line + at}</i><code>${marked(text, place, at)}</code></span>`);
  return html`<pre>${lines}</pre>`;
}

/** What was cut at its beginning has lost its columns: the whole line is meant then. */
function marked(text: string, place: Place, at: number): Markup {
  const first = at === 0;
  const last = place.line + at === place.end_line;
  const from = first ? place.column - 1 : text.length - text.trimStart().length;
  const to = last ? place.end_column - 1 : text.trimEnd().length;
  const meant = place.line + at <= place.end_line && from < to && from < text.length && !text.startsWith("…");
  return meant ? html`${text.slice(0, from)}<mark>${text.slice(from, to)}</mark>${text.slice(to)}` : html`${text || " "}`;
}
