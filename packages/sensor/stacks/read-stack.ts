import type { Stack } from "@plastron/contracts";
import { functionName, type Loaded, loadedAt } from "./elf/binaries.ts";
import { Memory, Unreadable } from "./memory.ts";
import { unwind } from "./native/unwind.ts";
import { hasEnded, innerThreadId, type Mapping, readMappings, readStanding } from "./process.ts";
import { walkPython } from "./python/frames.ts";
import { Sink } from "./sink.ts";

export interface StackOptions {
  /** Beginnings of paths whose frames are left out: the worker that starts programs. */
  platform?: readonly string[];
  /** After so long no more memory is read, and the stack is what was found. */
  budgetMs?: number;
}

const PLATFORM = ["/opt/plastron/"];
const BUDGET_MS = 50;
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
    const memory = new Memory(pid, options.budgetMs ?? BUDGET_MS);
    try {
      return sink.stack(walk(memory, pid, tid, sink));
    } finally {
      memory.close();
    }
  } catch (error) {
    return sink.stack(why(error, pid));
  }
}

/** Why frames are missing, or null. */
function walk(memory: Memory, pid: number, tid: number, sink: Sink): string | null {
  const { mappings, complete } = readMappings(pid);
  const standing = readStanding(pid, tid);
  const python = findPython(pid, mappings);
  const native = unwind(pid, memory, mappings, standing);
  if (python === null) return pushNative(pid, native, null, sink) ?? (complete ? null : "the process has too many mappings");
  pushNative(pid, native, python.file, sink);
  walkPython(memory, python, { id: innerThreadId(pid, tid), isMain: pid === tid }, sink);
  return null;
}

/** Native frames up to the interpreter's own, whose callers are the program's. Returns why there are no more. */
function pushNative(pid: number, frames: ReturnType<typeof unwind>, interpreter: string | null, sink: Sink): string | null {
  for (;;) {
    const { done, value } = frames.next();
    if (done) return value;
    const { pc, mapping, loaded } = value;
    if (interpreter !== null && mapping.file === interpreter) return null;
    if (sink.isFull) sink.cut();
    if (sink.isFull) return null;
    sink.push({ language: "native", function: (loaded && functionName(pid, loaded, mapping, pc)) ?? "", file: mapping.path, line: null });
  }
}

function findPython(pid: number, mappings: readonly Mapping[]) {
  for (const { mapping, loaded } of executables(pid, mappings)) {
    const { binary, bias } = loaded;
    const { named } = binary.symbols;
    const runtime = named.get("_PyRuntime");
    if (runtime === undefined) continue;
    const at = (name: string) => (named.has(name) ? (named.get(name) as number) + bias : null);
    return { file: mapping.file, runtime: runtime + bias, version: at("Py_Version"), codeType: at("PyCode_Type") };
  }
  return null;
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
