import type { Memory } from "../memory.ts";

/**
 * Where the parts of CPython's structures lie. Up to 3.12 they are in a table below, one for each minor version: within one the
 * layout of what we read does not change (measured: 3.11.2, 3.11.7, 3.12.1). From 3.13 on the interpreter carries them itself.
 */
export interface Layout {
  interpreters: { head: number };
  interpreter: { next: number; threads: number };
  thread: { next: number; interpreter: number; nativeId: number; frame: number };
  /** Up to 3.12 a thread's `frame` leads to a record on the C stack, and this is where the frame stands in it. */
  cframe: number | null;
  frame: { code: number; previous: number; instruction: number; owner: number };
  /** The lowest value of `owner` of frames that stand for the C stack. */
  shims: number;
  code: { file: number; name: number; lines: number; firstLine: number; instructions: number };
  unicode: { length: number; state: number; ascii: number; compact: number };
  bytes: { size: number; start: number };
}

const UNICODE = { length: 16, state: 32, ascii: 40, compact: 56 };
const BYTES = { size: 16, start: 32 };

const TABLE: Record<string, Layout> = {
  "3.11": {
    interpreters: { head: 40 },
    interpreter: { next: 0, threads: 16 },
    thread: { next: 8, interpreter: 16, nativeId: 160, frame: 56 },
    cframe: 8,
    frame: { code: 32, previous: 48, instruction: 56, owner: 69 },
    shims: 3,
    code: { file: 112, name: 128, lines: 136, firstLine: 72, instructions: 184 },
    unicode: { length: 16, state: 32, ascii: 48, compact: 72 },
    bytes: BYTES,
  },
  "3.12": {
    interpreters: { head: 40 },
    interpreter: { next: 0, threads: 72 },
    thread: { next: 8, interpreter: 16, nativeId: 144, frame: 56 },
    cframe: 0,
    frame: { code: 0, previous: 8, instruction: 56, owner: 70 },
    shims: 3,
    code: { file: 112, name: 128, lines: 136, firstLine: 68, instructions: 192 },
    unicode: UNICODE,
    bytes: BYTES,
  },
};

/** Where the groups of `_Py_DebugOffsets` (Include/internal/pycore_debug_offsets.h) begin, in words. 3.14 has more in some than 3.13. */
const DEBUG_WORDS: Record<string, Record<"interpreter" | "thread" | "frame" | "code" | "bytes" | "unicode", number>> = {
  "3.13": { interpreter: 6, thread: 19, frame: 28, code: 34, bytes: 64, unicode: 67 },
  "3.14": { interpreter: 6, thread: 22, frame: 31, code: 39, bytes: 74, unicode: 77 },
};

export type Found = { layout: Layout; version: string } | { unknown: string };

/** The layout of the interpreter at `runtime`. `declared`: where Py_Version lies, which 3.11 and later have. */
export function layoutOf(memory: Memory, runtime: number, declared: number | null): Found {
  if (declared === null) return { unknown: "Python before 3.11 keeps its frames in a way that is not read" };
  const hex = memory.u32(declared);
  const version = `${hex >>> 24}.${(hex >>> 16) & 255}`;
  const words = DEBUG_WORDS[version];
  // Its threads have bytecode of their own, and its objects another head.
  if (words && memory.u64(runtime + 16) !== 0) return { unknown: "frames of Python without its lock are not read" };
  const layout = words ? describedBy(memory, runtime, hex, words) : TABLE[version];
  return layout ? { layout, version } : { unknown: `frames of Python ${version} are laid out in a way that is not known` };
}

/** By the interpreter's own word, as long as it describes itself: cookie, its version, and numbers that offsets can be. */
function describedBy(memory: Memory, runtime: number, hex: number, words: (typeof DEBUG_WORDS)[string]): Layout | undefined {
  if (memory.bytes(runtime, 8).toString("latin1") !== "xdebugpy" || memory.u64(runtime + 8) !== hex) return undefined;
  const at = (index: number) => memory.u64(runtime + 8 * index);
  const group = (start: number) => (index: number) => at(start + index);
  const [interpreter, thread, frame, code, bytes, unicode] = [words.interpreter, words.thread, words.frame, words.code, words.bytes, words.unicode].map(
    group,
  ) as Six;
  const layout: Layout = {
    interpreters: { head: at(5) },
    interpreter: { next: interpreter(2), threads: interpreter(3) },
    thread: { next: thread(2), interpreter: thread(3), nativeId: thread(6), frame: thread(4) },
    cframe: null,
    frame: { previous: frame(1), code: frame(2), instruction: frame(3), owner: frame(5) },
    shims: 3,
    code: { file: code(1), name: code(3), lines: code(4), firstLine: code(5), instructions: code(9) },
    unicode: { state: unicode(1), length: unicode(2), ascii: unicode(3), compact: unicode(3) + 16 },
    bytes: { size: bytes(1), start: bytes(2) },
  };
  const offsets = Object.values(layout).flatMap((part) => (typeof part === "object" && part !== null ? Object.values(part as Record<string, number>) : []));
  return offsets.every((offset) => offset < 2 ** 20) ? layout : undefined;
}

type Six = [Part, Part, Part, Part, Part, Part];
type Part = (index: number) => number;
