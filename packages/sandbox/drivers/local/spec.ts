/**
 * The spec of one sandbox, as the launcher reads it: records of NUL-safe fields (native/wire.h). What each operation means
 * stands in native/mounts.h (files), native/lockdown.h (limits, Landlock, seccomp) and native/cgroup.h.
 */
export type Field = string | number | Uint8Array;
export type SpecRecord = [op: string, ...fields: Field[]];

const encoder = new TextEncoder();

/** Bytes of a sequence of records: u16 field count, then each field as u32 length and bytes, all little endian. */
export function encodeSpec(records: SpecRecord[]): Uint8Array {
  const parts: Uint8Array[] = [];
  for (const fields of records) {
    const count = new Uint8Array(2);
    new DataView(count.buffer).setUint16(0, fields.length, true);
    parts.push(count);
    for (const field of fields) {
      const bytes = field instanceof Uint8Array ? field : encoder.encode(String(field));
      const length = new Uint8Array(4);
      new DataView(length.buffer).setUint32(0, bytes.length, true);
      parts.push(length, bytes);
    }
  }
  return Buffer.concat(parts);
}
