import type { ScanFile } from "../analyser.ts";

/** A file as text. Of a binary one each byte is a character, and what is UTF-16 in it loses its zeros: keys lie in databases and programs, too. */
export function textOf(file: Pick<ScanFile, "text" | "bytes">): string {
  if (file.text !== null) return file.text;
  const { bytes } = file;
  const raw = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
  return raw.includes("\0") ? raw.replace(/(?:[\x20-\x7e]\0){12,4000}/g, (wide) => wide.replaceAll("\0", "").padEnd(wide.length, "\0")) : raw;
}
