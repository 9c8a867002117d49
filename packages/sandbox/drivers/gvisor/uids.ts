import { PlastronError } from "@plastron/contracts";

/** Ids of one guest: its root, its programs (1000) and nobody (65534), all of them nobody on the host. native/guest/keeper.h */
export const GUEST_IDS = 65_536;
const RANGES = 256;
/** Above what the local driver takes from the same base (drivers/local/uids.ts). */
const OFFSET = 16_384;

/** Ranges of host uids, each of one living sandbox alone. Least recently used first. */
export class UidRanges {
  readonly #free: number[];
  constructor(base: number) {
    const first = base + OFFSET;
    if (!Number.isInteger(base) || base < 65_536 || first + RANGES * GUEST_IDS > 0xffff_fff0) throw new RangeError(`uid base ${base} is not usable`);
    this.#free = Array.from({ length: RANGES }, (_, i) => first + i * GUEST_IDS);
  }
  take(): number {
    const first = this.#free.shift();
    if (first === undefined) throw new PlastronError("overloaded", "no range of host uids is free for another sandbox", { retryAfterSeconds: 1 });
    return first;
  }
  giveBack(first: number): void {
    this.#free.push(first);
  }
}
