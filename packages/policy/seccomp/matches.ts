import { argumentWidth } from "./arguments.ts";
import type { Condition, Entry } from "./profile.ts";

/** Whether all of an entry's conditions hold of the arguments (six registers) of the call `name`, as the filter made of it decides. */
export function matches({ when }: Pick<Entry, "when">, name: string, words: readonly bigint[]): boolean {
  return when.every((condition) => {
    const width = argumentWidth(name, condition.index);
    return compares(condition, BigInt.asUintN(width, words[condition.index] ?? 0n), width);
  });
}

/** As native code compares (assemble.ts): a negative constant is one of the argument's width. */
function compares(condition: Condition, argument: bigint, width: number): boolean {
  if (condition.op === "any_bits") return (argument & condition.mask) !== 0n;
  if (condition.op === "masked_eq") return (argument & condition.mask) === condition.value;
  const signed = BigInt.asIntN(64, condition.value);
  const value = signed < 0n && signed >= -(1n << BigInt(width - 1)) ? BigInt.asUintN(width, signed) : condition.value;
  switch (condition.op) {
    case "eq":
      return argument === value;
    case "ne":
      return argument !== value;
    case "lt":
      return argument < value;
    case "le":
      return argument <= value;
    case "gt":
      return argument > value;
    case "ge":
      return argument >= value;
  }
}
