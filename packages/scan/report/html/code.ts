import type { Place } from "@plastron/contracts";
import { meantIn, type Span } from "../../findings/meant.ts";
import { html, type Markup } from "./markup.ts";

/** The lines of a place with their numbers, and what is meant marked where that is known. `shown`: the form in which a secret stands there. */
export function codeOf(place: Place, shown = ""): Markup | null {
  if (place.snippet.trim() === "") return null;
  const spans = meantIn(place, shown);
  const lines = place.snippet
    .split(/\r?\n/)
    .map((text, at) => html`<span class="l"><i>${place.line + at}</i><code>${marked(text, spans[at] ?? null)}</code></span>`);
  return html`<pre>${lines}</pre>`;
}

function marked(text: string, span: Span | null): Markup {
  if (span === null) return html`${text || " "}`;
  return html`${text.slice(0, span.from)}<mark>${text.slice(span.from, span.to)}</mark>${text.slice(span.to)}`;
}
