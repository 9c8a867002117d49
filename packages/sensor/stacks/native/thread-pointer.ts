import type { Memory } from "../memory.ts";
import type { Mapping } from "../process.ts";

/** So much is searched of one mapping: the block lies at the end of a thread's stack, and the main one's among the first things made. */
const SEARCHED = 32 * 1024;
const MAX_MAPPINGS = 48;
/** Where the C libraries keep the thread's id in its block. */
const ID_WITHIN = 1024;

/** Where it was of the threads looked at last; looked at again before it is believed. */
const lastSeen = new Map<number, number>();
const MAX_REMEMBERED = 512;

/**
 * The address of a thread's control block (the FS register of x86-64), without its registers: its first word is its own address, as
 * is its third, and its thread id is within. The block of a thread lies at the end of its stack; the main thread's in memory of its
 * own, right before that of a library. Null where none is found.
 */
export function findThreadPointer(memory: Memory, mappings: readonly Mapping[], stack: Mapping, thread: { host: number; inner: number }): number | null {
  const remembered = lastSeen.get(thread.host);
  if (remembered !== undefined) {
    const block = memory.glance(remembered, ID_WITHIN);
    if (block !== null && isBlock(block, 0, remembered, thread.inner)) return remembered;
  }
  const candidates = mappings.filter(
    ({ writable, file, path, end }, index) =>
      writable && file === null && path === "" && mappings[index + 1]?.start === end && mappings[index + 1]?.writable === false,
  );
  for (const mapping of [...(stack.path === "[stack]" ? [] : [stack]), ...candidates.slice(-MAX_MAPPINGS).reverse()]) {
    const found = within(memory, mapping, thread.inner);
    if (found === null) continue;
    if (lastSeen.size >= MAX_REMEMBERED) lastSeen.clear();
    lastSeen.set(thread.host, found);
    return found;
  }
  return null;
}

function within(memory: Memory, { start, end }: Mapping, innerTid: number): number | null {
  const length = Math.min(end - start, SEARCHED);
  const from = end - length;
  const bytes = memory.glance(from, length);
  if (bytes === null) return null;
  for (let at = length - 64; at >= 0; at -= 64) if (isBlock(bytes, at, from + at, innerTid)) return from + at;
  return null;
}

/** glibc keeps the address a second time; musl has the thread before it there, which of the only thread is itself. */
function isBlock(bytes: Buffer, at: number, address: number, innerTid: number): boolean {
  const low = address % 2 ** 32;
  const high = Math.floor(address / 2 ** 32);
  const isSelf = (offset: number) => bytes.readUInt32LE(offset) === low && bytes.readUInt32LE(offset + 4) === high;
  if (!isSelf(at) || !isSelf(at + 16)) return false;
  for (let offset = at + 24; offset + 4 <= Math.min(bytes.length, at + ID_WITHIN); offset += 4) if (bytes.readInt32LE(offset) === innerTid) return true;
  return false;
}
