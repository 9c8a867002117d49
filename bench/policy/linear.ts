import { type Condition, type Entry, type Profile, syscallNumbers, type Verdict } from "@plastron/policy";

/**
 * The peer: the same rules as libseccomp writes them without its optional tree, which is how container runtimes use it. One
 * comparison after another with every number that the profile names, in the order of the profile, and in each the conditions of
 * its entries, compared on 64 bits.
 */
export function linearFilter(profile: Profile, arch: "x86_64" | "aarch64"): Uint8Array {
  const blocks = [...entriesByName(profile.entries)].flatMap(([name, entries]) => {
    const number = syscallNumbers(arch).get(name);
    return number === undefined ? [] : [blockOf(number, entries, profile.otherwise)];
  });
  return encoded([
    load(ARCH),
    jump(EQUAL, arch === "x86_64" ? 0xc000003e : 0xc00000b7, 1, 0),
    returning({ action: "kill_process" }),
    load(NR),
    ...(arch === "x86_64" ? [jump(AT_LEAST, 0x40000000, 0, 1), returning({ action: "kill_process" })] : []),
    ...blocks.flat(),
    returning(profile.otherwise),
  ]);
}

type Instruction = [code: number, yes: number, no: number, value: number];

const [NR, ARCH, ARGUMENTS] = [0, 4, 16];
const [EQUAL, AT_LEAST, ABOVE, ANY] = [0x15, 0x35, 0x25, 0x45];
const load = (offset: number): Instruction => [0x20, 0, 0, offset];
const and = (mask: bigint): Instruction => [0x54, 0, 0, Number(mask)];
const jump = (test: number, value: number, yes: number, no: number): Instruction => [test, yes, no, value];
const always = (distance: number): Instruction => [0x05, 0, 0, distance];

function entriesByName(entries: readonly Entry[]): Map<string, Entry[]> {
  const found = new Map<string, Entry[]>();
  for (const entry of entries) for (const name of entry.names) found.set(name, [...(found.get(name) ?? []), entry]);
  return found;
}

const SEVERITY: Verdict["action"][] = ["kill_process", "kill_thread", "trap", "errno", "notify", "log", "allow"];

/** Entered with the number loaded, which every block leaves as it was for the next. */
function blockOf(number: number, entries: readonly Entry[], otherwise: Verdict): Instruction[] {
  const ordered = entries.toSorted((a, b) => SEVERITY.indexOf(a.verdict.action) - SEVERITY.indexOf(b.verdict.action));
  const body = [...ordered.flatMap(entryOf), returning(otherwise)];
  return [jump(EQUAL, number, 1, 0), always(body.length), ...body];
}

function entryOf({ when, verdict }: Entry): Instruction[] {
  let following: Instruction[] = [returning(verdict)];
  for (const condition of when.toReversed()) following = conditionOf(condition, following.length).concat(following);
  return following;
}

/** Goes on to what follows where it holds, and `over` instructions further where it does not. */
function conditionOf({ index, op, ...rest }: Condition, over: number): Instruction[] {
  const low = load(ARGUMENTS + 8 * index);
  const high = load(ARGUMENTS + 8 * index + 4);
  const value = "value" in rest ? rest.value : 0n;
  const mask = "mask" in rest ? rest.mask : 0xffff_ffff_ffff_ffffn;
  const [lowValue, highValue] = [Number(value & 0xffff_ffffn), Number(value >> 32n)];
  switch (op) {
    case "any_bits":
      return [high, jump(ANY, Number(mask >> 32n), 2, 0), low, jump(ANY, Number(mask & 0xffff_ffffn), 0, over)];
    case "eq":
    case "masked_eq":
      return [high, and(mask >> 32n), jump(EQUAL, highValue, 0, over + 3), low, and(mask & 0xffff_ffffn), jump(EQUAL, lowValue, 0, over)];
    case "ne":
      return [high, jump(EQUAL, highValue, 0, 2), low, jump(EQUAL, lowValue, over, 0)];
    case "gt":
    case "ge":
      return [high, jump(ABOVE, highValue, 3, 0), jump(EQUAL, highValue, 0, over + 2), low, jump(op === "gt" ? ABOVE : AT_LEAST, lowValue, 0, over)];
    case "lt":
    case "le":
      return [high, jump(ABOVE, highValue, over + 3, 0), jump(EQUAL, highValue, 0, 2), low, jump(op === "lt" ? AT_LEAST : ABOVE, lowValue, over, 0)];
  }
}

function returning(verdict: Verdict): Instruction {
  const values = { kill_process: 0x80000000, kill_thread: 0, trap: 0x30000, errno: 0x50000, notify: 0x7fc00000, log: 0x7ffc0000, allow: 0x7fff0000 };
  return [0x06, 0, 0, values[verdict.action] + (verdict.action === "errno" ? verdict.errno : 0)];
}

function encoded(instructions: readonly Instruction[]): Uint8Array {
  const bytes = new DataView(new ArrayBuffer(instructions.length * 8));
  for (const [i, [code, yes, no, value]] of instructions.entries()) {
    bytes.setUint16(i * 8, code, true);
    bytes.setUint8(i * 8 + 2, yes);
    bytes.setUint8(i * 8 + 3, no);
    bytes.setUint32(i * 8 + 4, value, true);
  }
  return new Uint8Array(bytes.buffer);
}
