import { Transform, type TransformCallback } from "node:stream";
import { createBrotliDecompress, createGunzip, createInflate, createZstdDecompress } from "node:zlib";
import { type Swap, Swapper } from "./swap.ts";

/** A Swapper as a part of a pipe. What `onHit` throws breaks the pipe. */
export class SwapStream extends Transform {
  readonly #swapper: Swapper;

  constructor(swaps: readonly Swap[], onHit?: (swap: Swap) => void) {
    super();
    this.#swapper = new Swapper(swaps, onHit);
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.#give(() => this.#swapper.push(chunk), done);
  }

  override _flush(done: TransformCallback): void {
    this.#give(() => this.#swapper.end(), done);
  }

  #give(what: () => Buffer, done: TransformCallback): void {
    let bytes: Buffer;
    try {
      bytes = what();
    } catch (error) {
      return void done(error as Error);
    }
    done(null, bytes.length > 0 ? bytes : undefined);
  }
}

const DECODERS: Record<string, () => Transform> = {
  gzip: createGunzip,
  "x-gzip": createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
  zstd: createZstdDecompress,
};

/** What undoes a Content-Encoding, outermost first; undefined for one that is not known, or too deep. */
export function decoders(encoding: string | undefined): Transform[] | undefined {
  const names = (encoding ?? "")
    .toLowerCase()
    .split(",")
    .map((name) => name.trim());
  const coded = names.filter((name) => name !== "" && name !== "identity").reverse();
  if (coded.length > 2 || coded.some((name) => !(name in DECODERS))) return undefined;
  return coded.map((name) => (DECODERS[name] as () => Transform)());
}
