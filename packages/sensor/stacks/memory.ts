import { closeSync, openSync, readSync } from "node:fs";

/** Why a walk ended: an address that leads nowhere, a structure that cannot be one, a bound. The message is for people. */
export class Unreadable extends Error {}

const PAGE = 4096;
/** Pages that one stack may cost: 1.5 MiB. A thousand frames' worth of the usual; a hostile layout gets a shorter stack. */
const MAX_PAGES = 384;
/** User addresses of x86-64 and arm64 with four levels. What is above is no pointer of a program. */
const TOP = 2 ** 47;

/** Reused by every read: reads are synchronous, and a page's worth is overwritten as a whole or not used. */
const slab = Buffer.allocUnsafeSlow(PAGE * MAX_PAGES);
const scratch = Buffer.allocUnsafeSlow(PAGE * 8);

/**
 * The memory of one process, through a descriptor that stays with the address space that it had when opened. Everything in it is
 * hostile: reads are bounded in number, and every read gives bytes or throws Unreadable. Pages are read once, so that a structure
 * does not change between two looks at it.
 */
export class Memory {
  readonly #fd: number;
  readonly #pages = new Map<number, number>();
  #until = Number.POSITIVE_INFINITY;

  /** Throws what `open` throws: no such process, no right to look. */
  constructor(proc: string) {
    this.#fd = openSync(`${proc}/mem`, "r");
  }

  /** From now on, for so long: after it, reads throw Unreadable. */
  limit(budgetMs: number): void {
    this.#until = performance.now() + budgetMs;
  }

  close(): void {
    closeSync(this.#fd);
  }

  /** A copy or a view of `length` bytes; to be used before the next stack is read. */
  bytes(address: number, length: number): Buffer {
    const page = Math.floor(address / PAGE);
    const offset = address - page * PAGE;
    const at = this.#page(page);
    if (offset + length <= PAGE) return slab.subarray(at + offset, at + offset + length);
    return this.#joined(page, offset, length);
  }

  /** Bytes that are looked through once and not remembered, at most 32 KiB; null where they are not all there. To be used at once. */
  glance(address: number, length: number): Buffer | null {
    try {
      return readSync(this.#fd, scratch, 0, Math.min(length, scratch.length), address) === length ? scratch.subarray(0, length) : null;
    } catch {
      return null;
    }
  }

  u8(address: number): number {
    return this.bytes(address, 1).readUInt8();
  }

  u32(address: number): number {
    return this.bytes(address, 4).readUInt32LE();
  }

  i32(address: number): number {
    return this.bytes(address, 4).readInt32LE();
  }

  /** An unsigned number; exact to 2^53, which is more than any address or length that we follow. */
  u64(address: number): number {
    const bytes = this.bytes(address, 8);
    return bytes.readUInt32LE() + bytes.readUInt32LE(4) * 2 ** 32;
  }

  #joined(first: number, offset: number, length: number): Buffer {
    if (length > 64 * PAGE) throw new Unreadable("a length is beyond bounds");
    const joined = Buffer.allocUnsafe(length);
    let done = 0;
    for (let page = first; done < length; page++) {
      const from = page === first ? offset : 0;
      const at = this.#page(page);
      done += slab.copy(joined, done, at + from, at + Math.min(PAGE, from + length - done));
    }
    return joined;
  }

  #page(page: number): number {
    const known = this.#pages.get(page);
    if (known !== undefined) return known;
    if (!(page > 0 && page < TOP / PAGE)) throw new Unreadable("a pointer leads nowhere");
    if (this.#pages.size >= MAX_PAGES) throw new Unreadable("more memory than one stack may cost");
    if (performance.now() > this.#until) throw new Unreadable("it took too long");
    const at = this.#pages.size * PAGE;
    if (readPage(this.#fd, at, page * PAGE) !== PAGE) throw new Unreadable("a pointer leads to memory that is not there");
    this.#pages.set(page, at);
    return at;
  }
}

function readPage(fd: number, at: number, position: number): number {
  try {
    return readSync(fd, slab, at, PAGE, position);
  } catch {
    return -1;
  }
}
