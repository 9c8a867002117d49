import type { Stack } from "@plastron/contracts";
import { functionName, type Loaded, loadedAt } from "./elf/binaries.ts";
import { Memory, Unreadable } from "./memory.ts";
import { findThreadPointer } from "./native/thread-pointer.ts";
import { type NativeFrame, unwind } from "./native/unwind.ts";
import { exitFrameOf, walkJavaScript } from "./node/frames.ts";
import { hasEnded, innerThreadId, type Mapping, mappingAt, readMappings, readStanding, type Standing } from "./process.ts";
import { type Interpreter, walkPython } from "./python/frames.ts";
import { Sink } from "./sink.ts";

export interface StackOptions {
  /** Beginnings of paths whose frames are left out: the worker that starts programs. */
  platform?: readonly string[];
  /** After so long no more memory is read, and the stack is what was found. */
  budgetMs?: number;
}

const PLATFORM = ["/opt/plastron/"];
const BUDGET_MS = 100;
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
    const memory = new Memory(pid);
    try {
      return sink.stack(walk(memory, pid, tid, sink, options.budgetMs ?? BUDGET_MS));
    } finally {
      memory.close();
    }
  } catch (error) {
    return sink.stack(why(error, pid));
  }
}

/** Why frames are missing, or null. */
function walk(memory: Memory, pid: number, tid: number, sink: Sink, budgetMs: number): string | null {
  const { mappings, complete } = readMappings(pid);
  const standing = readStanding(pid, tid);
  const found = findInterpreter(pid, mappings);
  // What has to be learned of a file is learned once, and takes as long as it takes.
  memory.limit(budgetMs);
  const native = unwind(pid, memory, mappings, standing);
  const thread = { host: tid, inner: innerThreadId(pid, tid) };
  if (found === null) return pushNative(pid, native, sink, () => false) ?? (complete ? null : "the process has too many mappings");
  const { mapping, loaded } = found;
  if (loaded.binary.engine !== null) return walkNode(memory, pid, { mappings, standing, thread, loaded, native }, sink);
  // What calls the interpreter's own functions are the program's.
  pushNative(pid, native, sink, (frame) => frame.mapping.file === mapping.file);
  walkPython(memory, pythonAt(loaded), { id: thread.inner, isMain: pid === tid }, sink);
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
function walkNode(memory: Memory, pid: number, { mappings, standing, thread, loaded, native }: NodeThread, sink: Sink): string | null {
  const { engine, tls } = loaded.binary;
  const stack = mappingAt(mappings, standing.sp ?? 0);
  if (engine === null || stack === undefined) return "the thread was running, and runs have no place";
  const pointer = tls === null ? null : findThreadPointer(memory, mappings, stack, thread);
  const exit =
    pointer === null || tls === null ? 0 : exitFrameOf(memory, engine, pointer - Math.ceil(tls.size / tls.align) * tls.align + engine.currentIsolate);
  if (exit !== 0) {
    pushNative(pid, native, sink, (frame) => frame.loaded?.binary === loaded.binary);
    return walkJavaScript(memory, engine, { fp: exit, pc: null }, mappings, sink);
  }
  let made: NativeFrame | null = null;
  const end = pushNative(pid, native, sink, (frame) => {
    const isMade = frame.loaded === null || functionName(pid, frame.loaded, frame.mapping, frame.pc)?.startsWith("Builtins_") === true;
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
function pushNative(pid: number, frames: Unwinding, sink: Sink, isEnd: (frame: NativeFrame) => boolean): string | null {
  for (;;) {
    const { done, value } = frames.next();
    if (done) return value;
    if (isEnd(value)) return null;
    if (sink.isFull) {
      sink.cut();
      return null;
    }
    const { pc, mapping, loaded } = value;
    sink.push({ language: "native", function: (loaded && functionName(pid, loaded, mapping, pc)) ?? "", file: mapping.path, line: null });
  }
}

/** By what a file has in it, never by its name: a program may be called anything. */
function findInterpreter(pid: number, mappings: readonly Mapping[]): { mapping: Mapping; loaded: Loaded } | null {
  for (const found of executables(pid, mappings)) {
    const { engine, symbols } = found.loaded.binary;
    if (engine !== null || symbols.named.has("_PyRuntime")) return found;
  }
  return null;
}

function pythonAt({ binary, bias }: Loaded): Interpreter {
  const at = (name: string) => (binary.symbols.named.has(name) ? (binary.symbols.named.get(name) as number) + bias : null);
  return { runtime: at("_PyRuntime") ?? 0, version: at("Py_Version"), codeType: at("PyCode_Type") };
}

function* executables(pid: number, mappings: readonly Mapping[]): Iterable<{ mapping: Mapping; loaded: Loaded }> {
  const seen = new Set<string>();
  for (const mapping of mappings) {
    if (!mapping.executable || mapping.file === null || seen.has(mapping.file)) continue;
    if (seen.size >= MAX_FILES) return;
    seen.add(mapping.file);
    const loaded = loadedAt(pid, mapping);
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
