import type { Heap } from "./heap.ts";

/** Places further into a source than this get no line: it would have to be read up to there. */
const MAX_SOURCE = 512 * 1024;
const CHUNK = 64 * 1024;

/** The lines of sources, counted as far as they are asked for and once for each stack. */
export class Sources {
  readonly #heap: Heap;
  readonly #ends = new Map<number, { ends: number[]; read: number }>();

  constructor(heap: Heap) {
    this.#heap = heap;
  }

  /** The line, from 1, of a character of a script's source; null where it cannot be told. */
  lineOf(script: number, position: number): number | null {
    const source = this.#heap.field(script, this.#heap.offset("Script__source"));
    const flat = this.#heap.flat(source);
    if (flat === null || position < 0 || position > flat.length || position * flat.width > MAX_SOURCE) return null;
    const ends = this.#endsUpTo(source, flat, position);
    const line = ends.findIndex((end) => end >= position);
    // Where the source was cut out of a file, its first line has a number.
    const offset = this.#heap.smi(script - 1 + this.#heap.offset("Script__name") + 8) ?? 0;
    return (line < 0 ? ends.length : line) + 1 + (Math.abs(offset) < 2 ** 24 ? offset : 0);
  }

  #endsUpTo(source: number, flat: { address: number; length: number; width: 1 | 2 }, position: number): number[] {
    const known = this.#ends.get(source) ?? { ends: [], read: 0 };
    this.#ends.set(source, known);
    while (known.read < position) {
      const count = Math.min(CHUNK, flat.length - known.read);
      if (count <= 0) break;
      const bytes = this.#heap.memory.bytes(flat.address + known.read * flat.width, count * flat.width);
      for (let at = 0; at < count; at++) {
        const unit = flat.width === 1 ? bytes[at] : bytes.readUInt16LE(at * 2);
        // \r\n counts once, at its end.
        if (unit === 10 || (unit === 13 && (flat.width === 1 ? bytes[at + 1] : bytes[at * 2 + 2]) !== 10) || unit === 0x2028 || unit === 0x2029) {
          known.ends.push(known.read + at);
        }
      }
      known.read += count;
    }
    return known.ends;
  }
}
