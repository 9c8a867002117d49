import { type Violation, ViolationRoom } from "@plastron/contracts";

/** What one run has violated: as much as has room is kept, in order; the rest is counted, so that a flood costs no memory. */
export class ViolationTally {
  readonly kept: Violation[] = [];
  readonly #room = new ViolationRoom();
  #dropped = 0;

  /** Whether it is one of those that are kept (and told as they happen). */
  add(violation: Violation): boolean {
    if (!this.#room.take(violation)) {
      this.#dropped++;
      return false;
    }
    this.kept.push(violation);
    return true;
  }

  /** Those that were only counted where they happened. */
  drop(count: number): void {
    this.#dropped += count;
  }

  get dropped(): number {
    return this.#dropped;
  }
}
