import type { RateRules } from "@plastron/contracts";
import { PLACES } from "../layout.ts";

const FIELDS = 8;
const RULES = ["connections_per_s", "forks_per_s", "denied_per_s", "bytes_out"] as const;
const ASLEEP = PLACES * FIELDS;

/** What the agent's thread and the reader tell each other without a message: the rules of each place, and whether to wake the reader. */
export class Board {
  readonly shared: SharedArrayBuffer;
  readonly #numbers: Float64Array;
  readonly #asleep: Int32Array;

  constructor(shared = new SharedArrayBuffer((ASLEEP + 1) * 8)) {
    this.shared = shared;
    this.#numbers = new Float64Array(shared, 0, ASLEEP);
    this.#asleep = new Int32Array(shared, ASLEEP * 8, 2);
  }

  setRules(slot: number, rates: RateRules): void {
    RULES.forEach((rule, index) => {
      this.#numbers[slot * FIELDS + index] = rates[rule] ?? Number.POSITIVE_INFINITY;
    });
  }

  limit(slot: number, rule: keyof RateRules): number {
    return this.#numbers[slot * FIELDS + RULES.indexOf(rule)] as number;
  }

  /** The reader sleeps until it is woken, not until its next look at the rates. */
  get isAsleep(): boolean {
    return Atomics.load(this.#asleep, 0) === 1;
  }

  set isAsleep(value: boolean) {
    Atomics.store(this.#asleep, 0, value ? 1 : 0);
  }

  get isLeaving(): boolean {
    return Atomics.load(this.#asleep, 1) === 1;
  }

  leave(): void {
    Atomics.store(this.#asleep, 1, 1);
  }
}
