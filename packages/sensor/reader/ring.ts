import { map } from "../kernel/libbpf.ts";

const BUSY = 0x8000_0000;
const DISCARDED = 0x4000_0000;
const PAGE = 4096;
/** Room is given back after so many bytes, not only at the end: who writes meanwhile needs it. */
const CHUNK = 256 * 1024;

/** The kernel's ring of events, in memory: one reader, which allocates nothing per event. */
export class Ring {
  /** The ring twice in a row, so that no event is broken by the end; each event's offset is into these. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly #words: Int32Array<ArrayBuffer>;
  readonly #consumed: BigInt64Array<ArrayBuffer>;
  readonly #produced: BigInt64Array<ArrayBuffer>;
  readonly #mask: number;
  #position: number;

  /** @throws Error */
  constructor(fd: number, size: number) {
    this.#consumed = new BigInt64Array(map(fd, PAGE, "write").buffer);
    const shared = map(fd, PAGE + 2 * size, "read", PAGE).buffer;
    this.#produced = new BigInt64Array(shared, 0, 1);
    this.bytes = new Uint8Array(shared, PAGE, 2 * size);
    this.#words = new Int32Array(shared, PAGE, size / 2);
    this.#mask = size - 1;
    this.#position = Number(Atomics.load(this.#consumed, 0));
  }

  /** Up to where the kernel has written. */
  produced(): number {
    return Number(Atomics.load(this.#produced, 0));
  }

  get position(): number {
    return this.#position;
  }

  /**
   * Hands on what is there, at most `most` bytes of it, and gives its room back. False where an event is still being written.
   */
  drain(take: (at: number, size: number) => void, most: number): boolean {
    const end = Math.min(this.produced(), this.#position + most);
    let given = this.#position;
    while (this.#position < end) {
      const at = this.#position % (this.#mask + 1);
      const header = Atomics.load(this.#words, at >>> 2);
      if (header & BUSY) {
        this.#give();
        return false;
      }
      const size = header & 0x3fff_ffff;
      if ((header & DISCARDED) === 0) take(at + 8, size);
      this.#position += ((size + 7) & ~7) + 8;
      if (this.#position - given > CHUNK) {
        this.#give();
        given = this.#position;
      }
    }
    this.#give();
    return true;
  }

  #give(): void {
    Atomics.store(this.#consumed, 0, BigInt(this.#position));
  }
}
