/** Rows as lines with aligned columns: the first to the left, figures to the right. `notes` are put behind the rows and widen nothing. */
export function table(rows: string[][], notes: (string | undefined)[] = []): string[] {
  const columns = Math.max(...rows.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const aligned = rows.map((row) => widths.map((width, column) => (column === 0 ? (row[0] ?? "").padEnd(width) : (row[column] ?? "").padStart(width))));
  return aligned.map((cells, i) => `  ${cells.join("  ")}  ${notes[i] ?? ""}`.trimEnd());
}

/** A bar of `width` characters at full scale. Something that is there shows, however small it is. */
export function bar(value: number, full: number, width: number): string {
  if (!(value > 0) || !(full > 0)) return "";
  return "▇".repeat(Math.max(1, Math.round((Math.min(value, full) / full) * width)));
}
