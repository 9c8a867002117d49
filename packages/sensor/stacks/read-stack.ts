import { closeSync, constants, openSync } from "node:fs";
import type { Stack } from "@plastron/contracts";
import { functionName, type Loaded, loadedAt } from "./elf/binaries.ts";
import { Memory, Unreadable } from "./memory.ts";
import { findThreadPointer } from "./native/thread-pointer.ts";
import { type NativeFrame, unwind } from "./native/unwind.ts";
import { exitFrameOf, walkJavaScript } from "./node/frames.ts";
import { hasEnded, innerThreadId, type Mapping, mappingAt, readMappings, readStanding, type Standing, startTicks } from "./process.ts";
import { type Interpreter, walkPython } from "./python/frames.ts";
import { Sink } from "./sink.ts";

export interface StackOptions {
  /** Beginnings of paths whose frames are left out: the worker that starts programs. */
  platform?: readonly string[];
  /** Field 22 of /proc/PID/stat, its low 32 bits, of the process that is meant: of another that has its number by now nothing is read. */
  startTicks?: number;
  /** After so long no more memory is read, and the stack is what was found. */
  budgetMs?: number;
}

const PLATFORM = ["/opt/plastron/"];
const BUDGET_MS = 250;
/** Files of one process that are looked at for an interpreter. */
const MAX_FILES = 48;

/**
 * The call stack of one thread, read from outside: nothing is attached to it and nothing in it is changed. The thread has to be
 * stopped, frozen or in a system call; of one that runs, what is read may be of different moments. `pid` and `tid` are the host's.
 * Never throws, and never believes what it reads: all text is the program's, made printable. Synchronous, for a warm interpreter
 * under 2 ms.
 */
export function readStack(pid: number, tid: number, options: StackOptions = {}): Stack {
  const sink = new Sink(options.platform ?? PLATFORM);
  try {
    // All is read through one descriptor: it never stands for another process that got the number since.
    const directory = openSync(`/proc/${pid}`, constants.O_RDONLY | constants.O_DIRECTORY);
    try {
      return sink.stack(readThrough(`/proc/self/fd/${directory}`, pid, tid, options, sink));
    } finally {
      closeSync(directory);
    }
  } catch (error) {
    return sink.stack(why(error, pid));
  }
}

function readThrough(proc: string, pid: number, tid: number, options: StackOptions, sink: Sink): string | null {
  const memory = new Memory(proc);
  try {
    if (options.startTicks !== undefined && options.startTicks >>> 0 !== startTicks(proc) >>> 0) return "another process has its number by now";
    return walk(memory, proc, { tid, isMain: pid === tid }, sink, options.budgetMs ?? BUDGET_MS);
  } finally {
    memory.close();
  }
}

/** Why frames are missing, or null. */
function walk(memory: Memory, proc: string, { tid, isMain }: { tid: number; isMain: boolean }, sink: Sink, budgetMs: number): string | null {
  const { mappings, complete } = readMappings(proc);
  const standing = readStanding(proc, tid);
  const found = findInterpreter(proc, mappings);
  // What has to be learned of a file is learned once, and takes as long as it takes.
  memory.limit(budgetMs);
  const native = unwind(proc, memory, mappings, standing);
  const thread = { host: tid, inner: innerThreadId(proc, tid) };
  if (found === null) return pushNative(proc, native, sink, () => false) ?? (complete ? null : "the process has too many mappings");
  const { mapping, loaded } = found;
  if (loaded.binary.engine !== null) return walkNode(memory, proc, { mappings, standing, thread, loaded, native }, sink);
  // What calls the interpreter's own functions are the program's.
  pushNative(proc, native, sink, (frame) => frame.mapping.file === mapping.file);
  walkPython(memory, pythonAt(loaded), { id: thread.inner, isMain }, sink);
  return null;
}

interface NodeThread {
  mappings: readonly Mapping[];
  standing: Standing;
  thread: { host: number; inner: number };
  loaded: Loaded;
  native: Unwinding;
}

/** V8 says where the thread left JavaScript. Where it does not, native frames lead to code that V8 made, if the thread runs any. */
function walkNode(memory: Memory, proc: string, { mappings, standing, thread, loaded, native }: NodeThread, sink: Sink): string | null {
  const { engine, tls } = loaded.binary;
  const stack = mappingAt(mappings, standing.sp ?? 0);
  if (engine === null || stack === undefined) return "the thread was running, and runs have no place";
  const pointer = tls === null ? null : findThreadPointer(memory, mappings, stack, thread);
  const exit =
    pointer === null || tls === null ? 0 : exitFrameOf(memory, engine, pointer - Math.ceil(tls.size / tls.align) * tls.align + engine.currentIsolate);
  if (exit !== 0) {
    pushNative(proc, native, sink, (frame) => frame.loaded?.binary === loaded.binary);
    return walkJavaScript(memory, engine, { fp: exit, pc: null }, mappings, sink);
  }
  let made: NativeFrame | null = null;
  const end = pushNative(proc, native, sink, (frame) => {
    const isMade = frame.loaded === null || functionName(proc, frame.loaded, frame.mapping, frame.pc)?.startsWith("Builtins_") === true;
    if (isMade) made = frame;
    return isMade;
  });
  const last = made as NativeFrame | null;
  const fp = last?.framePointer() ?? null;
  if (last === null) return end;
  return fp === null ? "callers of code that V8 made were not found" : walkJavaScript(memory, engine, { fp, pc: last.pc }, mappings, sink);
}

type Unwinding = ReturnType<typeof unwind>;

/** Native frames up to the first that `isEnd`. Returns why there are no more, null where there are or the outermost was reached. */
function pushNative(proc: string, frames: Unwinding, sink: Sink, isEnd: (frame: NativeFrame) => boolean): string | null {
  for (;;) {
    const { done, value } = frames.next();
    if (done) return value;
    if (isEnd(value)) return null;
    if (sink.isFull) {
      sink.cut();
      return null;
    }
    const { pc, mapping, loaded } = value;
    sink.push({ language: "native", function: (loaded && functionName(proc, loaded, mapping, pc)) ?? "", file: mapping.path, line: null });
  }
}

/** By what a file has in it, never by its name: a program may be called anything. */
function findInterpreter(proc: string, mappings: readonly Mapping[]): { mapping: Mapping; loaded: Loaded } | null {
  for (const found of executables(proc, mappings)) {
    const { engine, symbols } = found.loaded.binary;
    if (engine !== null || symbols.named.has("_PyRuntime")) return found;
  }
  return null;
}

function pythonAt({ binary, bias }: Loaded): Interpreter {
  const at = (name: string) => (binary.symbols.named.has(name) ? (binary.symbols.named.get(name) as number) + bias : null);
  return { runtime: at("_PyRuntime") ?? 0, version: at("Py_Version"), codeType: at("PyCode_Type") };
}

function* executables(proc: string, mappings: readonly Mapping[]): Iterable<{ mapping: Mapping; loaded: Loaded }> {
  const seen = new Set<string>();
  for (const mapping of mappings) {
    if (!mapping.executable || mapping.file === null || seen.has(mapping.file)) continue;
    if (seen.size >= MAX_FILES) return;
    seen.add(mapping.file);
    const loaded = loadedAt(proc, mapping);
    if (loaded !== null) yield { mapping, loaded };
  }
}

function why(error: unknown, pid: number): string {
  if (hasEnded(pid)) return "the process ended while it was looked at";
  if (error instanceof Unreadable) return error.message;
  const code = (error as NodeJS.ErrnoException).code;
  if (code === "EACCES" || code === "EPERM") return "no right to look into the process";
  if (code === "ENOENT" || code === "ESRCH") return "there is no such thread";
  return `it could not be read (${code ?? (error as Error).message})`;
}
