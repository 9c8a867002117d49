import { MAX_VIOLATIONS, type Violation } from "@plastron/contracts";

/** What one run has violated: the first MAX_VIOLATIONS are kept, in order; the rest are counted, so that a flood costs no memory. */
export class ViolationTally {
  readonly kept: Violation[] = [];
  #dropped = 0;

  /** Whether it is one of those that are kept (and told as they happen). */
  add(violation: Violation): boolean {
    if (this.kept.length >= MAX_VIOLATIONS) {
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
