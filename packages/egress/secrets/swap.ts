/** Bytes to be found and what is put in their place. `find` is never empty. */
export interface Swap {
  find: Buffer;
  put: Buffer;
}

/**
 * Replaces bytes of a stream, leftmost and longest first, also where they are cut between two chunks: what could be the beginning
 * of one is kept until more comes. Never more than the longest `find` is kept.
 */
export class Swapper {
  readonly #swaps: readonly Swap[];
  readonly #onHit: (swap: Swap) => void;
  #kept: Buffer = Buffer.alloc(0);

  constructor(swaps: readonly Swap[], onHit: (swap: Swap) => void = () => {}) {
    this.#swaps = swaps;
    this.#onHit = onHit;
  }

  push(chunk: Buffer): Buffer {
    return this.#run(this.#kept.length > 0 ? Buffer.concat([this.#kept, chunk]) : chunk, false);
  }

  end(): Buffer {
    return this.#run(this.#kept, true);
  }

  #run(bytes: Buffer, last: boolean): Buffer {
    const out: Buffer[] = [];
    const next = this.#swaps.map(({ find }) => bytes.indexOf(find));
    let at = 0;
    for (;;) {
      const open = last ? bytes.length : this.#beginning(bytes, at);
      const found = this.#first(bytes, next, at);
      if (!found || found.at >= open) {
        out.push(bytes.subarray(at, open));
        this.#kept = Buffer.from(bytes.subarray(open));
        return Buffer.concat(out);
      }
      out.push(bytes.subarray(at, found.at), found.swap.put);
      this.#onHit(found.swap);
      at = found.at + found.swap.find.length;
    }
  }

  /** Of those that begin first, the longest. `next` remembers where each stands, so that all is searched once. */
  #first(bytes: Buffer, next: number[], from: number): { at: number; swap: Swap } | undefined {
    let best: { at: number; swap: Swap } | undefined;
    for (const [i, swap] of this.#swaps.entries()) {
      let at = next[i] as number;
      if (at >= 0 && at < from) next[i] = at = bytes.indexOf(swap.find, from);
      if (at < 0) continue;
      if (!best || at < best.at || (at === best.at && swap.find.length > best.swap.find.length)) best = { at, swap };
    }
    return best;
  }

  /** Where the end of `bytes` could be the beginning of something. */
  #beginning(bytes: Buffer, from: number): number {
    let earliest = bytes.length;
    for (const { find } of this.#swaps) {
      let at = Math.max(from, bytes.length - find.length + 1);
      for (at = bytes.indexOf(find[0] as number, at); at >= 0 && at < earliest; at = bytes.indexOf(find[0] as number, at + 1)) {
        if (bytes.compare(find, 0, bytes.length - at, at) === 0) earliest = at;
      }
    }
    return earliest;
  }
}

/** The same for what is all there; latin1, as Node's headers are. */
export function swapText(text: string, swaps: readonly Swap[], onHit?: (swap: Swap) => void): string {
  if (swaps.length === 0) return text;
  const swapper = new Swapper(swaps, onHit);
  return swapper.push(Buffer.from(text, "latin1")).toString("latin1") + swapper.end().toString("latin1");
}
