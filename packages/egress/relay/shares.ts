/**
 * Divides a number of places among owners that are not known beforehand. One may take a further place as long as it has fewer than
 * are free: whoever is alone gets half of all, each of two a third, and there is always a place for the next who comes.
 * (A dynamic threshold with α = 1: Choudhury and Hahne, "Dynamic queue length thresholds for shared-memory packet switches", 1998.)
 */
export class Shares {
  readonly #places: number;
  readonly #held = new Map<string, number>();
  #total = 0;

  constructor(places: number) {
    this.#places = places;
  }

  /** What gives the place back, once; undefined where the owner has its share already. */
  take(owner: string): (() => void) | undefined {
    const held = this.#held.get(owner) ?? 0;
    if (held >= this.#places - this.#total) return undefined;
    this.#held.set(owner, held + 1);
    this.#total++;
    let given = false;
    return () => {
      if (given) return;
      given = true;
      this.#giveBack(owner);
    };
  }

  #giveBack(owner: string): void {
    const left = (this.#held.get(owner) as number) - 1;
    if (left > 0) this.#held.set(owner, left);
    else this.#held.delete(owner);
    this.#total--;
  }
}
