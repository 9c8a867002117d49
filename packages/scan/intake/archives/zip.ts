import { type Entry, fromBuffer, fromFd, type Options, type ZipFile } from "yauzl";
import type { Member, Unpack } from "./unpack.ts";

export type ZipSource = { readonly bytes: Buffer } | { readonly fd: number };

/** Names stay bytes: yauzl would refuse a whole archive for one name that leads out of it. */
const OPTIONS: Options = { lazyEntries: true, decodeStrings: false, validateEntrySizes: true, autoClose: false };
const ENCRYPTED = 1;

/** Reads a zip by its central directory. Rejects where it has none. */
export async function readZip(source: ZipSource, unpack: Unpack): Promise<"plain" | "encrypted"> {
  const zip = await openZip("bytes" in source ? { bytes: withoutPrefix(source.bytes, unpack) } : source);
  const seen = new Ranges();
  let encrypted = 0;
  for await (const entry of entriesOf(zip)) {
    const member = memberOf(entry);
    if (!seen.add(entry.relativeOffsetOfLocalHeader, entry.compressedSize))
      unpack.stop("bomb", "its members share bytes: one piece of it is unpacked many times");
    if (!unpack.wants(member)) continue;
    if ((entry.generalPurposeBitFlag & ENCRYPTED) !== 0) {
      encrypted++;
      continue;
    }
    try {
      const bytes = await contentOf(zip, entry, unpack);
      if (member.type === "file") unpack.take(member, bytes);
    } catch (error) {
      if (!isFormatError(error)) throw error;
      const path = Buffer.from(entry.fileName as unknown as Buffer).toString("latin1");
      unpack.collector.gap("degraded", unpack.key(path), "malformed", `this member cannot be unpacked: ${(error as Error).message}`, true);
    }
  }
  if (encrypted > 0) unpack.collector.gap("skipped", unpack.where, "encrypted", `${encrypted} members need a password`, true);
  return encrypted > 0 ? "encrypted" : "plain";
}

const END = Buffer.from("PK\x05\x06", "latin1");
const LOCAL = Buffer.from("PK\x03\x04", "latin1");

/** What stands before a zip shifts its offsets, where whoever put it there did not correct them; unpackers correct that (`cat run.sh a.zip`). */
function withoutPrefix(bytes: Buffer, unpack: Unpack): Buffer {
  const end = bytes.lastIndexOf(END);
  if (end < 0 || end + 22 > bytes.length) return bytes;
  const prefix = end - bytes.readUInt32LE(end + 12) - bytes.readUInt32LE(end + 16);
  if (prefix <= 0) return bytes;
  if (bytes.subarray(0, prefix).includes(LOCAL))
    unpack.collector.gap("degraded", unpack.where, "hidden", "another archive stands before this one, which this one's list does not name", true);
  return bytes.subarray(prefix);
}

function openZip(source: ZipSource): Promise<ZipFile> {
  return new Promise((resolve, reject) => {
    const done = (error: Error | null, zip: ZipFile) => (error ? reject(error) : resolve(zip));
    if ("bytes" in source) fromBuffer(source.bytes, OPTIONS, done);
    else fromFd(source.fd, OPTIONS, done);
  });
}

async function* entriesOf(zip: ZipFile): AsyncGenerator<Entry> {
  for (;;) {
    const entry = await new Promise<Entry | null>((resolve, reject) => {
      const settle = (work: () => void) => {
        zip.removeAllListeners();
        zip.on("error", () => {});
        work();
      };
      zip.once("entry", (entry) => settle(() => resolve(entry)));
      zip.once("end", () => settle(() => resolve(null)));
      zip.once("error", (error) => settle(() => reject(error)));
      zip.readEntry();
    });
    if (entry === null) return;
    yield entry;
  }
}

function memberOf(entry: Entry): Member {
  const name = entry.fileName as unknown as Buffer;
  // The upper half is the mode of Unix, where the archive was made on one.
  const mode = entry.externalFileAttributes >>> 16;
  const kind = mode & 0o170000;
  const type =
    name.at(-1) === 0x2f ? "directory" : kind === 0o120000 ? "symlink" : [0o010000, 0o020000, 0o060000, 0o140000].includes(kind) ? "special" : "file";
  return { name, type, executable: (mode & 0o111) !== 0, size: entry.uncompressedSize };
}

function contentOf(zip: ZipFile, entry: Entry, unpack: Unpack): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    zip.openReadStream(entry, (error, stream) => {
      if (error) return reject(error);
      const parts: Buffer[] = [];
      stream.on("data", (part: Buffer) => {
        try {
          unpack.came(part.length);
          parts.push(part);
        } catch (enough) {
          stream.destroy();
          reject(enough);
        }
      });
      stream.on("error", reject);
      stream.on("end", () => resolve(Buffer.concat(parts)));
    });
  });
}

function isFormatError(error: unknown): boolean {
  return error instanceof Error && error.constructor === Error
    ? true
    : error instanceof RangeError || /^Z_|^ERR_/.test((error as NodeJS.ErrnoException).code ?? "");
}

/** Which pieces of the archive are members; honest ones do not overlap. */
class Ranges {
  readonly #starts: number[] = [];
  readonly #ends = new Map<number, number>();

  add(start: number, size: number): boolean {
    const at = this.#position(start);
    const before = this.#starts[at - 1];
    const after = this.#starts[at];
    if (after === start || (before !== undefined && (this.#ends.get(before) as number) > start) || (after !== undefined && start + size > after)) return false;
    this.#starts.splice(at, 0, start);
    this.#ends.set(start, start + size);
    return true;
  }

  #position(start: number): number {
    let [low, high] = [0, this.#starts.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#starts[middle] as number) < start) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
