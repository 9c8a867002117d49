import type { StackFrame } from "@plastron/contracts";
import type { Engine } from "../elf/engine.ts";
import { type Memory, Unreadable } from "../memory.ts";
import { type Mapping, mappingAt } from "../process.ts";
import type { Sink } from "../sink.ts";
import { Heap } from "./heap.ts";
import { sourcePositionOf } from "./positions.ts";
import { Sources } from "./source.ts";

/** Frames that are looked at, shown or not: builtins and the runtime's own are between those of a program. */
const MAX_STEPS = 1024;
const MAX_TABLE = 64 * 1024;
/** Slots of the frame in which C++ enters JavaScript. */
const ENTRY_SLOTS = 20;

/** Where a thread left JavaScript: frame pointer of the frame that V8 makes for that. Zero where it runs none. */
export function exitFrameOf(memory: Memory, engine: Engine, isolateAt: number): number {
  const { frame, root } = waysOut(engine.exit);
  const isolate = memory.u64(isolateAt);
  return isolate === 0 ? 0 : memory.u64(isolate + root + frame);
}

/**
 * From the code that leaves JavaScript: it keeps its frame pointer in the isolate (`mov [r13+disp32], rbp`), and hands over the
 * isolate's address as the root register's less a constant (`lea rdx, [r13-disp8]`).
 */
function waysOut(code: Buffer): { frame: number; root: number } {
  const frame = code.indexOf(Buffer.from([0x49, 0x89, 0xad]));
  const root = code.indexOf(Buffer.from([0x49, 0x8d, 0x55]));
  if (frame < 0 || root < 0 || frame + 7 > code.length || root + 4 > code.length)
    throw new Unreadable("this Node leaves JavaScript in a way that is not known");
  return { frame: code.readInt32LE(frame + 3), root: -code.readInt8(root + 3) };
}

/** A frame pointer, and where in its code the frame is; null where that is not known. */
export interface Place {
  fp: number;
  pc: number | null;
}

/**
 * JavaScript frames of one thread, innermost first, into `sink`; `from` is one of V8's frames. Returns why frames
 * are missing, or null. Throws Unreadable; what was found until then is in the sink.
 */
export function walkJavaScript(memory: Memory, engine: Engine, from: Place, mappings: readonly Mapping[], sink: Sink): string | null {
  const heap = new Heap(memory, engine);
  const reader = new FrameReader(heap);
  const stack = mappingAt(mappings, from.fp);
  if (stack === undefined) throw new Unreadable("a frame pointer leads nowhere");
  let { fp, pc } = from;
  for (let step = 0; fp !== 0; step++) {
    if (sink.isFull || step >= MAX_STEPS) {
      sink.cut();
      break;
    }
    if (fp < stack.start || fp + 16 > stack.end || fp % 8 !== 0) throw new Unreadable("a frame pointer leads out of the stack");
    const marker = memory.u64(fp + heap.constant("off_fp_context_or_frame_type"));
    const frame = marker % 2 === 0 ? null : reader.read(fp, isMade(mappings, pc));
    if (frame !== null) sink.push(frame);
    pc = memory.u64(fp + 8);
    const next = engine.entries.has(marker) ? outerExit(memory, fp, stack, engine.exits) : memory.u64(fp);
    if (next !== 0 && next <= fp) throw new Unreadable("the frames form a circle");
    fp = next;
  }
  return reader.sawOptimized ? "functions that V8 compiled into their callers are missing" : null;
}

/** V8's interpreter is in its file; code that it compiles lies in memory of no file. */
function isMade(mappings: readonly Mapping[], pc: number | null): boolean {
  return pc !== null && mappingAt(mappings, pc)?.file === null;
}

/** JavaScript that C++ called keeps where JavaScript was left before. */
function outerExit(memory: Memory, fp: number, stack: Mapping, exits: ReadonlySet<number>): number {
  for (let slot = 3; slot < ENTRY_SLOTS; slot++) {
    const value = memory.u64(fp - 8 * slot);
    if (value > fp && value + 16 <= stack.end && value % 8 === 0 && exits.has(memory.u64(value - 8))) return value;
  }
  return 0;
}

class FrameReader {
  readonly #heap: Heap;
  readonly #sources: Sources;
  readonly #tableAt: number;
  readonly #byteArrays: number[];
  /** One frame of optimised code can stand for several functions. */
  sawOptimized = false;

  constructor(heap: Heap) {
    this.#heap = heap;
    // Behind `wrapper` where bytecodes have one (V8 12 and later); before that, behind two other tables.
    this.#tableAt = heap.has("BytecodeArray__wrapper") ? heap.offset("BytecodeArray__wrapper") + 8 : 32;
    this.#byteArrays = ["type_ByteArray__BYTE_ARRAY_TYPE", "type_TrustedByteArray__TRUSTED_BYTE_ARRAY_TYPE"].flatMap((name) =>
      heap.knows(name) ? heap.constant(name) : [],
    );
    this.#sources = new Sources(heap);
  }

  /** Null of a frame that is no function of a script: builtins, and what is not known. */
  read(fp: number, isCompiled: boolean): StackFrame | null {
    const heap = this.#heap;
    const closure = heap.memory.u64(fp + heap.constant("off_fp_function"));
    if (!this.#isFunction(heap.typeOf(closure))) return null;
    const shared = heap.field(closure, heap.offset("JSFunction__shared"));
    const script = heap.field(shared, heap.offset("SharedFunctionInfo__script", "SharedFunctionInfo__raw_script", "SharedFunctionInfo__script_or_debug_info"));
    if (heap.typeOf(script) !== heap.constant("type_Script__SCRIPT_TYPE")) return null;
    const name = heap.field(script, heap.offset("Script__name"));
    const file = heap.isString(name) ? heap.text(name) : "<eval>";
    // What Node itself is made of; it would be most of every stack.
    if (file.startsWith("node:")) return null;
    return { language: "javascript", function: this.#nameOf(shared), file: file.replace(/^file:\/\//, ""), line: this.#lineOf(fp, isCompiled, script) };
  }

  /** Classes, arrays and promises have functions of types of their own, between these. */
  #isFunction(type: number | null): boolean {
    if (type === null) return false;
    const plain = this.#heap.constant("type_JSFunction__JS_FUNCTION_TYPE");
    return type >= plain && type <= plain + 16;
  }

  #nameOf(shared: number): string {
    const heap = this.#heap;
    const value = heap.field(shared, heap.offset("SharedFunctionInfo__name_or_scope_info"));
    if (heap.isString(value)) return heap.text(value);
    if (heap.typeOf(value) !== heap.constant("type_ScopeInfo__SCOPE_INFO_TYPE")) return "";
    return this.#nameInScope(value);
  }

  /** The first text behind the names of variables; V8 keeps the function's name there, or one that it guessed. */
  #nameInScope(scope: number): string {
    const heap = this.#heap;
    const at = (index: number) => scope - 1 + 8 * (index + 1);
    const locals = heap.smi(at(heap.constant("scopeinfo_idx_ncontextlocals"))) ?? 0;
    if (locals < 0 || locals > 4096) return "";
    const first = heap.constant("scopeinfo_idx_first_vars") + (locals < 75 ? 2 * locals : locals + 1);
    for (let index = first; index < first + 6; index++) {
      const value = heap.memory.u64(at(index));
      if (heap.isString(value)) return heap.text(value);
    }
    return "";
  }

  /** Of interpreted functions. Compiled code keeps its place in tables that are not read. */
  #lineOf(fp: number, isCompiled: boolean, script: number): number | null {
    const heap = this.#heap;
    const bytecodes = heap.memory.u64(fp + heap.constant("off_fp_bytecode_array"));
    const hasBytecodes = heap.typeOf(bytecodes) === heap.constant("type_BytecodeArray__BYTECODE_ARRAY_TYPE");
    const offset = heap.smi(fp + heap.constant("off_fp_bytecode_offset"));
    // Code of the first compiler keeps the bytecodes, with something else behind them; a loop that was optimised under way, what it had.
    if (!hasBytecodes || (isCompiled && offset !== null)) this.sawOptimized = true;
    if (!hasBytecodes || isCompiled) return null;
    const table = this.#positions(bytecodes);
    if (offset === null || table === null) return null;
    const position = sourcePositionOf(table, offset + 1 - heap.offset("BytecodeArray__data"));
    return position === null ? null : this.#sources.lineOf(script, position);
  }

  /** Null where V8 has not made the table: by default it does so when an error is thrown. */
  #positions(bytecodes: number): Buffer | null {
    const heap = this.#heap;
    const table = heap.field(bytecodes, this.#tableAt);
    if (!this.#isByteArray(heap.typeOf(table))) return null;
    const length = heap.smi(table - 1 + 8) ?? 0;
    return length > 0 ? heap.memory.bytes(table - 1 + 16, Math.min(length, MAX_TABLE)) : null;
  }

  #isByteArray(type: number | null): boolean {
    return type !== null && this.#byteArrays.includes(type);
  }
}
