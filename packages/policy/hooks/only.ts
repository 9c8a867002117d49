import { SPECIAL_ADDRESSES, STAND_INS } from "@plastron/contracts";
import type { PortRange } from "../orders/order.ts";
import { type AddressRange, rangeOf } from "./addresses.ts";
import type { PortRule } from "./ports.ts";
import type { Label, Program } from "./program.ts";
import { writeSmallest } from "./ranges.ts";

/** Every address of both families, with what is refused there: all ports, or all but some. */
export type Except = readonly { range: AddressRange; rule: PortRule }[];

/**
 * What the sandbox has by itself: loopback, the unspecified addresses, which reach it (a bound socket's 0.0.0.0 is looked at as what
 * it is bound to), and the stand-ins. Mapped IPv4 addresses are passed on to the rules of IPv4; other spellings of them lead nowhere.
 */
const OWN = ["127.0.0.0/8", "0.0.0.0/32", "::1/128", "::/128", STAND_INS.v4, STAND_INS.v6];
const EVERYTHING = ["0.0.0.0/0", "::/0"];

/**
 * `allowed` may overlap: an address has the ports of every range that it lies in. Special ranges inside of a wider one that is
 * allowed are not opened by it.
 */
export function exceptOf({ rule, allowed }: { rule: number; allowed: readonly { cidr: string; ports: readonly PortRange[] }[] }): Except {
  const refusing = (ports: readonly PortRange[]): PortRule => ({ rule, ports, deny: true, report: true });
  const passing: PortRule = { rule, ports: [], deny: false, report: false };
  const ranges = [...OWN.map((cidr) => ({ cidr, ports: [] })), ...allowed].map(({ cidr, ports }) => ({ range: rangeOf(cidr), ports }));
  const around = (inner: AddressRange) => ranges.filter(({ range }) => range.family === inner.family && range.first <= inner.first && inner.last <= range.last);
  const isNamed = ({ family, first, last }: AddressRange) =>
    ranges.some(({ range }) => range.family === family && range.first === first && range.last === last);
  const closed = [...EVERYTHING, ...SPECIAL_ADDRESSES].map(rangeOf).filter((range) => !isNamed(range));
  return [
    ...closed.map((range) => ({ range, rule: refusing([]) })),
    { range: MAPPED, rule: passing },
    ...ranges.map(({ range }) => {
      const holding = around(range).filter((one) => !closed.some((special) => isBetween(one.range, special, range)));
      const left = holding.some(({ ports }) => ports.length === 0) ? [] : others(holding.flatMap(({ ports }) => ports));
      return { range, rule: left.length === 0 ? passing : refusing(left) };
    }),
  ];
}

/** Whether what is allowed for `outer` ends at `special` before it gets to `inner`. */
function isBetween(outer: AddressRange, special: AddressRange, inner: AddressRange): boolean {
  const holds = (a: AddressRange, b: AddressRange) => a.family === b.family && a.first <= b.first && b.last <= a.last;
  return holds(outer, special) && holds(special, inner);
}

/** Decides by address and port, as rules on addresses are decided, and goes on at `next`. */
export function writeOnly(program: Program, family: 4 | 6, except: Except, next: Label): void {
  writeSmallest(program, family, except, next);
}

/** ::ffff:0:0/96, which is no range of IPv6 as text: a mapped address is read as the IPv4 address that it is. */
const MAPPED: AddressRange = { family: 6, first: 0xffff_0000_0000n, last: 0xffff_ffff_ffffn };

/** All ports but these; 0 among them. */
function others(ports: readonly PortRange[]): PortRange[] {
  const left: PortRange[] = [];
  let from = 0;
  for (const [first, last] of [...ports].sort((a, b) => a[0] - b[0])) {
    if (first > from) left.push([from, first - 1]);
    from = Math.max(from, last + 1);
  }
  return from > 65_535 ? left : [...left, [from, 65_535]];
}
