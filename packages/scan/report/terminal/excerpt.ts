import type { Place } from "@plastron/contracts";
import { meantIn, type Span } from "../../findings/meant.ts";
import { columnsOf, cut } from "../text/layout.ts";
import { visible } from "../text/visible.ts";
import type { Screen, Style } from "./paint.ts";

const MOST_LINES = 6;

/** The lines of a place with their numbers, and a marker under what is meant where that is known. `shown`: the form in which a secret stands there. */
export function excerpt(place: Place, shown: string, style: Style, { columns, paint }: Screen, indent: string): string[] {
  if (place.snippet.trim() === "") return [];
  const lines = place.snippet.split(/\r?\n/);
  const [first = null] = meantIn(place, shown);
  const digits = String(place.line + lines.length - 1).length;
  const room = columns - indent.length - digits - 3;
  const rows = lines.slice(0, MOST_LINES).flatMap((line, at) => {
    const text = `${indent}${paint("dim", `${String(place.line + at).padStart(digits)} │`)} ${cut(visible(line), room)}`;
    const marker = at === 0 && first ? markerOf(first, line, room) : "";
    return marker === "" ? [text] : [text, `${indent}${" ".repeat(digits)} ${paint("dim", "│")} ${paint(style, marker)}`];
  });
  const rest = lines.length - MOST_LINES;
  return rest > 0 ? [...rows, `${indent}${" ".repeat(digits)} ${paint("dim", `│ … ${rest} more`)}`] : rows;
}

/** Counts in columns of what is shown, not in characters of what is there. Empty where the screen does not reach that far. */
function markerOf({ from, to }: Span, line: string, room: number): string {
  const before = columnsOf(visible(line.slice(0, from)));
  const width = Math.min(columnsOf(visible(line.slice(from, to).trimEnd())), room - before);
  return width < 1 ? "" : " ".repeat(before) + "^".repeat(width);
}
