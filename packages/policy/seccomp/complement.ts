import { argumentWidth } from "./arguments.ts";
import type { Condition } from "./profile.ts";

/** As many lists of conditions as one call's refusals may take. */
const MOST = 64;

/**
 * When none of the grants of a call lets it pass: lists of conditions of which any is enough, each as the conditions of an entry.
 * Grants that list values for each argument (every family with every type) give few; null where it would take too many.
 */
export function complement(name: string, grants: readonly (readonly Condition[])[]): Condition[][] | null {
  const grid = gridOf(grants);
  if (!grid) return allRefuse(name, grants);
  const each = grid.map((choices) => allRefuse(name, choices));
  return each.some((found) => found === null) ? null : bounded((each as Condition[][][]).flat());
}

/** The choices of each argument, where the grants are all their combinations: then a call is refused for one argument alone. */
function gridOf(grants: readonly (readonly Condition[])[]): Condition[][][] | null {
  const byIndex = new Map<number, Map<string, Condition[]>>();
  for (const grant of grants) {
    for (const index of new Set(grant.map((condition) => condition.index))) {
      const own = grant.filter((condition) => condition.index === index);
      const choices = byIndex.get(index) ?? new Map<string, Condition[]>();
      byIndex.set(index, choices.set(text(own), own));
    }
  }
  const indices = [...byIndex.keys()];
  const whole = grants.every((grant) => indices.every((index) => grant.some((condition) => condition.index === index)));
  const product = [...byIndex.values()].reduce((all, choices) => all * choices.size, 1);
  return whole && product === new Set(grants.map(text)).size ? [...byIndex.values()].map((choices) => [...choices.values()]) : null;
}

/** Every one of the grants fails: each for one of its conditions. */
function allRefuse(name: string, grants: readonly (readonly Condition[])[]): Condition[][] | null {
  let found: Condition[][] = [[]];
  for (const grant of grants) {
    const ways = grant.flatMap((condition) => negated(name, condition));
    found = unique(found.flatMap((before) => ways.map((way) => [...before, way])));
    if (found.length > MOST) return null;
  }
  return found;
}

/** Conditions of which one holds exactly where the given one does not. */
function negated(name: string, condition: Condition): Condition[] {
  switch (condition.op) {
    case "eq":
      return [{ ...condition, op: "ne" }];
    case "ne":
      return [{ ...condition, op: "eq" }];
    case "lt":
      return [{ ...condition, op: "ge" }];
    case "ge":
      return [{ ...condition, op: "lt" }];
    case "gt":
      return [{ ...condition, op: "le" }];
    case "le":
      return [{ ...condition, op: "gt" }];
    case "any_bits":
      return [{ index: condition.index, op: "masked_eq", mask: condition.mask, value: 0n }];
    case "masked_eq": {
      const mask = condition.mask & ((1n << BigInt(argumentWidth(name, condition.index))) - 1n);
      const zero = mask & ~condition.value;
      const ones = Array.from({ length: 64 }, (_, bit) => 1n << BigInt(bit)).filter((bit) => (mask & condition.value & bit) !== 0n);
      return [
        ...(zero === 0n ? [] : [{ index: condition.index, op: "any_bits" as const, mask: zero }]),
        ...ones.map((bit) => ({ index: condition.index, op: "masked_eq" as const, mask: bit, value: 0n })),
      ];
    }
  }
}

const bounded = (lists: Condition[][]): Condition[][] | null => (lists.length > MOST ? null : lists);
const text = (conditions: readonly Condition[]): string =>
  conditions
    .map((condition) => JSON.stringify(condition, (_, value) => (typeof value === "bigint" ? String(value) : value)))
    .sort()
    .join();
const unique = (lists: Condition[][]): Condition[][] => [...new Map(lists.map((list) => [text(list), list])).values()];
