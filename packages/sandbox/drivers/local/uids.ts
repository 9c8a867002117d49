import { PlastronError } from "@plastron/contracts";

/** Uids inside a zygote's user namespace: 0 is the zygote, 1…ZYGOTE_UIDS-1 its children. */
export const ZYGOTE_UIDS = 65;
const SINGLES = 4096;
const BLOCKS = 64;

/**
 * Host uids that exist only as numbers: each live sandbox has one that no other process of the machine has, so that even a
 * program that got out of its namespaces could signal, trace or read nobody. Never 0.
 */
export class UidPool {
  readonly #base: number;
  readonly #free: number[];
  readonly #freeBlocks: number[];
  constructor(base: number) {
    if (!Number.isInteger(base) || base < 65_536 || base > 0xffff_fff0 - SINGLES - BLOCKS * ZYGOTE_UIDS) throw new RangeError(`uid base ${base} is not usable`);
    this.#base = base;
    this.#free = Array.from({ length: SINGLES }, (_, i) => base + i);
    this.#freeBlocks = Array.from({ length: BLOCKS }, (_, i) => base + SINGLES + i * ZYGOTE_UIDS);
  }

  /** Oldest first, so that a uid rests as long as possible before it is used again. */
  take(): number {
    return this.#from(this.#free);
  }
  takeBlock(): number {
    return this.#from(this.#freeBlocks);
  }
  giveBack(uid: number): void {
    (uid < this.#base + SINGLES ? this.#free : this.#freeBlocks).push(uid);
  }
  get inUse(): number {
    return SINGLES - this.#free.length + BLOCKS - this.#freeBlocks.length;
  }

  #from(list: number[]): number {
    const uid = list.shift();
    if (uid === undefined) throw new PlastronError("overloaded", "no host uid is free for another sandbox", { retryAfterSeconds: 1 });
    return uid;
  }
}
