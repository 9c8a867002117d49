import { MAX_VIOLATIONS, type Violation } from "./violation.ts";

/** Beyond MAX_VIOLATIONS, so many more have room, of rules that have been told seldom. */
export const RESERVED_VIOLATIONS = 100;
/** Of each rule the first so many are kept, whatever came before. packages/sandbox/native has the same three numbers. */
export const FIRST_OF_EACH = 3;

/**
 * What of one run's violations is kept. The first MAX_VIOLATIONS, of whatever kind; then those of rules that have fewer than
 * FIRST_OF_EACH, out of the reserve: so nobody hides one act behind a flood of another. What one room lets in, another one lets in
 * too: all who bound the same violations keep the same.
 */
export class ViolationRoom {
  readonly #of = new Map<string, number>();
  #kept = 0;

  /** Whether it is kept; it then has its place. */
  take(violation: Pick<Violation, "rule_id" | "action">): boolean {
    const before = this.of(violation);
    const isKept = this.#kept < MAX_VIOLATIONS || (this.#kept < MAX_VIOLATIONS + RESERVED_VIOLATIONS && before < FIRST_OF_EACH);
    if (!isKept) return false;
    this.#kept++;
    this.#of.set(keyOf(violation), before + 1);
    return true;
  }

  /** How many of that rule are kept. */
  of(violation: Pick<Violation, "rule_id" | "action">): number {
    return this.#of.get(keyOf(violation)) ?? 0;
  }

  /** Only rules that are seldom told have room any more. */
  get isCrowded(): boolean {
    return this.#kept >= MAX_VIOLATIONS;
  }
}

const keyOf = ({ rule_id, action }: Pick<Violation, "rule_id" | "action">): string => `${action} ${rule_id}`;
