import type { Place } from "@plastron/contracts";
import { columnsOf, cut } from "../text/layout.ts";
import { visible } from "../text/visible.ts";
import type { Screen, Style } from "./paint.ts";

const MOST_LINES = 6;

/** The lines of a place with their numbers, and a marker under what is meant where the excerpt shows it. */
export function excerpt(place: Place, style: Style, { columns, paint }: Screen, indent: string): string[] {
  if (place.snippet.trim() === "") return [];
  const lines = place.snippet.split(/\r?\n/);
  const digits = String(place.line + lines.length - 1).length;
  const room = columns - indent.length - digits - 3;
  const shown = lines.slice(0, MOST_LINES).flatMap((line, at) => {
    const text = `${indent}${paint("dim", `${String(place.line + at).padStart(digits)} │`)} ${cut(visible(line), room)}`;
    const marker = at === 0 ? markerOf(place, line, room) : "";
    return marker === "" ? [text] : [text, `${indent}${" ".repeat(digits)} ${paint("dim", "│")} ${paint(style, marker)}`];
  });
  const rest = lines.length - MOST_LINES;
  return rest > 0 ? [...shown, `${indent}${" ".repeat(digits)} ${paint("dim", `│ … ${rest} more`)}`] : shown;
}

/** Counts in columns of what is shown, not in characters of what is there. Empty where the excerpt does not reach that far. */
function markerOf(place: Place, line: string, room: number): string {
  const from = place.column - 1;
  if (line.startsWith("…") || from >= line.length) return "";
  const to = place.end_line === place.line ? Math.min(Math.max(place.end_column - 1, from + 1), line.length) : line.length;
  const before = columnsOf(visible(line.slice(0, from)));
  const width = Math.min(columnsOf(visible(line.slice(from, to).trimEnd())), room - before);
  return width < 1 ? "" : " ".repeat(before) + "^".repeat(width);
}
