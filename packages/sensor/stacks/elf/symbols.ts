import { cString, type ElfFile, MAX_SECTION, type Section, word } from "./file.ts";

const DATA = new Set([1, 6]); // OBJECT, TLS
const FUNCTIONS = new Set([2, 10]); // FUNC, GNU_IFUNC
const ENTRY = 24;
/** Node has 142,000. A file with more gives its first ones. */
const MAX_SYMBOLS = 400_000;
const MAX_NAME = 512;
const MAX_ALIASES = 8;

/** Symbols of a file by name, and functions by address. Values are the file's own addresses: a process has them moved by its bias. */
export interface SymbolTable {
  /** Only of the names that were asked for when the table was made. */
  named: Map<string, number>;
  /** Sorted by address. */
  functions: { address: Float64Array; size: Float64Array; name: Uint32Array; table: Uint8Array };
  /** Where names of table 0 and 1 lie in the file. */
  strings: Section[];
}

/** Reads both tables once. `wanted` says of which names the value is kept. */
export function readSymbols(file: ElfFile, sections: Section[], wanted: (name: string) => boolean): SymbolTable {
  const tables = [".dynsym", ".symtab"].flatMap((name) => sections.find((section) => section.name === name) ?? []);
  const strings = tables.flatMap(({ link }) => sections[link] ?? []);
  const named = new Map<string, number>();
  const found: { address: number; size: number; name: number; table: number }[] = [];
  tables.forEach((table, index) => {
    const names = strings[index];
    if (names === undefined) return;
    readTable(file, table, names, (entry) => {
      if (entry.value !== 0 || entry.type === 6) keepNamed(named, entry, wanted);
      if (FUNCTIONS.has(entry.type) && entry.value !== 0) found.push({ address: entry.value, size: entry.size, name: entry.nameAt, table: index });
    });
  });
  return { named, functions: sorted(found), strings };
}

interface Entry {
  nameAt: number;
  names: Buffer;
  type: number;
  value: number;
  size: number;
}

function keepNamed(named: Map<string, number>, { names, nameAt, type, value }: Entry, wanted: (name: string) => boolean): void {
  // Making text of a hundred thousand names takes long. Functions that anybody asks for by name are V8's builtins (Builtins_…).
  if (!DATA.has(type) && names[nameAt] !== 0x42) return;
  const name = cString(names, nameAt, 128);
  if (wanted(name) && !named.has(name)) named.set(name, value);
}

function readTable(file: ElfFile, table: Section, strings: Section, each: (entry: Entry) => void): void {
  const count = Math.min(Math.floor(Math.min(table.size, MAX_SECTION) / ENTRY), MAX_SYMBOLS);
  const bytes = file.bytes(table.offset, count * ENTRY);
  const names = file.bytes(strings.offset, Math.min(strings.size, MAX_SECTION));
  for (let i = 0; i < count; i++) {
    const at = i * ENTRY;
    // Section 0: it is defined elsewhere.
    if (bytes.readUInt16LE(at + 6) === 0) continue;
    each({ nameAt: bytes.readUInt32LE(at), names, type: bytes.readUInt8(at + 4) & 15, value: word(bytes, at + 8), size: word(bytes, at + 16) });
  }
}

function sorted(found: { address: number; size: number; name: number; table: number }[]): SymbolTable["functions"] {
  found.sort((a, b) => a.address - b.address);
  return {
    address: Float64Array.from(found, ({ address }) => address),
    size: Float64Array.from(found, ({ size }) => size),
    name: Uint32Array.from(found, ({ name }) => name),
    table: Uint8Array.from(found, ({ table }) => table),
  };
}

/** The function that holds an address of the file; null where none does. Its name is read from the file again: names are not kept. */
export function functionAt(file: ElfFile, symbols: SymbolTable, address: number): string | null {
  const { address: starts, size } = symbols.functions;
  const last = countUpTo(starts, address) - 1;
  if (last < 0) return null;
  const names: string[] = [];
  for (let at = last; at >= 0 && at > last - MAX_ALIASES && starts[at] === starts[last]; at--) {
    // Assembly has functions without a size: they reach to the next.
    if (size[at] === 0 || address < (starts[at] as number) + (size[at] as number)) names.push(nameOf(file, symbols, at));
  }
  // Of mkdir, __mkdir and __libc_mkdir the first is what the programmer wrote.
  return names.sort((a, b) => underscores(a) - underscores(b) || a.length - b.length)[0] ?? null;
}

function nameOf(file: ElfFile, { functions, strings }: SymbolTable, at: number): string {
  const section = strings[functions.table[at] as number];
  return section === undefined ? "" : cString(file.upTo(section.offset + (functions.name[at] as number), MAX_NAME), 0, MAX_NAME);
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
