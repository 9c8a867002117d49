import { NotElf } from "./file.ts";
import { Reader } from "./reader.ts";

/**
 * How to get from one function's frame to its caller's at one address: System V ABI, .eh_frame, and DWARF 5 §6.4. Only the registers
 * that a walk needs: the frame's address (CFA) from the stack or the frame pointer, and where the caller's frame pointer and the
 * return address were saved, from the CFA. What needs an expression is not followed.
 */
export interface UnwindRow {
  cfa: { from: "sp" | "fp"; offset: number };
  /** null: the function has not touched it */
  fp: number | null;
  /** null: still in its register; undefined: this is the outermost function */
  returnAddress: number | null | undefined;
  /** It stands for a signal's delivery: the interrupted code's registers lie on the stack. */
  isSignal: boolean;
  /** Where the function begins, in the file's addresses. */
  start: number;
}

/** DWARF's numbers of stack pointer, frame pointer and return address. */
export const REGISTERS = { x64: { sp: 7, fp: 6, ra: 16 }, arm64: { sp: 31, fp: 29, ra: 30 } };
type Registers = (typeof REGISTERS)["x64"];

/** One function in the table, with what is common to many. */
export interface FrameEntry {
  start: number;
  length: number;
  codeAlign: number;
  dataAlign: number;
  isSignal: boolean;
  initial: Buffer;
  program: Buffer;
}

interface State {
  register: number;
  offset: number;
  /** It takes an expression to know it. */
  opaque: boolean;
  /** Of each register: where it was saved, from the CFA; null: it was not; undefined: nobody can say. */
  saved: Map<number, number | null | undefined>;
}

/** Runs call frame instructions until an address, as far as they are about those registers. */
export class Interpreter {
  readonly #registers: Registers;
  readonly #entry: FrameEntry;
  #state: State = { register: -1, offset: 0, opaque: false, saved: new Map() };
  #initial: State = this.#state;
  readonly #remembered: State[] = [];

  constructor(registers: Registers, entry: FrameEntry) {
    this.#registers = registers;
    this.#entry = entry;
  }

  keepInitial(): void {
    this.#initial = copyOf(this.#state);
  }

  row(start: number): UnwindRow | null {
    const { register, offset, opaque, saved } = this.#state;
    const { sp, fp, ra } = this.#registers;
    if (this.#entry.isSignal) return { cfa: { from: "sp", offset: 0 }, fp: null, returnAddress: null, isSignal: true, start };
    if (opaque || (register !== sp && register !== fp)) return null;
    return {
      cfa: { from: register === sp ? "sp" : "fp", offset },
      fp: saved.get(fp) ?? null,
      returnAddress: saved.has(ra) ? saved.get(ra) : null,
      isSignal: false,
      start,
    };
  }

  /** Runs to the end, or to where the table goes on behind `until` (from the function's start). */
  run(program: Buffer, until: number): void {
    const reader = new Reader(program, 0);
    let location = 0;
    while (reader.more) {
      const op = reader.byte();
      const advance = this.#advance(op, reader);
      if (advance === null) this.#apply(op, reader);
      else location += advance * this.#entry.codeAlign;
      if (location > until) return;
    }
  }

  #advance(op: number, reader: Reader): number | null {
    if (op >>> 6 === 1) return op & 63;
    return op === 2 ? reader.little(1) : op === 3 ? reader.little(2) : op === 4 ? reader.little(4) : null;
  }

  #apply(op: number, reader: Reader): void {
    const state = this.#state;
    const { dataAlign } = this.#entry;
    // The two highest bits are an operation with a register in the other six, or nothing.
    switch (op >= 0x80 ? op & 0xc0 : op) {
      case 0x80: // offset
        state.saved.set(op & 63, reader.unsigned() * dataAlign);
        break;
      case 0xc0: // restore
        this.#restore(op & 63);
        break;
      case 0x00: // nop
      case 0x2d: // window save, on arm64: signed return addresses
        break;
      case 0x05: // offset extended
        state.saved.set(reader.unsigned(), reader.unsigned() * dataAlign);
        break;
      case 0x06: // restore extended
        this.#restore(reader.unsigned());
        break;
      case 0x07: // undefined
        state.saved.set(reader.unsigned(), undefined);
        break;
      case 0x08: // same value
        state.saved.set(reader.unsigned(), null);
        break;
      case 0x0a: // remember
        if (this.#remembered.length >= 64) throw new NotElf("its table of frames is broken");
        this.#remembered.push(copyOf(state));
        break;
      case 0x0b: // restore what was remembered
        this.#state = this.#remembered.pop() ?? state;
        break;
      case 0x0c: // def cfa
        this.#define(reader.unsigned(), reader.unsigned());
        break;
      case 0x0d: // def cfa register
        this.#define(reader.unsigned(), state.offset);
        break;
      case 0x0e: // def cfa offset
        state.offset = reader.unsigned();
        break;
      case 0x0f: // def cfa expression
        state.opaque = true;
        reader.block();
        break;
      case 0x10: // expression
      case 0x16: // value expression
        state.saved.set(reader.unsigned(), undefined);
        reader.block();
        break;
      case 0x11: // offset extended, signed
        state.saved.set(reader.unsigned(), reader.signed() * dataAlign);
        break;
      case 0x12: // def cfa, signed
        this.#define(reader.unsigned(), reader.signed() * dataAlign);
        break;
      case 0x13: // def cfa offset, signed
        state.offset = reader.signed() * dataAlign;
        break;
      case 0x2e: // size of arguments
        reader.unsigned();
        break;
      default:
        throw new NotElf("its table of frames has an unknown instruction");
    }
  }

  #define(register: number, offset: number): void {
    Object.assign(this.#state, { register, offset, opaque: false });
  }

  #restore(register: number): void {
    const { saved } = this.#initial;
    if (saved.has(register)) this.#state.saved.set(register, saved.get(register));
    else this.#state.saved.delete(register);
  }
}

function copyOf(state: State): State {
  return { ...state, saved: new Map(state.saved) };
}
