/** One violation as the watcher of a sandbox tells it (native/notify.h, struct violation): little endian, all text the program's. */
export interface WatchRecord {
  rule: number;
  denied: boolean;
  pid: number;
  number: number;
  arguments: bigint[];
  mountNamespace: number;
  comm: string;
  permissions: number;
  /** Two at most, each in its place: a first that is empty before a second that is not stays. */
  paths: string[];
}

const HEAD = 96;

/** Throws RangeError when it is cut short: the supervisor is ours, but its words about the program are checked all the same. */
export function readWatchRecord(payload: Uint8Array): WatchRecord {
  const view = new DataView(payload.buffer, payload.byteOffset, payload.length);
  const paths: string[] = [];
  for (let at = HEAD; at < payload.length; ) {
    const length = view.getUint32(at, true);
    if (at + 4 + length > payload.length) throw new RangeError("a violation record is cut short");
    paths.push(text(payload.subarray(at + 4, at + 4 + length)));
    at += 4 + length;
  }
  while (paths.at(-1) === "") paths.pop();
  return {
    rule: view.getInt32(0, true),
    denied: view.getUint32(4, true) !== 0,
    pid: view.getUint32(8, true),
    number: view.getInt32(12, true),
    arguments: Array.from({ length: 6 }, (_, i) => view.getBigUint64(16 + 8 * i, true)),
    mountNamespace: Number(view.getBigUint64(64, true)),
    comm: text(payload.subarray(72, 88)).replace(/\0.*$/s, ""),
    permissions: view.getUint32(88, true),
    paths,
  };
}

const decoder = new TextDecoder();
const text = (bytes: Uint8Array): string => decoder.decode(bytes);
