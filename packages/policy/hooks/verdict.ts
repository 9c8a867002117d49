import { exit, jump32, load32, move, R, storeImmediate32 } from "./instructions.ts";
import type { Label, Program } from "./program.ts";
import { PASSING, REFUSED, RULE_MASK, STACK, type Subject, writeRecord } from "./record.ts";

/**
 * What is decided about one call, gathered on the way through a program. It is refused when any rule that applies denies. One
 * record is made: of the first rule that denies and reports, else of the first that reports; first in the order of `rule`.
 */
export interface Outcome {
  deny: boolean;
  /** The rule with the smallest rank is recorded. */
  rank: number | null;
}

export const NOTHING: Outcome = { deny: false, rank: null };
/** Above every rank, as an unsigned number. */
const NO_RANK = -1;
const ONLY_REPORTS = RULE_MASK + 1;

export function outcomeOf({ rule, deny, report }: { rule: number; deny: boolean; report: boolean }): Outcome {
  return { deny, rank: report ? rule + (deny ? 0 : ONLY_REPORTS) : null };
}

export function both(a: Outcome, b: Outcome): Outcome {
  const ranks = [a.rank, b.rank].filter((rank) => rank !== null);
  return { deny: a.deny || b.deny, rank: ranks.length > 0 ? Math.min(...ranks) : null };
}

export const sameOutcome = (a: Outcome, b: Outcome): boolean => a.deny === b.deny && a.rank === b.rank;

/**
 * The state is kept in the upper halves of two words of the stack, because the verifier forgets the value of such a store: all
 * ways that meet are then equal to it, and what it looks at grows with the rules and not with their combinations.
 */
export function beginVerdict(program: Program): void {
  program.add(storeImmediate32(R.stack, STACK.rank, NO_RANK), storeImmediate32(R.stack, STACK.state, PASSING));
}

/** Where ways through a program end that add an outcome to the verdict. Equal ones end at the same place; all go on at `next`. */
export class Endings {
  readonly #program: Program;
  readonly #next: Label;
  readonly #places = new Map<string, { outcome: Outcome; label: Label }>();

  constructor(program: Program, next: Label) {
    this.#program = program;
    this.#next = next;
  }

  labelOf(outcome: Outcome): Label {
    if (!outcome.deny && outcome.rank === null) return this.#next;
    const key = `${outcome.deny} ${outcome.rank}`;
    const place = this.#places.get(key) ?? { outcome, label: this.#program.label("an outcome") };
    this.#places.set(key, place);
    return place.label;
  }

  write(): void {
    for (const { outcome, label } of this.#places.values()) {
      this.#program.place(label);
      this.#add(outcome);
      this.#program.goto(this.#next);
    }
  }

  #add({ deny, rank }: Outcome): void {
    if (deny) this.#program.add(storeImmediate32(R.stack, STACK.state, REFUSED));
    if (rank === null) return;
    this.#program.add(load32(R.a, R.stack, STACK.rank));
    this.#program.jump(jump32("le", R.a, rank), this.#next);
    this.#program.add(storeImmediate32(R.stack, STACK.rank, rank));
  }
}

/** The end of a program: a record if a rule asks for one, then the answer. 0 makes the kernel say EPERM. */
export function endVerdict(program: Program, subject: Subject): void {
  const answer = program.label("answer");
  const refuse = program.label("refuse");
  program.add(load32(R.a, R.stack, STACK.rank));
  program.jump(jump32("eq", R.a, NO_RANK), answer);
  writeRecord(program, subject);
  program.place(answer);
  program.add(load32(R.a, R.stack, STACK.state));
  program.jump(jump32("eq", R.a, REFUSED), refuse);
  program.add(move(R.r0, 1), exit());
  program.place(refuse);
  program.add(move(R.r0, 0), exit());
}
