import type { Memory } from "../memory.ts";
import type { Mapping } from "../process.ts";

const PAGE = 4096;
/** Pages that are searched in one mapping: the block lies at the end of a thread's stack, and the main one's among the first things made. */
const MAX_PAGES = 8;
const MAX_MAPPINGS = 32;
/** Where the C libraries keep the thread's id in its block. */
const ID_WITHIN = 1024;

/**
 * The address of a thread's control block (the FS register of x86-64), without its registers: its first word is its own address, as
 * is its third, and its thread id is within. The block of a thread lies at the end of its stack; the main thread's in memory of its own, right before
 * that of a library. Null where none is found.
 */
export function findThreadPointer(memory: Memory, mappings: readonly Mapping[], stack: Mapping, innerTid: number): number | null {
  const candidates = mappings.filter(
    ({ writable, file, path, end }, index) =>
      writable && file === null && path === "" && mappings[index + 1]?.file != null && mappings[index + 1]?.start === end,
  );
  for (const mapping of [stack.path === "[stack]" ? undefined : stack, ...candidates.slice(-MAX_MAPPINGS)]) {
    const found = mapping === undefined ? null : within(memory, mapping, innerTid);
    if (found !== null) return found;
  }
  return null;
}

function within(memory: Memory, { start, end }: Mapping, innerTid: number): number | null {
  for (let page = end - PAGE; page >= Math.max(start, end - MAX_PAGES * PAGE); page -= PAGE) {
    const bytes = memory.bytes(page, PAGE);
    for (let at = PAGE - 64; at >= 0; at -= 64) {
      const address = page + at;
      // glibc keeps the address a second time; musl there has the thread before it, which of the only thread is itself.
      const isSelf = bytes.readUInt32LE(at) === address % 2 ** 32 && memory.u64(address) === address && memory.u64(address + 16) === address;
      if (isSelf && holdsId(memory, address, end, innerTid)) return address;
    }
  }
  return null;
}

function holdsId(memory: Memory, address: number, end: number, innerTid: number): boolean {
  const block = memory.bytes(address, Math.min(ID_WITHIN, end - address));
  for (let at = 16; at + 4 <= block.length; at += 4) if (block.readInt32LE(at) === innerTid) return true;
  return false;
}
