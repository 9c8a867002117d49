import { statSync } from "node:fs";
import type { Mapping } from "../process.ts";
import type { UnwindRow } from "./cfi.ts";
import { type Engine, readEngine } from "./engine.ts";
import { ElfFile, NotElf, type Section, type Segment } from "./file.ts";
import { functionAt, readSymbols, type SymbolTable } from "./symbols.ts";
import { unwindRowAt } from "./unwind-table.ts";

/** What is known of one file. The same for every process that has it mapped. */
export interface Binary {
  identity: string;
  machine: "x64" | "arm64";
  segments: Segment[];
  symbols: SymbolTable;
  sections: Section[];
  tls: { size: number; align: number } | null;
  /** Constants that V8 leaves in its binary for debuggers (v8dbg_…), without that beginning, and code of its ways in and out. */
  engine: Engine | null;
  functionNames: Map<number, string | null>;
  rows: Map<number, UnwindRow | null>;
}

/** A binary as it lies in one process: an address of the file is at `bias` plus itself. */
export interface Loaded {
  binary: Binary;
  bias: number;
  path: string;
}

/** Symbols of all files in the cache: 8 bytes each. Above it the ones longest not used are forgotten. */
const MAX_CACHED_SYMBOLS = 2_000_000;
const MAX_REMEMBERED = 4096;

/** Names that readers look for. */
const WANTED = /^(_PyRuntime|Py_Version|PyCode_Type|v8dbg_\w+|_ZN2v88internal18g_current_isolate_E|Builtins_CEntry_Return1_ArgvOnStack_BuiltinExit)$/;

/** By identity, the one longest not used first. Null: no ELF file that we read. */
const cache = new Map<string, Binary | null>();

/** The file behind a mapping, or null where it is none that we read. Reads the file once for each content. */
export function loadedAt(proc: string, mapping: Mapping): Loaded | null {
  const path = pathOf(proc, mapping);
  if (path === null) return null;
  try {
    const stat = statSync(path, { bigint: true });
    const identity = `${stat.dev}:${stat.ino}:${stat.mtimeNs}:${stat.ctimeNs}:${stat.size}`;
    const binary = cache.has(identity) ? (cache.get(identity) ?? null) : readBinary(path);
    if (binary === null) return null;
    cache.delete(binary.identity);
    cache.set(binary.identity, binary);
    return within(binary, mapping);
  } catch {
    return null;
  }
}

/** The function at an address of the process; null where the file does not say. */
export function functionName(proc: string, { binary, bias }: Loaded, mapping: Mapping, address: number): string | null {
  const at = address - bias;
  return remembered(binary.functionNames, at, () => fromFile(proc, binary, mapping, (file) => functionAt(file, binary.symbols, at)));
}

/** How to get from an address of the process to its caller; null where the file does not say. */
export function unwindRow(proc: string, { binary, bias }: Loaded, mapping: Mapping, address: number): UnwindRow | null {
  const at = address - bias;
  const read = (file: ElfFile) => unwindRowAt(file, binary.machine, binary.sections, binary.segments, at);
  return remembered(binary.rows, at, () => fromFile(proc, binary, mapping, read));
}

function remembered<T>(known: Map<number, T>, key: number, find: () => T): T {
  const found = known.get(key);
  if (found !== undefined) return found;
  if (known.size >= MAX_REMEMBERED) known.clear();
  const value = find();
  known.set(key, value);
  return value;
}

/** Opens the file again: an open one would keep a sandbox's mounts and memory from going. */
function fromFile<T>(proc: string, binary: Binary, mapping: Mapping, read: (file: ElfFile) => T): T | null {
  const path = pathOf(proc, mapping);
  if (path === null) return null;
  const file = new ElfFile(path);
  try {
    return file.identity === binary.identity ? read(file) : null;
  } catch {
    return null;
  } finally {
    file.close();
  }
}

/** Learns a file ahead, so that the first stack of a program that has it mapped is as fast as the others. Never throws. */
export function learnBinary(path: string): void {
  try {
    if (isPlainFile(path)) readBinary(path);
  } catch {
    // It will be looked at again when a program has it.
  }
}

/** For tests and benches: the next read of each file is a cold one. */
export function forgetBinaries(): void {
  cache.clear();
}

/**
 * The very file that is mapped, whatever its path leads to by now; for that the kernel asks for rights over checkpoints. Without them
 * the path, if the file that it leads to has the same inode: a link of the sandbox may lead anywhere, also out of it.
 */
function pathOf(proc: string, mapping: Mapping): string | null {
  if (mapping.file === null) return null;
  const exact = `${proc}/map_files/${mapping.range}`;
  if (isPlainFile(exact)) return exact;
  const named = `${proc}/root${mapping.path}`;
  return isPlainFile(named, mapping.file.split(":").at(-1)) ? named : null;
}

function isPlainFile(path: string, inode?: string): boolean {
  try {
    const stat = statSync(path, { bigint: true, throwIfNoEntry: false });
    return stat?.isFile() === true && (inode === undefined || String(stat.ino) === inode);
  } catch {
    return false;
  }
}

function readBinary(path: string): Binary | null {
  const file = new ElfFile(path);
  try {
    const binary = parse(file);
    cache.set(file.identity, binary);
    evict();
    return binary;
  } finally {
    file.close();
  }
}

function parse(file: ElfFile): Binary | null {
  try {
    const { machine, segments, sections, tls } = file.header();
    const symbols = readSymbols(file, sections, (name) => WANTED.test(name));
    return {
      identity: file.identity,
      machine,
      segments,
      sections,
      tls,
      symbols,
      engine: readEngine(file, segments, symbols.named),
      functionNames: new Map(),
      rows: new Map(),
    };
  } catch (error) {
    if (error instanceof NotElf || error instanceof RangeError) return null;
    throw error;
  }
}

function evict(): void {
  let total = 0;
  for (const binary of cache.values()) total += 1_000 + (binary?.symbols.functions.length ?? 0);
  for (const [identity, binary] of cache) {
    if (total <= MAX_CACHED_SYMBOLS) return;
    cache.delete(identity);
    total -= 1_000 + (binary?.symbols.functions.length ?? 0);
  }
}

function within(binary: Binary, mapping: Mapping): Loaded | null {
  const segment = binary.segments.find(({ offset, size }) => mapping.offset >= offset - (offset % 4096) && mapping.offset < offset + size);
  return segment === undefined ? null : { binary, bias: mapping.start - (mapping.offset - segment.offset + segment.vaddr), path: mapping.path };
}
