import type { Paint, Style } from "./terminal.ts";
import { displayWidth, padEnd, wrap } from "./width.ts";

export interface Cell {
  text: string;
  style?: Style;
}
export interface TableOptions {
  /** Columns of the terminal; infinite for pipes. The last column wraps within it, the others keep their width while it fits beside them. */
  columns: number;
  paint: Paint;
  indent?: number;
}

const GAP = 2;
/** A last column narrower than this is unreadable. */
const LAST_MIN = 32;
/** How far the last column stands in where it has lines of its own. */
const UNDER = 4;

/**
 * A table without rules: a dim header, aligned columns, the last one wrapped under itself. On a terminal too narrow for that each
 * row becomes a block: its cells one after another, and the last one under them. Returns lines, without line ends.
 */
export function renderTable(header: string[], rows: (Cell | string)[][], options: TableOptions): string[] {
  const cells = rows.map((row) => row.map((cell) => (typeof cell === "string" ? { text: cell } : cell)));
  const widths = header.map((title, column) => Math.max(displayWidth(title), ...cells.map((row) => displayWidth(row[column]?.text ?? ""))));
  const last = lastWidth(widths, options);
  if (last < Math.min(LAST_MIN, options.columns / 2, widths.at(-1) ?? 0)) return cells.flatMap((row) => renderBlock(row, options));
  const layout = { widths, last, indent: " ".repeat(options.indent ?? 0), paint: options.paint };
  const head = header.some((title) => title !== "")
    ? renderRow(
        header.map((text) => ({ text, style: "dim" as const })),
        layout,
      )
    : [];
  return [...head, ...cells.flatMap((row) => renderRow(row, layout))];
}

interface Layout {
  widths: number[];
  last: number;
  indent: string;
  paint: Paint;
}

function lastWidth(widths: number[], options: TableOptions): number {
  const before = widths.slice(0, -1).reduce((sum, width) => sum + width + GAP, options.indent ?? 0);
  return options.columns - before;
}

function renderBlock(row: Cell[], { columns, indent = 0, paint }: TableOptions): string[] {
  const heads = row.slice(0, -1).filter(({ text }) => text !== "");
  const lines = [""];
  let used = indent;
  for (const cell of heads) {
    const width = displayWidth(cell.text);
    const fits = used === indent || used + GAP + width <= columns;
    if (!fits) lines.push("");
    const gap = used === indent || !fits ? "" : " ".repeat(GAP);
    lines[lines.length - 1] += gap + show(cell, cell.text, paint);
    used = fits ? used + gap.length + width : indent + width;
  }
  const final = row.at(-1) as Cell;
  const under =
    final.text === "" ? [] : wrap(final.text, Math.max(LAST_MIN, columns - indent - UNDER)).map((text) => " ".repeat(UNDER) + show(final, text, paint));
  return [...lines, ...under].map((text) => " ".repeat(indent) + text);
}

function renderRow(row: Cell[], { widths, last, indent, paint }: Layout): string[] {
  const final = row[row.length - 1] as Cell;
  const before = row.slice(0, -1);
  const lead = before.map((cell, column) => show(cell, padEnd(cell.text, (widths[column] as number) + GAP), paint)).join("");
  const blank = " ".repeat(before.reduce((sum, _, column) => sum + (widths[column] as number) + GAP, 0));
  const lines = last === Number.POSITIVE_INFINITY ? [final.text] : wrap(final.text, last);
  return lines.map((text, i) => `${indent}${i === 0 ? lead : blank}${show(final, text, paint)}`.trimEnd());
}

function show(cell: Cell, text: string, paint: Paint): string {
  return cell.style ? paint(cell.style, text) : text;
}
