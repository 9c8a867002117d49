/** Text put into a source at offsets, all at once. No line is added or taken away, so that stacks keep their lines. */
export class Inserter {
  readonly #edits: { at: number; rank: number; end: number; text: string }[] = [];

  /** Before what begins here; of several the first to be asked for is outermost. */
  open(at: number, text: string): void {
    this.#edits.push({ at, rank: 2, end: at, text });
  }

  /** Behind what ends here; of several the first to be asked for is innermost. */
  close(at: number, text: string): void {
    this.#edits.push({ at, rank: 0, end: at, text });
  }

  replace(at: number, end: number, text: string): void {
    this.#edits.push({ at, rank: 1, end, text });
  }

  applyTo(source: string): string {
    const parts: string[] = [];
    let from = 0;
    for (const { at, end, text } of this.#edits.toSorted((a, b) => a.at - b.at || a.rank - b.rank)) {
      parts.push(source.slice(from, at), text);
      from = Math.max(from, end);
    }
    return parts.join("") + source.slice(from);
  }
}
