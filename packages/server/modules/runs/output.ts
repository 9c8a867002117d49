/** Collects one stream of a run: raw bytes, in pieces as they came, decoded once at the end. */
export class OutputBuffer {
  #chunks: Uint8Array[] = [];

  push(chunk: Uint8Array): void {
    this.#chunks.push(chunk);
  }

  bytes(): Buffer {
    const [only] = this.#chunks;
    if (only === undefined) return EMPTY;
    const bytes = this.#chunks.length === 1 ? Buffer.from(only.buffer, only.byteOffset, only.length) : Buffer.concat(this.#chunks);
    this.#chunks = [bytes];
    return bytes;
  }

  /** UTF-8, with U+FFFD for what is not. */
  text(): string {
    return this.bytes().toString("utf8");
  }
}

const EMPTY = Buffer.alloc(0);
