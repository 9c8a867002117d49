import { argumentWidth, type Width } from "./arguments.ts";
import { type Condition, deciding, type Entry, entriesByName, isFinal, KILL, NOTIFY, type Profile, type Verdict } from "./profile.ts";
import { encode, Graph, type Node } from "./program.ts";
import { type Arch, syscallNumbers } from "./syscalls.ts";

/** AUDIT_ARCH_* of linux/audit.h. */
const AUDIT_ARCH: Record<Arch, number> = { x86_64: 0xc000003e, aarch64: 0xc00000b7 };
/** Offsets in struct seccomp_data. */
const NR = 0;
const ARCH = 4;
const ARGS = 16;
/** SECCOMP_RET_* of linux/seccomp.h. */
const RETURN: Record<Verdict["action"], number> = {
  kill_process: 0x80000000,
  kill_thread: 0,
  trap: 0x00030000,
  errno: 0x00050000,
  notify: 0x7fc00000,
  log: 0x7ffc0000,
  allow: 0x7fff0000,
};

/**
 * A profile as machine code: `struct sock_filter[]`, little endian, for the native ABI of one architecture.
 * Calls of every other ABI (i386 through int 0x80, x32, 32-bit Arm) kill the process: their numbers mean other calls.
 * Names that the architecture does not have are skipped. Throws RangeError over 4096 instructions.
 */
export function assembleFilter(profile: Profile, arch: Arch): Uint8Array {
  const graph = new Graph();
  const dispatch = dispatchOver(graph, segmentsOf(graph, profile, arch));
  const native = graph.jump("eq", AUDIT_ARCH[arch], graph.load(NR, dispatch), returning(graph, KILL));
  return encode(graph.load(ARCH, native));
}

/** From `first` on, up to the next segment, this is what happens. */
interface Segment {
  first: number;
  node: Node;
}

function segmentsOf(graph: Graph, profile: Profile, arch: Arch): Segment[] {
  const unknown = returning(graph, profile.unknown);
  const entries = entriesByName(profile.entries);
  const brokered = new Set(profile.brokered);
  const { otherwise } = profile;

  const nodes = new Map<number, Node>();
  for (const [name, number] of syscallNumbers(arch)) {
    nodes.set(number, answerOf(graph, { name, entries: entries.get(name) ?? [], otherwise, brokered: brokered.has(name) }));
  }

  const segments: Segment[] = [{ first: 0, node: nodes.get(0) ?? unknown }];
  const add = (first: number, node: Node): void => {
    if (segments.at(-1)?.node !== node) segments.push({ first, node });
  };
  const last = Math.max(...nodes.keys());
  for (let number = 1; number <= last + 1; number++) add(number, nodes.get(number) ?? unknown);
  if (arch === "x86_64") {
    // x32 calls come with the native arch and bit 30 set. -1 is not a call: a tracer writes it to skip one.
    add(0x40000000, returning(graph, KILL));
    add(0x80000000, unknown);
    add(0xc0000000, returning(graph, KILL));
    add(0xffffffff, unknown);
  }
  return segments;
}

/** A balanced tree of `nr >= first`, entered with the number loaded. */
function dispatchOver(graph: Graph, segments: Segment[]): Node {
  if (segments.length === 1) return (segments[0] as Segment).node;
  const middle = segments.length >> 1;
  const upper = dispatchOver(graph, segments.slice(middle));
  const lower = dispatchOver(graph, segments.slice(0, middle));
  return graph.jump("ge", (segments[middle] as Segment).first, upper, lower);
}

interface Asked {
  name: string;
  entries: readonly Entry[];
  otherwise: Verdict;
  brokered: boolean;
}

/** First whether anybody is to hear of it, then what is decided: handed over, all but the final decisions are the listener's. */
function answerOf(graph: Graph, asked: Asked): Node {
  const silent = decisionOf(graph, asked, (verdict) => (asked.brokered && passes(verdict) ? NOTIFY : verdict));
  const reporting = asked.entries.filter(({ report }) => report !== undefined);
  if (reporting.length === 0) return silent;
  const heard = decisionOf(graph, asked, (verdict) => (isFinal(verdict) ? verdict : NOTIFY));
  return reporting.reduceRight((next, { when }) => matching(graph, asked.name, when, heard, next), silent);
}

function decisionOf(graph: Graph, { name, entries, otherwise }: Asked, put: (verdict: Verdict) => Verdict): Node {
  const last = returning(graph, put(otherwise));
  return deciding(entries).reduceRight((next, { when, verdict }) => matching(graph, name, when, returning(graph, put(verdict)), next), last);
}

function matching(graph: Graph, name: string, when: readonly Condition[], yes: Node, no: Node): Node {
  return when.reduceRight((next, condition) => testing(graph, condition, argumentWidth(name, condition.index), next, no), yes);
}

const passes = ({ action }: Verdict): boolean => action === "allow" || action === "log";

/**
 * `argument` below is the register cut to `width`. A value that is a sign-extended negative of that width is cut too, so that
 * -1 may be written as 2^64-1; any other value that does not fit can simply never be reached.
 */
function testing(graph: Graph, condition: Condition, width: Width, yes: Node, no: Node): Node {
  const offset = ARGS + 8 * condition.index;
  const low = (next: Node): Node => graph.load(offset, width === 16 ? graph.and(0xffff, next) : next);
  const high = (next: Node): Node => graph.load(offset + 4, next);
  const seen = (1n << BigInt(width)) - 1n;

  switch (condition.op) {
    case "any_bits": {
      const mask = condition.mask & seen;
      const lower = graph.load(offset, graph.jump("any", lowOf(mask), yes, no));
      return highOf(mask) === 0 ? lower : high(graph.jump("any", highOf(mask), yes, lower));
    }
    case "masked_eq": {
      const mask = condition.mask & seen;
      if ((condition.value & ~mask) !== 0n) return no;
      const lower = lowOf(mask) === 0 ? yes : graph.load(offset, graph.and(lowOf(mask), graph.jump("eq", lowOf(condition.value), yes, no)));
      return highOf(mask) === 0 ? lower : high(graph.and(highOf(mask), graph.jump("eq", highOf(condition.value), lower, no)));
    }
    case "ne":
      return testing(graph, { ...condition, op: "eq" }, width, no, yes);
    case "lt":
      return testing(graph, { ...condition, op: "ge" }, width, no, yes);
    case "le":
      return testing(graph, { ...condition, op: "gt" }, width, no, yes);
    case "eq":
    case "gt":
    case "ge": {
      const value = normalise(condition.value, width);
      if (value > seen) return no;
      const lower = low(graph.jump(condition.op, lowOf(value), yes, no));
      if (width !== 64) return lower;
      const above = condition.op === "eq" ? no : graph.jump("gt", highOf(value), yes, no);
      return high(graph.jump("eq", highOf(value), lower, above));
    }
  }
}

/** A value as it is compared with an argument of that width: sign-extended negatives are cut. */
export function normalise(value: bigint, width: Width): bigint {
  const negative = (1n << 64n) - (1n << BigInt(width - 1));
  return width !== 64 && value >= negative ? BigInt.asUintN(width, value) : value;
}

const lowOf = (value: bigint): number => Number(value & 0xffffffffn);
const highOf = (value: bigint): number => Number(value >> 32n);

function returning(graph: Graph, verdict: Verdict): Node {
  return graph.return((RETURN[verdict.action] | (verdict.action === "errno" ? verdict.errno : 0)) >>> 0);
}
