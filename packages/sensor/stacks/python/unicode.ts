import { type Memory, Unreadable } from "../memory.ts";
import type { Layout } from "./layout.ts";

/** Longer text is cut: nothing shows more of a name, and a length is only what the program's memory says. */
const MAX_CHARACTERS = 1100;

/** Text of a `str` at an address (PEP 393). Surrogates that stand for undecodable bytes of a path stay as they are. */
export function readText(memory: Memory, address: number, { unicode }: Layout): string {
  const state = memory.u32(address + unicode.state);
  const length = Math.min(memory.u64(address + unicode.length), MAX_CHARACTERS);
  const kind = (state >> 2) & 7;
  const isCompact = (state & 32) !== 0;
  const isAscii = (state & 64) !== 0;
  if (!isCompact || !(kind === 1 || kind === 2 || kind === 4)) throw new Unreadable("a name is no text");
  const bytes = memory.bytes(address + (isAscii ? unicode.ascii : unicode.compact), length * kind);
  return kind === 1 ? bytes.toString("latin1") : kind === 2 ? bytes.toString("utf16le") : fromUcs4(bytes);
}

function fromUcs4(bytes: Buffer): string {
  let text = "";
  for (let at = 0; at + 4 <= bytes.length; at += 4) {
    const point = bytes.readUInt32LE(at);
    text += point <= 0x10ffff ? String.fromCodePoint(point) : "\ufffd";
  }
  return text;
}
