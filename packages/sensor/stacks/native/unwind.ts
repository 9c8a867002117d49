import { type Loaded, loadedAt, unwindRow } from "../elf/binaries.ts";
import type { UnwindRow } from "../elf/cfi.ts";
import type { Memory } from "../memory.ts";
import { type Mapping, mappingAt, type Standing } from "../process.ts";

/** One native function that is under way. `pc` lies in it: of callers it is the last byte of the call. */
export interface NativeFrame {
  pc: number;
  mapping: Mapping;
  loaded: Loaded | null;
  /** Its frame pointer, for code that keeps one and has no tables; null where none is found. */
  framePointer(): number | null;
}

/** Frames that are followed, shown or not. */
const MAX_STEPS = 256;
/** How far from the stack pointer a frame pointer is looked for: locals of one function. */
const MAX_LOCALS = 64 * 1024;
const LONG_CHAIN = 4;
const WITHOUT_TABLES = "callers are not followed beyond code without unwind tables";
/** Where x86-64 Linux puts the interrupted registers for a signal handler: struct ucontext, from the stack pointer at its return. */
const SIGNAL = { fp: 120, sp: 160, pc: 168 };

/**
 * Native frames, innermost first, from the unwind tables of the files, and by frame pointers where a file has none. Returns why it
 * ends: null at the outermost function. A task's registers cannot be had without attaching to it; from its stack pointer and program
 * counter alone all others follow, but for the frame pointer, which is found when the first function needs it (`findFrame`).
 */
export function* unwind(proc: string, memory: Memory, mappings: readonly Mapping[], { pc, sp }: Standing): Generator<NativeFrame, string | null> {
  if (pc === null || sp === null) return "the thread was running, and runs have no place";
  const stack = mappingAt(mappings, sp);
  if (stack === undefined || !stack.writable) return "its stack pointer leads nowhere";
  const loadedOf = remembered(proc);
  const walker = new Walker(memory, mappings, stack, sp);
  let at = pc;
  let isGuessed = false;
  for (let step = 0; step < MAX_STEPS; step++) {
    const mapping = mappingAt(mappings, at);
    if (mapping === undefined || !mapping.executable) return isGuessed ? WITHOUT_TABLES : "callers are not followed beyond code that is not there";
    const loaded = loadedOf(mapping);
    yield { pc: at, mapping, loaded, framePointer: () => walker.framePointer(null) };
    const row = loaded === null ? null : unwindRow(proc, loaded, mapping, at);
    const next = walker.up(row, row === null || loaded === null ? null : row.start + loaded.bias);
    isGuessed = row === null;
    if (next === 0 && !isGuessed) return null;
    if (next === 0 || next === null) return WITHOUT_TABLES;
    // A call that is a function's last code returns behind it; what a signal interrupted is where it is.
    at = row?.isSignal ? next : next - 1;
  }
  return "there are more native frames than are followed";
}

function remembered(proc: string): (mapping: Mapping) => Loaded | null {
  const known = new Map<string, Loaded | null>();
  return (mapping) => {
    const found = known.get(mapping.range);
    if (found !== undefined) return found;
    const loaded = loadedAt(proc, mapping);
    known.set(mapping.range, loaded);
    return loaded;
  };
}

class Walker {
  readonly #memory: Memory;
  readonly #mappings: readonly Mapping[];
  readonly #stack: Mapping;
  #sp: number;
  #fp: number | null = null;

  constructor(memory: Memory, mappings: readonly Mapping[], stack: Mapping, sp: number) {
    this.#memory = memory;
    this.#mappings = mappings;
    this.#stack = stack;
    this.#sp = sp;
  }

  framePointer(start: number | null): number | null {
    this.#fp ??= this.#findFrame(start);
    return this.#fp;
  }

  /** The return address into the caller, 0 at the outermost, null where it cannot be known. `start`: of the function. */
  up(row: UnwindRow | null, start: number | null): number | null {
    if (row !== null && row.returnAddress === undefined) return 0;
    if (row?.isSignal) return this.#interrupted();
    const base = row === null || row.cfa.from === "fp" ? this.framePointer(start) : this.#sp;
    if (base === null) return null;
    const cfa = base + (row?.cfa.offset ?? 16);
    // A caller's frame lies further up, or we would go round in circles.
    if (cfa <= this.#sp || cfa > this.#stack.end) return null;
    const saved = row === null ? -8 : row.returnAddress;
    if (saved == null) return null;
    const returnAddress = this.#memory.u64(cfa + saved);
    const savedFp = row === null ? -16 : row.fp;
    if (savedFp !== null) this.#fp = this.#memory.u64(cfa + savedFp);
    this.#sp = cfa;
    return returnAddress;
  }

  #interrupted(): number | null {
    const sp = this.#memory.u64(this.#sp + SIGNAL.sp);
    const pc = this.#memory.u64(this.#sp + SIGNAL.pc);
    this.#fp = this.#memory.u64(this.#sp + SIGNAL.fp);
    // Handlers on a stack of their own end here: how far that one goes is not known.
    if (sp <= this.#sp || sp >= this.#stack.end) return null;
    this.#sp = sp;
    return pc;
  }

  /**
   * The nearest pair up the stack that looks as a saved frame pointer with a return address above it does, and leads to more of
   * them: what earlier calls left behind rarely goes on for long.
   */
  #findFrame(start: number | null): number | null {
    const end = Math.min(this.#stack.end - 16, this.#sp + MAX_LOCALS);
    let best: { at: number; length: number } | null = null;
    for (let at = this.#sp - (this.#sp % 8); at <= end; at += 8) {
      const called = this.#linkAt(at)?.called;
      if (called === undefined) continue;
      // A call of this very function can be no chance.
      if (called !== 0 && called === start) return at;
      const length = this.#chainFrom(at);
      if (length >= LONG_CHAIN) return at;
      if (best === null || length > best.length) best = { at, length };
    }
    return best?.at ?? null;
  }

  #chainFrom(first: number): number {
    let length = 0;
    for (let link = this.#linkAt(first); link !== null && length < LONG_CHAIN; link = this.#linkAt(link.saved)) length++;
    return length;
  }

  #linkAt(at: number): { saved: number; called: number } | null {
    if (at + 16 > this.#stack.end) return null;
    const saved = this.#memory.u64(at);
    if (saved <= at || saved >= this.#stack.end || saved % 8 !== 0) return null;
    const called = this.#calledFrom(this.#memory.u64(at + 8));
    return called === null ? null : { saved, called };
  }

  /** What the call before a return address calls: 0 where it is indirect, null where there is no call. x86-64. */
  #calledFrom(returnAddress: number): number | null {
    const mapping = mappingAt(this.#mappings, returnAddress);
    if (mapping === undefined || !mapping.executable || returnAddress - 8 < mapping.start) return null;
    const before = this.#memory.bytes(returnAddress - 7, 7);
    if (before[2] === 0xe8) return returnAddress + before.readInt32LE(3);
    // ff /2 with its forms of addressing: call *reg, *[reg], *[reg+8], *[reg+32], *[rip+32]
    const isCall = [5, 4, 3, 1].some((at) => before[at] === 0xff && ((before[at + 1] ?? 0) & 0x38) === 0x10);
    return isCall ? 0 : null;
  }
}
