import { cString, type ElfFile, MAX_SECTION, type Section, word } from "./file.ts";

/** Types of symbols: data, functions, thread-local data, functions chosen at start. */
const OBJECT = 1;
const FUNC = 2;
const TLS = 6;
const IFUNC = 10;
const ENTRY = 24;
/** Node has 142,000. A file with more gives its first ones. */
const MAX_SYMBOLS = 2 ** 18;
const MAX_ADDRESS = 2 ** 35;
const MAX_NAME = 512;
const MAX_ALIASES = 8;

/** Symbols of a file by name, and functions by address. Values are the file's own addresses: a process has them moved by its bias. */
export interface SymbolTable {
  /** Only of the names that were asked for when the table was made. */
  named: Map<string, number>;
  /** Sorted: an address times MAX_SYMBOLS, plus which symbol it is. That is all that is kept of a hundred thousand. */
  functions: Float64Array;
  /** What `functions` counts in, and its names. */
  table: Section | null;
  strings: Section | null;
}

/** Reads the file's fullest table once. `wanted` says of which names the value is kept. */
export function readSymbols(file: ElfFile, sections: Section[], wanted: (name: string) => boolean): SymbolTable {
  const table = sections.find(({ name }) => name === ".symtab") ?? sections.find(({ name }) => name === ".dynsym") ?? null;
  const strings = table === null ? null : (sections[table.link] ?? null);
  if (table === null || strings === null) return { named: new Map(), functions: new Float64Array(), table: null, strings: null };
  const count = Math.min(Math.floor(Math.min(table.size, MAX_SECTION) / ENTRY), MAX_SYMBOLS);
  const bytes = file.bytes(table.offset, count * ENTRY);
  const names = file.bytes(strings.offset, Math.min(strings.size, MAX_SECTION));
  const named = new Map<string, number>();
  const functions = new Float64Array(count);
  let found = 0;
  for (let index = 0, at = 0; index < count; index++, at += ENTRY) {
    const type = bytes.readUInt8(at + 4) & 15;
    // Section 0: it is defined elsewhere.
    if ((type !== OBJECT && type !== FUNC && type !== TLS && type !== IFUNC) || bytes.readUInt16LE(at + 6) === 0) continue;
    const value = word(bytes, at + 8);
    const nameAt = bytes.readUInt32LE(at);
    if (isCandidate(type, names, nameAt)) keep(named, cString(names, nameAt, 128), value, wanted);
    if ((type === FUNC || type === IFUNC) && value > 0 && value < MAX_ADDRESS) functions[found++] = value * MAX_SYMBOLS + index;
  }
  return { named, functions: functions.slice(0, found).sort(), table, strings };
}

function keep(named: Map<string, number>, name: string, value: number, wanted: (name: string) => boolean): void {
  if (wanted(name) && !named.has(name)) named.set(name, value);
}

/** Making text of a hundred thousand names takes long: v8dbg_, _PyRuntime, Py_Version and Builtins_ are told by two characters. */
function isCandidate(type: number, names: Buffer, at: number): boolean {
  if (type === TLS) return true;
  const [first, second] = [names[at], names[at + 1]];
  if (type === FUNC) return first === 0x42 && second === 0x75;
  return (first === 0x76 && second === 0x38) || (first === 0x5f && second === 0x50) || (first === 0x50 && second === 0x79);
}

/** The function that holds an address of the file; null where none does. Read from the file again: only addresses are kept. */
export function functionAt(file: ElfFile, { functions, table, strings }: SymbolTable, address: number): string | null {
  if (table === null || strings === null) return null;
  const last = countUpTo(functions, address * MAX_SYMBOLS + MAX_SYMBOLS - 1) - 1;
  const start = Math.floor((functions[last] ?? 0) / MAX_SYMBOLS);
  const names: string[] = [];
  for (let at = last; at >= 0 && at > last - MAX_ALIASES && Math.floor((functions[at] as number) / MAX_SYMBOLS) === start; at--) {
    const symbol = file.bytes(table.offset + ((functions[at] as number) % MAX_SYMBOLS) * ENTRY, ENTRY);
    const size = word(symbol, 16);
    // Assembly has functions without a size: they reach to the next.
    if (size === 0 || address < start + size) names.push(cString(file.upTo(strings.offset + symbol.readUInt32LE(), MAX_NAME), 0, MAX_NAME));
  }
  // Of mkdir, __mkdir and __libc_mkdir the first is what the programmer wrote.
  return names.sort((a, b) => underscores(a) - underscores(b) || a.length - b.length)[0] ?? null;
}

function underscores(name: string): number {
  return /^_*/.exec(name)?.[0].length ?? 0;
}

/** How many of the sorted numbers are not beyond `value`. */
function countUpTo(sortedNumbers: Float64Array, value: number): number {
  let low = 0;
  let high = sortedNumbers.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sortedNumbers[middle] as number) <= value) low = middle + 1;
    else high = middle;
  }
  return low;
}
