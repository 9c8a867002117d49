/** Bytes to be found and what is put in their place. `find` is never empty. */
export interface Swap {
  find: Buffer;
  put: Buffer;
}

/** Which two bytes something begins with, and what that is, the longest first. */
interface Index {
  starts: Uint8Array;
  byStart: Map<number, Swap[]>;
}

const indexes = new WeakMap<readonly Swap[], Index>();

/** Made once for a list: a vault's is used for many answers. */
function indexOf(swaps: readonly Swap[]): Index {
  const known = indexes.get(swaps);
  if (known) return known;
  const index: Index = { starts: new Uint8Array(65_536), byStart: new Map() };
  for (const swap of [...swaps].sort((a, b) => b.find.length - a.find.length)) {
    const first = (swap.find[0] as number) << 8;
    const seconds = swap.find.length > 1 ? [swap.find[1] as number] : Array.from({ length: 256 }, (_, i) => i);
    for (const second of seconds) {
      index.starts[first | second] = 1;
      index.byStart.set(first | second, [...(index.byStart.get(first | second) ?? []), swap]);
    }
  }
  indexes.set(swaps, index);
  return index;
}

function isAt(bytes: Buffer, find: Buffer, at: number): boolean {
  const end = at + find.length;
  return end <= bytes.length && bytes[end - 1] === find[find.length - 1] && bytes.compare(find, 0, find.length, at, end) === 0;
}

/**
 * Replaces bytes of a stream, leftmost and longest first, also where they are cut between two chunks: what could be the beginning
 * of one is kept until more comes. Never more than the longest `find` is kept.
 */
export class Swapper {
  readonly #swaps: readonly Swap[];
  readonly #index: Index;
  readonly #onHit: (swap: Swap) => void;
  #kept: Buffer = Buffer.alloc(0);

  constructor(swaps: readonly Swap[], onHit: (swap: Swap) => void = () => {}) {
    this.#swaps = swaps;
    this.#index = indexOf(swaps);
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
    let at = 0;
    let open = -1;
    for (;;) {
      if (open < at) open = last ? bytes.length : this.#beginning(bytes, at);
      const found = this.#first(bytes, at, open);
      if (!found) {
        out.push(bytes.subarray(at, open));
        this.#kept = Buffer.from(bytes.subarray(open));
        return out.length === 1 ? (out[0] as Buffer) : Buffer.concat(out);
      }
      out.push(bytes.subarray(at, found.at), found.swap.put);
      this.#onHit(found.swap);
      at = found.at + found.swap.find.length;
    }
  }

  /** What begins first, before `to`; of those the longest. One look at each byte, however much is searched for. */
  #first(bytes: Buffer, from: number, to: number): { at: number; swap: Swap } | undefined {
    const { starts, byStart } = this.#index;
    for (let at = from; at < to; at++) {
      const start = ((bytes[at] as number) << 8) | (bytes[at + 1] ?? 0);
      if (starts[start] === 0) continue;
      for (const swap of byStart.get(start) as Swap[]) if (isAt(bytes, swap.find, at)) return { at, swap };
    }
    return undefined;
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
