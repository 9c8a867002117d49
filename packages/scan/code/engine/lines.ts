/** Offsets to lines and columns, and the text of a line as it can be shown. */
import type { Spot } from "./facts.ts";

const MAX_SNIPPET = 160;

export class Lines {
  readonly #text: string;
  readonly #starts: number[] = [0];

  constructor(text: string) {
    this.#text = text;
    for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) this.#starts.push(at + 1);
  }

  get count(): number {
    return this.#starts.length;
  }

  line(offset: number): number {
    let low = 0;
    let high = this.#starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#starts[middle] as number) <= offset) low = middle;
      else high = middle - 1;
    }
    return low + 1;
  }

  /** A place of many lines is cut to its first: a reader wants the beginning of a call. */
  spot(at: number, end: number): Spot {
    const line = this.line(at);
    const start = this.#starts[line - 1] as number;
    const next = this.#starts[line] ?? this.#text.length + 1;
    return [line, at - start + 1, line, Math.max(at + 1, Math.min(end, next - 1)) - start + 1];
  }

  /** One line, trimmed, cut around `column`. */
  text(line: number, column = 1): string {
    return this.shown(line, column)[0];
  }

  /** The same, and the column at which it begins. */
  shown(line: number, column = 1): [text: string, from: number] {
    const start = this.#starts[line - 1];
    if (start === undefined) return ["", 1];
    const end = (this.#starts[line] ?? this.#text.length + 1) - 1;
    const from = end - start > MAX_SNIPPET * 2 ? Math.max(start, start + column - 1 - MAX_SNIPPET / 2) : start;
    const text = this.#text.slice(from, Math.min(end, from + MAX_SNIPPET));
    return [text.trim(), from - start + 1 + text.length - text.trimStart().length];
  }
}
