import type { AddressRange } from "./addresses.ts";
import { jump32, jump64, R, wide } from "./instructions.ts";
import { type PortRule, writePorts } from "./ports.ts";
import type { Label, Program } from "./program.ts";
import { writeSearch } from "./search.ts";

/** Rules about one range. `outside`: the smallest other range around it. */
interface Region {
  range: AddressRange;
  rules: PortRule[];
  outside: Region | null;
}

interface Stretch {
  first: bigint;
  inside: Region | null;
}

/** An IPv4 address is in R.address; an IPv6 address is in R.high and, its lower half, R.e. */
const END = { 4: 1n << 32n, 6: 1n << 128n } as const;

/**
 * Decides by address and port what all rules of one family say together, and goes on at `next`. One search leads to the
 * smallest range around the address; its rules are asked, then those of the range around it, and so on. So every rule is
 * written once, however they lie over each other.
 */
export function writeRanges(program: Program, family: 4 | 6, rules: readonly { range: AddressRange; rule: PortRule }[], next: Label): void {
  write(program, family, rules, next, (region, labelOf) => labelOf(region.outside));
}

/** The same, but that the smallest range around the address decides alone. */
export function writeSmallest(program: Program, family: 4 | 6, rules: readonly { range: AddressRange; rule: PortRule }[], next: Label): void {
  write(program, family, rules, next, () => next);
}

type After = (region: Region, labelOf: (region: Region | null) => Label) => Label;

function write(program: Program, family: 4 | 6, rules: readonly { range: AddressRange; rule: PortRule }[], next: Label, after: After): void {
  const regions = nest(rules.filter(({ range }) => range.family === family));
  if (regions.length === 0) return;
  const labels = new Map(regions.map((region) => [region, program.label(`rules of ${region.range.first}`)]));
  const labelOf = (region: Region | null): Label => (region && labels.get(region)) ?? next;
  const jumpIfFrom = family === 4 ? jumpIfFrom4 : jumpIfFrom6;
  writeSearch(
    program,
    stretches(family, regions),
    ({ first }, above) => jumpIfFrom(program, first, above),
    ({ inside }) => labelOf(inside),
  );
  for (const region of regions.toReversed()) {
    program.place(labelOf(region));
    writePorts(program, region.rules, after(region, labelOf));
  }
}

/** Ranges of prefixes lie in each other or apart. Outer ones come first. */
function nest(rules: readonly { range: AddressRange; rule: PortRule }[]): Region[] {
  const order = (a: bigint, b: bigint) => (a < b ? -1 : a > b ? 1 : 0);
  const sorted = rules.toSorted((a, b) => order(a.range.first, b.range.first) || order(b.range.last, a.range.last));
  const regions: Region[] = [];
  let around: Region | null = null;
  for (const { range, rule } of sorted) {
    while (around && around.range.last < range.first) around = around.outside;
    if (around && around.range.first === range.first && around.range.last === range.last) around.rules.push(rule);
    else {
      around = { range, rules: [rule], outside: around };
      regions.push(around);
    }
  }
  return regions;
}

/** All addresses as neighbouring stretches, each with the smallest region around it, from address 0 on. */
function stretches(family: 4 | 6, regions: readonly Region[]): Stretch[] {
  const found: Stretch[] = [{ first: 0n, inside: null }];
  const begin = (first: bigint, inside: Region | null) => {
    if (found.at(-1)?.first === first) found.pop();
    if (first < END[family] && found.at(-1)?.inside !== inside) found.push({ first, inside });
  };
  let open: Region | null = null;
  const leaveUntil = (address: bigint) => {
    for (; open && open.range.last < address; open = open.outside) begin(open.range.last + 1n, open.outside);
  };
  for (const region of regions) {
    leaveUntil(region.range.first);
    begin(region.range.first, region);
    open = region;
  }
  leaveUntil(END[family]);
  return found;
}

function jumpIfFrom4(program: Program, first: bigint, above: Label): void {
  program.jump(jump32("ge", R.address, Number(first)), above);
}

function jumpIfFrom6(program: Program, first: bigint, above: Label): void {
  const [high, low] = [first >> 64n, first & 0xffffffffffffffffn];
  program.add(...wide(R.a, high));
  if (low === 0n) {
    program.jump(jump64("ge", R.high, R.a), above);
    return;
  }
  const below = program.label("below");
  program.jump(jump64("gt", R.high, R.a), above);
  program.jump(jump64("ne", R.high, R.a), below);
  program.add(...wide(R.a, low));
  program.jump(jump64("ge", R.e, R.a), above);
  program.place(below);
}
