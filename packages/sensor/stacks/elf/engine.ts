import type { ElfFile, Segment } from "./file.ts";

/** What a binary with V8 in it says of itself. */
export interface Engine {
  /** Numbers of `v8dbg_…`, without that beginning. */
  constants: Map<string, number>;
  /** Where fields lie in classes, as they were looked up: readers remember them here. */
  offsets: Map<string, number>;
  /** Machine code of the way from JavaScript into C++. */
  exit: Buffer;
  /** In the block of thread-local variables: the isolate that the thread runs. */
  currentIsolate: number;
}

const PREFIX = "v8dbg_";
const EXIT_CODE = 96;

/** Null where there is no V8, or one without what is needed. */
export function readEngine(file: ElfFile, segments: Segment[], named: ReadonlyMap<string, number>): Engine | null {
  const exitAt = named.get("Builtins_CEntry_Return1_ArgvOnStack_BuiltinExit");
  const currentIsolate = named.get("_ZN2v88internal18g_current_isolate_E");
  if (!named.has(`${PREFIX}off_fp_function`) || exitAt === undefined || currentIsolate === undefined) return null;
  const bytesAt = (address: number, length: number): Buffer => {
    const segment = segments.find(({ vaddr, size }) => address >= vaddr && address < vaddr + size);
    return segment === undefined ? Buffer.alloc(length) : file.bytes(address - segment.vaddr + segment.offset, length);
  };
  const constants = [...named].filter(([name]) => name.startsWith(PREFIX));
  return {
    constants: new Map(constants.map(([name, address]) => [name.slice(PREFIX.length), bytesAt(address, 4).readInt32LE()])),
    offsets: new Map(),
    exit: bytesAt(exitAt, EXIT_CODE),
    currentIsolate,
  };
}
