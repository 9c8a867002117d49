/**
 * The place in the source that a bytecode belongs to, from V8's source position table (src/codegen/source-position-table.cc): pairs
 * of differences, each in groups of seven bits, the lowest first and bit 7 for "more", with the sign in the lowest bit. The first of
 * a pair is negative where the entry is an expression and no statement. Null where the table does not say.
 */
export function sourcePositionOf(table: Buffer, bytecode: number): number | null {
  const reader = { at: 0 };
  // A function's entry is at -1, and differences begin there.
  let code = -1;
  let raw = 0;
  let found: number | null = null;
  while (reader.at < table.length) {
    const step = signedAt(table, reader);
    code += step >= 0 ? step : -(step + 1);
    raw += signedAt(table, reader);
    if (code > bytecode) break;
    found = raw;
  }
  // Bit 0: of another program; 30 bits: the place plus one; above: what was inlined.
  return found === null || found % 2 !== 0 ? null : ((found / 2) % 2 ** 30) - 1;
}

function signedAt(table: Buffer, reader: { at: number }): number {
  let value = 0;
  for (let scale = 1; reader.at < table.length && scale < 2 ** 49; scale *= 128) {
    const byte = table.readUInt8(reader.at++);
    value += (byte & 127) * scale;
    if (byte < 128) break;
  }
  return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
}
