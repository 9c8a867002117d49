import type { PortRange } from "../orders/order.ts";
import { jump32, R } from "./instructions.ts";
import type { Label, Program } from "./program.ts";
import { writeSearch } from "./search.ts";
import { both, Endings, NOTHING, type Outcome, outcomeOf, sameOutcome } from "./verdict.ts";

export interface PortRule {
  rule: number;
  /** None: every port. */
  ports: readonly PortRange[];
  deny: boolean;
  report: boolean;
}

interface Stretch {
  first: number;
  outcome: Outcome;
}

/** Decides by the port in R.port what all of `rules` say together, and goes on at `next`. */
export function writePorts(program: Program, rules: readonly PortRule[], next: Label): void {
  const endings = new Endings(program, next);
  writeSearch(
    program,
    stretches(rules),
    ({ first }, above) => program.jump(jump32("ge", R.port, first), above),
    ({ outcome }) => endings.labelOf(outcome),
  );
  endings.write();
}

/** All ports as neighbouring stretches, each with one outcome, from port 0 on. */
function stretches(rules: readonly PortRule[]): Stretch[] {
  const starting = new Map<number, Outcome[]>();
  const ending = new Map<number, Outcome[]>();
  for (const rule of rules) {
    for (const [first, last] of rule.ports.length > 0 ? rule.ports : [[0, 65535] as const]) {
      const outcome = outcomeOf(rule);
      push(starting, first, outcome);
      push(ending, last + 1, outcome);
    }
  }
  const found: Stretch[] = [];
  const holding: Outcome[] = [];
  for (const first of [...new Set([0, ...starting.keys(), ...ending.keys()])].sort((a, b) => a - b)) {
    if (first > 65535) break;
    for (const outcome of ending.get(first) ?? []) holding.splice(holding.indexOf(outcome), 1);
    holding.push(...(starting.get(first) ?? []));
    const outcome = holding.reduce(both, NOTHING);
    const before = found.at(-1);
    if (before === undefined || !sameOutcome(before.outcome, outcome)) found.push({ first, outcome });
  }
  return found;
}

function push(map: Map<number, Outcome[]>, key: number, value: Outcome): void {
  const known = map.get(key);
  if (known) known.push(value);
  else map.set(key, [value]);
}
