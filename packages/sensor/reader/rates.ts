import type { BrokenBy, RateRules } from "@plastron/contracts";
import type { Accounts } from "../account.ts";
import type { Board } from "./board.ts";

const WINDOW_MS = 1000;
const PER_SECOND = { connections_per_s: "inet_connects", forks_per_s: "forks", denied_per_s: "denied" } as const;
type Rule = keyof RateRules;

interface Watched {
  generation: number;
  broken: boolean;
  samples: { at: number; counts: number[] }[];
}

/** Looks at the counters of places that are armed, over the last second. */
export class Rates {
  readonly #accounts: Accounts;
  readonly #board: Board;
  readonly #watched = new Map<number, Watched>();

  constructor(accounts: Accounts, board: Board) {
    this.#accounts = accounts;
    this.#board = board;
  }

  /** The rule that this place exceeds, the first time it does. */
  look(slot: number, generation: number, now: number): BrokenBy | null {
    const watched = this.#of(slot, generation, now);
    const counts = Object.values(PER_SECOND).map((field) => this.#accounts.count(slot, field));
    const first = this.#first(watched, now);
    watched.samples.push({ at: now, counts });
    if (watched.broken) return null;
    const found = this.#exceeded(slot, counts, first.counts);
    if (found === null) return null;
    watched.broken = true;
    return { ...found, window_ms: Math.max(1, Math.round(now - first.at)), stacks: [] };
  }

  #exceeded(slot: number, counts: number[], before: number[]): { rule: Rule; limit: number; measured: number } | null {
    const rules = Object.keys(PER_SECOND) as Rule[];
    const measured: [Rule, number][] = rules.map((rule, index) => [rule, (counts[index] as number) - (before[index] as number)]);
    measured.push(["bytes_out", this.#accounts.count(slot, "bytes_out")]);
    const broken = measured.find(([rule, value]) => value > this.#board.limit(slot, rule));
    return broken === undefined ? null : { rule: broken[0], limit: this.#board.limit(slot, broken[0]), measured: broken[1] };
  }

  /** What stood there a second ago, or at the beginning. */
  #first(watched: Watched, now: number): Watched["samples"][number] {
    while (watched.samples.length > 1 && (watched.samples[1] as { at: number }).at <= now - WINDOW_MS) watched.samples.shift();
    return watched.samples[0] as Watched["samples"][number];
  }

  #of(slot: number, generation: number, now: number): Watched {
    const known = this.#watched.get(slot);
    if (known?.generation === generation) return known;
    const armedAt = this.#accounts.count(slot, "armed_at") / 1e6;
    const made = { generation, broken: false, samples: [{ at: Math.min(now, armedAt), counts: [0, 0, 0] }] };
    this.#watched.set(slot, made);
    return made;
  }
}
