import { type AddressRange, overlap, rangeOf } from "./addresses.ts";
import { copy, fromNetwork, jump32, jump64, load32, load64, or, R, shiftLeft, shiftRight, wide } from "./instructions.ts";
import { type Except, writeOnly } from "./only.ts";
import { type PortRule, writePorts } from "./ports.ts";
import { type Label, Program } from "./program.ts";
import { writeRanges } from "./ranges.ts";
import { ADDRESS4, ADDRESS6, SOURCE4 } from "./record.ts";
import { beginVerdict, endVerdict } from "./verdict.ts";

export interface DestinationRule extends PortRule {
  cidr: string | null;
  /** False: does not hold for 0.0.0.0 and ::, even where it holds for what they reach. */
  unspecified?: boolean | undefined;
}

interface Destinations {
  placed: readonly Placed[];
  only: Except | undefined;
}

interface Placed {
  range: AddressRange;
  rule: PortRule;
}

/**
 * Who is reached by 0.0.0.0 (127.0.0.1, or what the socket is bound to: net/ipv4/route.c) and by :: (::1, or 127.0.0.1 from a
 * socket bound to an IPv4 address: net/ipv6/tcp_ipv6.c). A rule about any of them covers the unspecified address too; a rule about
 * the unspecified address covers that alone. Bound addresses are looked up in the program.
 */
const REACHED_BY_UNSPECIFIED = [
  { unspecified: rangeOf("0.0.0.0"), reached: rangeOf("127.0.0.0/8") },
  { unspecified: rangeOf("::"), reached: rangeOf("::1") },
];

/**
 * Spellings of an IPv4 address as an IPv6 one, by the 96 bits before it: mapped (RFC 4291), compatible (the same, deprecated; ::
 * among them, but not ::1), translated (RFC 2765) and NAT64 (RFC 6052).
 */
const LOOPBACK6 = 1;
const SPELLINGS_OF_V4 = [
  { high: 0n, middle: 0xffff },
  { high: 0n, middle: 0, butNot: LOOPBACK6 },
  { high: 0n, middle: 0xffff0000 },
  { high: 0x64ff9b00000000n, middle: 0 },
];

/** The IPv4 address that an IPv6 address spells, or null. */
export function spelledV4(address: bigint): bigint | null {
  const [high, middle, low] = [address >> 64n, (address >> 32n) & 0xffff_ffffn, address & 0xffff_ffffn];
  const found = SPELLINGS_OF_V4.some(
    (each) => each.high === high && BigInt(each.middle) === middle && (each.butNot === undefined || BigInt(each.butNot) !== low),
  );
  return found ? low : null;
}

export function program4(at: "connect4" | "sendmsg4", rules: readonly DestinationRule[], only?: Except): Uint8Array {
  const program = new Program();
  const decided = program.label("decided");
  begin(program, ADDRESS4.port);
  program.add(load32(R.address, R.context, ADDRESS4.address[0]), fromNetwork(R.address, 32));
  writeV4(program, at === "connect4" ? "socket" : "datagram", { placed: place(rules), only }, decided);
  program.place(decided);
  endVerdict(program, { kind: "destination", ...ADDRESS4 });
  return program.encode();
}

/** For connect6 and sendmsg6: the rules of IPv6, and those of the IPv4 address that it may be another spelling of. */
export function program6(rules: readonly DestinationRule[], only?: Except): Uint8Array {
  const program = new Program();
  const [decided, rangesDone, onlyDone] = [program.label("decided"), program.label("IPv6 ranges done"), program.label("IPv6 others done")];
  const placed = place(rules);
  begin(program, ADDRESS6.port);
  const [first, second, third, fourth] = ADDRESS6.address;
  readHalf(program, R.high, first, second);
  readHalf(program, R.e, third, fourth);
  writeRanges(program, 6, placed, rangesDone);
  program.place(rangesDone);
  if (only) writeOnly(program, 6, only, onlyDone);
  program.place(onlyDone);
  if (only || placed.some(({ range }) => range.family === 4)) {
    unwrap(program, decided);
    writeV4(program, "socket", { placed, only }, decided);
  }
  program.place(decided);
  endVerdict(program, { kind: "destination", ...ADDRESS6 });
  return program.encode();
}

/** For bind4 and bind6: by port alone. */
export function bindProgram(family: 4 | 6, rules: readonly PortRule[]): Uint8Array {
  const program = new Program();
  const decided = program.label("decided");
  const context = family === 4 ? ADDRESS4 : ADDRESS6;
  begin(program, context.port);
  writePorts(program, rules, decided);
  program.place(decided);
  endVerdict(program, { kind: "bind", ...context });
  return program.encode();
}

function begin(program: Program, port: number): void {
  program.add(copy(R.context, R.a), load32(R.port, R.context, port), fromNetwork(R.port, 16));
  beginVerdict(program);
}

/** Decides by the IPv4 address in R.address. From a bound socket 0.0.0.0 is two: itself, and the address that it is bound to. */
function writeV4(program: Program, source: "socket" | "datagram", { placed, only }: Destinations, decided: Label): void {
  const [search, bound, searched] = [program.label("search"), program.label("bound"), program.label("searched")];
  program.jump(jump32("ne", R.address, 0), search);
  if (source === "datagram") program.add(load32(R.b, R.context, SOURCE4.ofDatagram));
  else program.add(load64(R.b, R.context, SOURCE4.socket), load32(R.b, R.b, SOURCE4.ofSocket));
  program.jump(jump32("eq", R.b, 0), search);
  const unspecified = placed.filter(({ range }) => range.family === 4 && range.first === 0n);
  writePorts(
    program,
    unspecified.map(({ rule }) => rule),
    bound,
  );
  program.place(bound);
  program.add(copy(R.address, R.b), fromNetwork(R.address, 32));
  program.place(search);
  writeRanges(program, 4, placed, only ? searched : decided);
  program.place(searched);
  if (only) writeOnly(program, 4, only, decided);
}

function readHalf(program: Program, into: number, upper: number, lower: number): void {
  program.add(load32(into, R.context, upper), fromNetwork(into, 32), shiftLeft(into, 32));
  program.add(load32(R.a, R.context, lower), fromNetwork(R.a, 32), or(into, R.a));
}

/** Puts the IPv4 address that the IPv6 address stands for into R.address, or goes to `none`. */
function unwrap(program: Program, none: Label): void {
  const found = program.label("an IPv4 address");
  program.add(copy(R.address, R.e), copy(R.b, R.e), shiftRight(R.b, 32));
  for (const { high, middle, butNot } of SPELLINGS_OF_V4) {
    const other = program.label("another spelling");
    program.add(...wide(R.a, high));
    program.jump(jump64("ne", R.high, R.a), other);
    program.jump(jump32("ne", R.b, middle), other);
    if (butNot !== undefined) program.jump(jump32("eq", R.address, butNot), none);
    program.goto(found);
    program.place(other);
  }
  program.goto(none);
  program.place(found);
}

function place(rules: readonly DestinationRule[]): Placed[] {
  return rules.flatMap((rule) => rangesOf(rule).map((range) => ({ range, rule })));
}

/** The addresses that a rule is about, with the unspecified one where that reaches them. */
export function rangesOf({ cidr, unspecified }: Pick<DestinationRule, "cidr" | "unspecified">): AddressRange[] {
  if (cidr === null) return [rangeOf("0.0.0.0/0"), rangeOf("::/0")];
  const range = rangeOf(cidr);
  if (unspecified === false) return [range];
  const also = REACHED_BY_UNSPECIFIED.filter((also) => overlap(range, also.reached) && !overlap(range, also.unspecified));
  return [range, ...also.map((also) => also.unspecified)];
}
