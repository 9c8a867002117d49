import type { Watch } from "@plastron/contracts";

/** A listener's decision about a call that was handed over, straight from contracts/watch.ts. */
export function notified(call: Watch["calls"][number], args: readonly bigint[]): { errno: number; rule: number | null } {
  const matching = call.entries.filter(({ when }) => when.every((condition) => holds(condition, args[condition.index] ?? 0n)));
  return { errno: matching[0]?.errno ?? call.otherwise, rule: matching.find(({ rule }) => rule !== null)?.rule ?? null };
}

type Condition = Watch["calls"][number]["entries"][number]["when"][number];

function holds({ width, op, mask, value }: Condition, register: bigint): boolean {
  const argument = register & ((1n << BigInt(width)) - 1n);
  switch (op) {
    case "eq":
      return argument === BigInt(value);
    case "ne":
      return argument !== BigInt(value);
    case "lt":
      return argument < BigInt(value);
    case "le":
      return argument <= BigInt(value);
    case "gt":
      return argument > BigInt(value);
    case "ge":
      return argument >= BigInt(value);
    case "masked_eq":
      return (argument & BigInt(mask)) === BigInt(value);
    case "any_bits":
      return (argument & BigInt(mask)) !== 0n;
  }
}
