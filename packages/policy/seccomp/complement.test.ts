import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { complement } from "./complement.ts";
import type { ArgumentIndex, Condition } from "./profile.ts";

const small = fc.bigInt({ min: 0n, max: 9n });
const index = fc.constantFrom<ArgumentIndex>(0, 1);
const condition: fc.Arbitrary<Condition> = fc.oneof(
  fc.record({ index, op: fc.constantFrom("eq" as const, "ne" as const, "lt" as const, "le" as const, "gt" as const, "ge" as const), value: small }),
  fc.record({ index, op: fc.constant("any_bits" as const), mask: fc.bigInt({ min: 1n, max: 15n }) }),
  fc
    .record({ index, op: fc.constant("masked_eq" as const), mask: fc.bigInt({ min: 1n, max: 15n }), value: small })
    .map((each) => ({ ...each, value: each.value & each.mask })),
);

function holds(each: Condition, words: readonly bigint[]): boolean {
  const word = words[each.index] as bigint;
  if (each.op === "any_bits") return (word & each.mask) !== 0n;
  if (each.op === "masked_eq") return (word & each.mask) === each.value;
  const { value } = each;
  return { eq: word === value, ne: word !== value, lt: word < value, le: word <= value, gt: word > value, ge: word >= value }[each.op];
}
const any = (lists: readonly (readonly Condition[])[], words: readonly bigint[]) => lists.some((list) => list.every((each) => holds(each, words)));

describe("what no grant lets pass", () => {
  it("is exactly that, whatever the grants are", () => {
    fc.assert(
      fc.property(fc.array(fc.array(condition, { minLength: 1, maxLength: 2 }), { minLength: 1, maxLength: 4 }), small, small, (grants, a, b) => {
        const refused = complement("socket", grants);
        return refused === null || any(refused, [a, b]) !== any(grants, [a, b]);
      }),
      { numRuns: 2000 },
    );
  });

  it("takes one list for each argument where all values go with all others, and none where it would take too many", () => {
    const eq = (at: ArgumentIndex, value: bigint): Condition => ({ index: at, op: "eq", value });
    const grid = [1n, 2n, 10n].flatMap((family) => [1n, 2n].flatMap((type) => [0n, 6n].map((protocol) => [eq(0, family), eq(1, type), eq(2, protocol)])));
    expect(complement("socket", grid)).toHaveLength(3);
    const scattered = Array.from({ length: 12 }, (_, i) => [eq(0, BigInt(i)), eq(1, BigInt(i)), eq(2, BigInt(i * i))]);
    expect(complement("socket", scattered)).toBeNull();
  });
});
