import type { ElfFile, Segment } from "./file.ts";

/** What a binary with V8 in it says of itself. */
export interface Engine {
  /** Numbers of `v8dbg_…`, without that beginning. */
  constants: Map<string, number>;
  /** Where fields lie in classes, as they were looked up: readers remember them here. */
  offsets: Map<string, number>;
  /** What stands in frames that are no function's where others have their context: of those that leave JavaScript, and that enter it. */
  exits: Set<number>;
  entries: Set<number>;
  /** Machine code of the way from JavaScript into C++. */
  exit: Buffer;
  /** In the block of thread-local variables: the isolate that the thread runs. */
  currentIsolate: number;
}

const PREFIX = "v8dbg_";
const EXIT_CODE = 96;
const MAX_SPAN = 1024 * 1024;

/** Null where there is no V8, or one without what is needed. */
export function readEngine(file: ElfFile, segments: Segment[], named: ReadonlyMap<string, number>): Engine | null {
  const exitAt = named.get("Builtins_CEntry_Return1_ArgvOnStack_BuiltinExit");
  const currentIsolate = named.get("_ZN2v88internal18g_current_isolate_E");
  if (!named.has(`${PREFIX}off_fp_function`) || exitAt === undefined || currentIsolate === undefined) return null;
  const bytesAt = (address: number, length: number): Buffer => {
    const segment = segments.find(({ vaddr, size }) => address >= vaddr && address < vaddr + size);
    return segment === undefined ? Buffer.alloc(length) : file.bytes(address - segment.vaddr + segment.offset, length);
  };
  const found = [...named].filter(([name]) => name.startsWith(PREFIX));
  // They lie side by side: one look at all of them, and not a thousand.
  const first = found.reduce((lowest, [, address]) => Math.min(lowest, address), Number.POSITIVE_INFINITY);
  const last = found.reduce((highest, [, address]) => Math.max(highest, address), 0);
  if (last - first > MAX_SPAN) return null;
  const values = bytesAt(first, last - first + 4);
  const constants = new Map(found.map(([name, address]) => [name.slice(PREFIX.length), values.readInt32LE(address - first)]));
  const markers = (suffix: string) =>
    new Set([...constants].filter(([name]) => name.startsWith("frametype_") && name.endsWith(suffix)).map(([, type]) => type * 2));
  return {
    constants,
    offsets: new Map(),
    exits: markers("ExitFrame"),
    entries: markers("EntryFrame"),
    exit: bytesAt(exitAt, EXIT_CODE),
    currentIsolate,
  };
}
