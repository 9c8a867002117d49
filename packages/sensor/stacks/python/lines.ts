/**
 * The line of an instruction, from a code object's location table: Objects/locations.md of CPython, 3.11 and later. Null where the
 * table says that there is none, or ends before. `unit`: number of the instruction's code unit, negative before the first.
 */
export function lineOf(table: Buffer, firstLine: number, unit: number): number | null {
  let line = firstLine;
  let start = 0;
  for (let at = 0; at < table.length; ) {
    const head = table.readUInt8(at);
    const code = (head >> 3) & 15;
    const end = start + (head & 7) + 1;
    const delta = code === 14 || code === 13 ? signedAt(table, at + 1) : code >= 10 && code <= 12 ? code - 10 : 0;
    line += delta;
    if (unit < end) return code === 15 || line < 0 ? null : line;
    start = end;
    at++;
    // Only an entry's first byte has its highest bit set.
    while (at < table.length && table.readUInt8(at) < 128) at++;
  }
  return null;
}

/** Six bits a byte, the lowest first, bit 6 for "more"; the number's lowest bit is its sign. */
function signedAt(table: Buffer, start: number): number {
  let value = 0;
  for (let at = start, shift = 0; at < table.length && shift <= 24; at++, shift += 6) {
    const byte = table.readUInt8(at);
    value |= (byte & 63) << shift;
    if ((byte & 64) === 0) break;
  }
  return value & 1 ? -(value >>> 1) : value >>> 1;
}
