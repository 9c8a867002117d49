/** Fields of one message in the order of their coming: a number, or bytes. What is cut off is left out. Bytes of a guest's kernel, which is not trusted. */
export function readFields(bytes: Uint8Array): Map<number, (number | Uint8Array)[]> {
  const fields = new Map<number, (number | Uint8Array)[]>();
  const add = (field: number, value: number | Uint8Array) => fields.set(field, [...(fields.get(field) ?? []), value]);
  let at = 0;
  const varint = (): number | undefined => {
    let value = 0n;
    for (let shift = 0n; at < bytes.length && shift < 64n; shift += 7n) {
      const byte = bytes[at++] as number;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return Number(BigInt.asIntN(64, value));
    }
    return undefined;
  };
  while (at < bytes.length) {
    const key = varint();
    if (key === undefined || key < 8) break;
    const kind = key & 7;
    if (kind === 0) {
      const value = varint();
      if (value === undefined) break;
      add(key >>> 3, value);
    } else if (kind === 2) {
      const size = varint();
      if (size === undefined || size < 0) break;
      /* The last field of a message that was cut is shorter than it says: what there is of it is kept. */
      add(key >>> 3, bytes.subarray(at, at + size));
      at += size;
    } else if (kind === 1) at += 8;
    else if (kind === 5) at += 4;
    else break;
  }
  return fields;
}

const decoder = new TextDecoder();

export const numberIn = (fields: ReturnType<typeof readFields>, field: number): number | undefined => {
  const value = fields.get(field)?.[0];
  return typeof value === "number" ? value : undefined;
};
export const bytesIn = (fields: ReturnType<typeof readFields>, field: number): Uint8Array | undefined => {
  const value = fields.get(field)?.[0];
  return typeof value === "object" ? value : undefined;
};
export const textIn = (fields: ReturnType<typeof readFields>, field: number): string => decoder.decode(bytesIn(fields, field) ?? new Uint8Array());
export const textsIn = (fields: ReturnType<typeof readFields>, field: number): string[] =>
  (fields.get(field) ?? []).filter((value) => typeof value === "object").map((value) => decoder.decode(value as Uint8Array));
