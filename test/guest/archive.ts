import { readFileSync } from "node:fs";

/** What the guest's root holds. `from` is a file of this machine; a symbolic link has a `target`, a directory neither. */
export interface GuestFile {
  path: string;
  mode?: number;
  content?: string | Uint8Array;
  from?: string;
  target?: string;
}

const TYPE = { directory: 0o040000, file: 0o100000, link: 0o120000 };

/**
 * A cpio archive in the "newc" format, as the kernel unpacks an initramfs (Documentation/driver-api/early-userspace/buffer-format.rst):
 * uncompressed, since emulated decompression costs more than the bytes. Directories above a file come before it, by themselves.
 */
export function initramfs(files: readonly GuestFile[]): Buffer {
  const parts: Buffer[] = [];
  const made = new Set<string>([""]);
  let inode = 1;
  const add = (name: string, mode: number, data: Uint8Array) => {
    const numbers = [inode++, mode, 0, 0, 1, 0, data.length, 0, 0, 0, 0, Buffer.byteLength(name) + 1, 0];
    const head = Buffer.from(`070701${numbers.map((n) => n.toString(16).padStart(8, "0")).join("")}${name}\0`);
    parts.push(head, padding(head.length), Buffer.from(data), padding(data.length));
  };
  const above = (path: string) => {
    const parent = path.slice(0, Math.max(0, path.lastIndexOf("/")));
    if (made.has(parent)) return;
    above(parent);
    made.add(parent);
    add(parent, TYPE.directory | 0o755, Buffer.alloc(0));
  };
  for (const file of files) {
    const name = file.path.replace(/^\/+/, "");
    above(name);
    if (file.target !== undefined) add(name, TYPE.link | 0o777, Buffer.from(file.target));
    else if (file.content === undefined && file.from === undefined) above(`${name}/`);
    else add(name, TYPE.file | (file.mode ?? 0o755), bytesOf(file));
  }
  add("TRAILER!!!", 0, Buffer.alloc(0));
  return Buffer.concat(parts);
}

function bytesOf({ content, from }: GuestFile): Uint8Array {
  return from === undefined ? Buffer.from(content ?? "") : readFileSync(from);
}

function padding(length: number): Buffer {
  return Buffer.alloc((4 - (length % 4)) % 4);
}
