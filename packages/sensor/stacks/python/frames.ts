import type { StackFrame } from "@plastron/contracts";
import { type Memory, Unreadable } from "../memory.ts";
import type { Sink } from "../sink.ts";
import { type Layout, layoutOf } from "./layout.ts";
import { lineOf } from "./lines.ts";
import { readText } from "./unicode.ts";

/** Where an interpreter lies in a process. */
export interface Interpreter {
  runtime: number;
  version: number | null;
  codeType: number | null;
}

const MAX_INTERPRETERS = 64;
const MAX_THREADS = 8192;
/** Frames that are looked at, shown or not. */
const MAX_STEPS = 512;
const MAX_LINE_TABLE = 64 * 1024;

/**
 * Python frames of one thread, innermost first, into `sink`. `thread` is its id as itself sees it. Throws Unreadable where memory is
 * not what it should be; what was found until then is in the sink.
 */
export function walkPython(memory: Memory, at: Interpreter, thread: { id: number; isMain: boolean }, sink: Sink): void {
  const found = layoutOf(memory, at.runtime, at.version);
  if ("unknown" in found) throw new Unreadable(found.unknown);
  const { layout } = found;
  const frame = innermostFrame(memory, layout, at.runtime, thread);
  if (frame === 0) return;
  const seen = new Set<number>();
  for (let address = frame; address !== 0; ) {
    if (seen.has(address)) throw new Unreadable("the frames form a circle");
    if (sink.isFull || seen.size >= MAX_STEPS) {
      sink.cut();
      return;
    }
    seen.add(address);
    const isShim = memory.u8(address + layout.frame.owner) >= layout.shims;
    if (!isShim) sink.push(readFrame(memory, layout, address, at.codeType));
    address = memory.u64(address + layout.frame.previous);
  }
}

/** Threads of all interpreters of the process; the newest interpreter first, and so the one that runs where two share a thread. */
function innermostFrame(memory: Memory, layout: Layout, runtime: number, wanted: { id: number; isMain: boolean }): number {
  const threads: number[] = [];
  let interpreter = memory.u64(runtime + layout.interpreters.head);
  for (let count = 0; interpreter !== 0 && count < MAX_INTERPRETERS; count++) {
    let thread = memory.u64(interpreter + layout.interpreter.threads);
    for (; thread !== 0 && threads.length < MAX_THREADS; thread = memory.u64(thread + layout.thread.next)) {
      if (memory.u64(thread + layout.thread.interpreter) !== interpreter) throw new Unreadable("a thread's record is not what it should be");
      const frame = memory.u64(thread + layout.thread.nativeId) === wanted.id ? frameOf(memory, layout, thread) : 0;
      if (frame !== 0) return frame;
      threads.push(thread);
    }
    interpreter = memory.u64(interpreter + layout.interpreter.next);
  }
  // A child of fork may still carry its parent's ids. It has one thread, and the main one is the oldest.
  const main = threads.at(-1);
  if (!wanted.isMain || main === undefined) throw new Unreadable("Python does not know this thread");
  return frameOf(memory, layout, main);
}

function frameOf(memory: Memory, layout: Layout, thread: number): number {
  const frame = memory.u64(thread + layout.thread.frame);
  return layout.cframe === null || frame === 0 ? frame : memory.u64(frame + layout.cframe);
}

function readFrame(memory: Memory, layout: Layout, address: number, codeType: number | null): StackFrame {
  // Newer versions keep flags in the lowest bits of references.
  const tagged = memory.u64(address + layout.frame.code);
  const code = tagged - (tagged % 8);
  if (codeType !== null && memory.u64(code + 8) !== codeType) throw new Unreadable("a frame has no code");
  const instruction = memory.u64(address + layout.frame.instruction);
  return {
    language: "python",
    function: readText(memory, memory.u64(code + layout.code.name), layout),
    file: readText(memory, memory.u64(code + layout.code.file), layout),
    line: readLine(memory, layout, code, instruction),
  };
}

function readLine(memory: Memory, layout: Layout, code: number, instruction: number): number | null {
  const table = memory.u64(code + layout.code.lines);
  const size = Math.min(memory.u64(table + layout.bytes.size), MAX_LINE_TABLE);
  const firstLine = memory.i32(code + layout.code.firstLine);
  return lineOf(memory.bytes(table + layout.bytes.start, size), firstLine, Math.floor((instruction - code - layout.code.instructions) / 2));
}
