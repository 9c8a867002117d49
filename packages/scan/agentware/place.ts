import type { Place } from "@plastron/contracts";
import type { ScanFile } from "../analyser.ts";
import { visible } from "./hidden/visible.ts";

const MAX_SNIPPET = 600;

/** Turns offsets of a text into places; line starts are found once. */
export class Places {
  private starts: number[] | null = null;
  private readonly file: Pick<ScanFile, "path" | "layers">;
  private readonly text: string;

  constructor(file: Pick<ScanFile, "path" | "layers">, text: string) {
    this.file = file;
    this.text = text;
  }

  /** The snippet is the place's lines, with what is unseen made visible, cut around the place where lines are long. */
  of(start: number, end: number, layers: readonly string[] = []): Place {
    const from = Math.min(start, this.text.length);
    const to = Math.min(Math.max(end, from + 1), Math.max(this.text.length, from + 1));
    const first = this.lineOf(from);
    const last = this.lineOf(to);
    return {
      path: this.file.path,
      ...{ line: first.line, column: from - first.start + 1, end_line: last.line, end_column: to - last.start + 1 },
      ...this.snippet(first.start, from, to),
      layers: [...this.file.layers, ...layers],
    };
  }

  private snippet(lineStart: number, from: number, to: number): Pick<Place, "snippet" | "snippet_column"> {
    const begin = from - lineStart > MAX_SNIPPET / 3 ? from - 80 : lineStart;
    const newline = this.text.indexOf("\n", Math.max(to - 1, from));
    const end = Math.min(newline < 0 ? this.text.length : newline, begin + MAX_SNIPPET, Math.max(to, from + 1) + 200);
    return { snippet: visible(this.text.slice(begin, end)).slice(0, 1800), snippet_column: begin - lineStart + 1 };
  }

  private lineOf(offset: number): { line: number; start: number } {
    this.starts ??= lineStarts(this.text);
    let low = 0;
    let high = this.starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.starts[middle] as number) <= offset) low = middle;
      else high = middle - 1;
    }
    return { line: low + 1, start: this.starts[low] as number };
  }
}

function lineStarts(text: string): number[] {
  const starts = [0];
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) starts.push(at + 1);
  return starts;
}
