import { NotElf } from "./file.ts";

/** Reads DWARF's numbers one after the other. What lies beyond the end throws RangeError. */
export class Reader {
  readonly bytes: Buffer;
  at: number;

  constructor(bytes: Buffer, at: number) {
    this.bytes = bytes;
    this.at = at;
  }

  get more(): boolean {
    return this.at < this.bytes.length;
  }

  byte(): number {
    return this.bytes.readUInt8(this.at++);
  }

  /** LEB128; what is beyond 2^53 is no length and no offset. */
  unsigned(): number {
    let value = 0;
    for (let scale = 1; scale < 2 ** 49; scale *= 128) {
      const byte = this.byte();
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
    throw new NotElf("its table of frames is broken");
  }

  signed(): number {
    const start = this.at;
    const value = this.unsigned();
    const bits = 2 ** (7 * (this.at - start));
    return value >= bits / 2 ? value - bits : value;
  }

  little(length: 1 | 2 | 4): number {
    this.at += length;
    return this.bytes.readUIntLE(this.at - length, length);
  }

  text(): string {
    const end = this.bytes.indexOf(0, this.at);
    if (end < 0) throw new NotElf("its table of frames is broken");
    const text = this.bytes.toString("latin1", this.at, end);
    this.at = end + 1;
    return text;
  }

  block(): void {
    this.at = this.unsigned() + this.at;
  }

  pointer(encoding: number): void {
    this.at += { 0: 8, 2: 2, 3: 4, 4: 8, 10: 2, 11: 4, 12: 8 }[encoding & 15] ?? 0;
  }
}
