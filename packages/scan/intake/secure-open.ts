import { closeSync, constants, fstatSync, openSync, readdirSync, readlinkSync, readSync } from "node:fs";

/**
 * Files below a directory that somebody else may be changing meanwhile. Node has no openat: `/proc/self/fd/N/name` is the same to the kernel, and with
 * O_NOFOLLOW no component can have become a link that leads out of the root. O_NONBLOCK: opening a fifo must not wait for its writer.
 */
const FOLLOW_NOTHING = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

export interface OpenDirectory {
  readonly fd: number;
}

export interface DirectoryEntry {
  /** As it lies on the disk: no encoding is sure. */
  readonly name: Buffer;
  readonly kind: "file" | "directory" | "symlink" | "fifo" | "socket" | "device" | "unknown";
}

export function openRoot(path: string): OpenDirectory {
  return { fd: openSync(path, constants.O_RDONLY | constants.O_DIRECTORY) };
}

export function openDirectory(parent: OpenDirectory, name: Buffer): OpenDirectory {
  return { fd: openSync(below(parent, name), FOLLOW_NOTHING | constants.O_DIRECTORY) };
}

export function closeDirectory({ fd }: OpenDirectory): void {
  closeSync(fd);
}

export function listDirectory({ fd }: OpenDirectory): DirectoryEntry[] {
  return readdirSync(`/proc/self/fd/${fd}`, { withFileTypes: true, encoding: "buffer" }).map((entry) => ({
    name: entry.name,
    kind: entry.isFile()
      ? "file"
      : entry.isDirectory()
        ? "directory"
        : entry.isSymbolicLink()
          ? "symlink"
          : entry.isFIFO()
            ? "fifo"
            : entry.isSocket()
              ? "socket"
              : entry.isBlockDevice() || entry.isCharacterDevice()
                ? "device"
                : "unknown",
  }));
}

export function linkTarget(parent: OpenDirectory, name: Buffer): Buffer {
  return readlinkSync(below(parent, name), { encoding: "buffer" });
}

/** What the kernel says of an open file: equal stamps are the same content, unless it was changed within the clock's grain. */
export interface Stamp {
  readonly dev: bigint;
  readonly ino: bigint;
  readonly size: bigint;
  readonly mtimeNs: bigint;
  readonly ctimeNs: bigint;
  readonly mode: bigint;
  readonly nlink: bigint;
}

/** Opens a plain file for `use`, and nothing that became something else since it was listed. */
export function withFile<Result>(parent: OpenDirectory, name: Buffer, use: (fd: number, stamp: Stamp) => Result): Result {
  const fd = openSync(below(parent, name), FOLLOW_NOTHING);
  try {
    const stamp = fstatSync(fd, { bigint: true });
    if (!stamp.isFile()) throw new Error("it is no plain file any more");
    return use(fd, stamp);
  } finally {
    closeSync(fd);
  }
}

/** At most `size` bytes: a file that grows is not followed. */
export function readWhole(fd: number, size: number): Buffer {
  const bytes = Buffer.allocUnsafeSlow(size);
  let at = 0;
  while (at < size) {
    const got = readSync(fd, bytes, at, size - at, at);
    if (got === 0) break;
    at += got;
  }
  return bytes.subarray(0, at);
}

function below({ fd }: OpenDirectory, name: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`/proc/self/fd/${fd}/`), name]);
}
