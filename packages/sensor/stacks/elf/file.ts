import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";

/** A file that is no ELF file that we read, or a broken one. */
export class NotElf extends Error {}

export interface Segment {
  offset: number;
  vaddr: number;
  size: number;
}

export interface Section {
  name: string;
  type: number;
  vaddr: number;
  offset: number;
  size: number;
  link: number;
}

export interface Header {
  machine: "x64" | "arm64";
  segments: Segment[];
  sections: Section[];
  /** Thread-local variables: how much room they take. */
  tls: { size: number; align: number } | null;
}

/** Machines whose layouts the readers know. */
const MACHINES: Record<number, "x64" | "arm64"> = { 62: "x64", 183: "arm64" };
const PT_LOAD = 1;
const PT_TLS = 7;
/** One section that is read as a whole: symbols and names of Node are 3.5 and 12 MiB. */
export const MAX_SECTION = 32 * 1024 * 1024;

/**
 * A file that a process has mapped, while it is open. A sandbox may have written it: every offset is checked against the file's size,
 * and reading ends with NotElf or short bytes, never beyond. Opened without blocking and only if it is a plain file: a path of a
 * sandbox may lead to a pipe or a device by now.
 */
export class ElfFile {
  readonly #fd: number;
  readonly size: number;
  /** Changes with the file's content: what was learned of one identity stays true of it. */
  readonly identity: string;

  constructor(path: string) {
    this.#fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
    const stat = fstatSync(this.#fd, { bigint: true });
    if (!stat.isFile()) {
      closeSync(this.#fd);
      throw new NotElf("not a plain file");
    }
    this.size = Number(stat.size);
    this.identity = `${stat.dev}:${stat.ino}:${stat.mtimeNs}:${stat.ctimeNs}:${stat.size}`;
  }

  close(): void {
    closeSync(this.#fd);
  }

  /** Exactly these bytes, or NotElf. */
  bytes(offset: number, length: number): Buffer {
    if (!(offset >= 0 && length >= 0 && length <= MAX_SECTION && offset + length <= this.size)) throw new NotElf("a part lies outside of the file");
    const bytes = Buffer.allocUnsafe(length);
    for (let done = 0; done < length; ) {
      const count = readSync(this.#fd, bytes, done, length - done, offset + done);
      if (count === 0) throw new NotElf("the file ends early");
      done += count;
    }
    return bytes;
  }

  /** At most that many: for text whose length is not known, at the end of a file. */
  upTo(offset: number, length: number): Buffer {
    return this.bytes(offset, Math.min(length, Math.max(0, this.size - offset)));
  }

  header(): Header {
    const header = this.bytes(0, 64);
    if (header.readUInt32BE() !== 0x7f454c46 || header[4] !== 2 || header[5] !== 1) throw new NotElf("not a 64-bit ELF file");
    const machine = MACHINES[header.readUInt16LE(18)];
    if (machine === undefined) throw new NotElf("of a machine that is not known");
    return {
      machine,
      ...this.#segments(word(header, 32), header.readUInt16LE(54), header.readUInt16LE(56)),
      sections: this.#sections(word(header, 40), header.readUInt16LE(58), header.readUInt16LE(60), header.readUInt16LE(62)),
    };
  }

  #segments(offset: number, size: number, count: number): Pick<Header, "segments" | "tls"> {
    if (size !== 56 || count > 128) throw new NotElf("its program headers are odd");
    const table = this.bytes(offset, size * count);
    const entries = Array.from({ length: count }, (_, i) => table.subarray(i * size));
    const tls = entries.find((entry) => entry.readUInt32LE() === PT_TLS);
    return {
      segments: entries
        .filter((entry) => entry.readUInt32LE() === PT_LOAD)
        .map((entry) => ({ offset: word(entry, 8), vaddr: word(entry, 16), size: word(entry, 32) })),
      tls: tls ? { size: word(tls, 40), align: word(tls, 48) } : null,
    };
  }

  /** None where they were stripped: then there are no symbols to look up. */
  #sections(offset: number, size: number, count: number, names: number): Section[] {
    if (count === 0 || size !== 64 || count > 512) return [];
    const table = this.bytes(offset, size * count);
    const sections = Array.from({ length: count }, (_, i) => {
      const entry = table.subarray(i * size);
      return {
        at: entry.readUInt32LE(),
        type: entry.readUInt32LE(4),
        vaddr: word(entry, 16),
        offset: word(entry, 24),
        size: word(entry, 32),
        link: entry.readUInt32LE(40),
      };
    });
    const own = sections[names];
    const text = own ? this.upTo(own.offset, Math.min(own.size, 65_536)) : Buffer.alloc(0);
    return sections.map(({ at, ...section }) => ({ ...section, name: cString(text, at, 64) }));
  }
}

/** An unsigned 64-bit word; exact to 2^53. */
export function word(bytes: Buffer, offset: number): number {
  return bytes.readUInt32LE(offset) + bytes.readUInt32LE(offset + 4) * 2 ** 32;
}

/** Bytes to the next NUL as text, at most `limit`. */
export function cString(bytes: Buffer, offset: number, limit: number): string {
  if (offset >= bytes.length) return "";
  const end = bytes.subarray(offset, offset + limit).indexOf(0);
  return bytes.toString("utf8", offset, end < 0 ? Math.min(offset + limit, bytes.length) : offset + end);
}
