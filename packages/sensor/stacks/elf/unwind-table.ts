import { type FrameEntry, Interpreter, REGISTERS, type UnwindRow } from "./cfi.ts";
import { type ElfFile, NotElf, type Section, type Segment } from "./file.ts";
import { Reader } from "./reader.ts";

/** pc-relative signed 32 bits, and relative to the header: what every linker writes. */
const PCREL_SDATA4 = 0x1b;
const DATAREL_SDATA4 = 0x3b;
const UDATA4 = 0x03;
const MAX_RECORD = 16 * 1024;
const MAX_UNSORTED = 1024 * 1024;

/** The row for `address` (of the file); null where the file has no table or none for it. Throws NotElf where the table is broken. */
export function unwindRowAt(file: ElfFile, machine: "x64" | "arm64", sections: Section[], segments: Segment[], address: number): UnwindRow | null {
  const record = findRecord(file, sections, address);
  if (record === null) return null;
  const inFile = (vaddr: number): number => {
    const segment = segments.find((one) => vaddr >= one.vaddr && vaddr < one.vaddr + one.size);
    if (segment === undefined) throw new NotElf("its table of frames leads out of it");
    return vaddr - segment.vaddr + segment.offset;
  };
  const entry = readEntry(file, inFile, record);
  if (address < entry.start || address >= entry.start + entry.length) return null;
  const interpreter = new Interpreter(REGISTERS[machine], entry);
  interpreter.run(entry.initial, Number.POSITIVE_INFINITY);
  interpreter.keepInitial();
  interpreter.run(entry.program, address - entry.start);
  return interpreter.row(entry.start);
}

function findRecord(file: ElfFile, sections: Section[], address: number): number | null {
  const header = sections.find(({ name }) => name === ".eh_frame_hdr");
  if (header !== undefined) return inHeader(file, header, address);
  const table = sections.find(({ name }) => name === ".eh_frame");
  return table === undefined ? null : inTable(file, table, address);
}

/** Binary search in the sorted table of the header: pairs of function and record, both relative to it. */
function inHeader(file: ElfFile, header: Section, address: number): number | null {
  const head = file.bytes(header.offset, 12);
  if (head[0] !== 1 || head[2] !== UDATA4 || head[3] !== DATAREL_SDATA4) return null;
  let low = 0;
  let high = Math.min(head.readUInt32LE(8), Math.floor((header.size - 12) / 8));
  let record: number | null = null;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const pair = file.bytes(header.offset + 12 + middle * 8, 8);
    if (header.vaddr + pair.readInt32LE() <= address) {
      record = header.vaddr + pair.readInt32LE(4);
      low = middle + 1;
    } else high = middle;
  }
  return record;
}

/** One record after the other: programs without shared libraries have no header. */
function inTable(file: ElfFile, table: Section, address: number): number | null {
  const bytes = file.bytes(table.offset, Math.min(table.size, MAX_UNSORTED));
  for (let at = 0; at + 16 <= bytes.length; ) {
    const length = bytes.readUInt32LE(at);
    if (length < 8 || length > MAX_RECORD) return null;
    const start = table.vaddr + at + 8 + bytes.readInt32LE(at + 8);
    if (bytes.readUInt32LE(at + 4) !== 0 && address >= start && address < start + bytes.readUInt32LE(at + 12)) return table.vaddr + at;
    at += 4 + length;
  }
  return null;
}

function readEntry(file: ElfFile, inFile: (vaddr: number) => number, vaddr: number): FrameEntry {
  const record = readRecord(file, inFile(vaddr));
  const common = readRecord(file, inFile(vaddr + 4 - record.readUInt32LE()));
  const cie = new Reader(common, 4);
  if (cie.byte() > 4) throw new NotElf("its table of frames is of another version");
  const augmentation = cie.text();
  const codeAlign = cie.unsigned();
  const dataAlign = cie.signed();
  cie.unsigned();
  let encoding = 0;
  if (augmentation.startsWith("z")) {
    const end = cie.unsigned() + cie.at;
    for (const letter of augmentation.slice(1)) {
      if (letter === "R") encoding = cie.byte();
      else if (letter === "L") cie.byte();
      else if (letter === "P") cie.pointer(cie.byte());
      else if (letter !== "S" && letter !== "B") throw new NotElf("its table of frames has an unknown part");
    }
    cie.at = end;
  }
  if (encoding !== PCREL_SDATA4) throw new NotElf("its table of frames is encoded in another way");
  const program = new Reader(record, 12);
  if (augmentation.startsWith("z")) program.at = program.unsigned() + program.at;
  return {
    start: vaddr + 8 + record.readInt32LE(4),
    length: record.readUInt32LE(8),
    codeAlign,
    dataAlign,
    isSignal: augmentation.includes("S"),
    initial: common.subarray(cie.at),
    program: record.subarray(program.at),
  };
}

/** A record without its length, which begins it. */
function readRecord(file: ElfFile, offset: number): Buffer {
  const length = file.bytes(offset, 4).readUInt32LE();
  if (length < 8 || length > MAX_RECORD) throw new NotElf("its table of frames is broken");
  return file.bytes(offset + 4, length);
}
