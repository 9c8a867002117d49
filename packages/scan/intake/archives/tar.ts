import type { Readable } from "node:stream";
import { createGunzip, createZstdDecompress } from "node:zlib";
import { type Extract, extract, type Header } from "tar-stream";
import type { ArchiveKind } from "./kind.ts";
import { Enough, type Member, type Unpack } from "./unpack.ts";

/** A tar, or one in gzip or zstd; what is compressed and no tar is one file. `stem`: what to call that. */
export async function readTar(source: Readable, kind: Exclude<ArchiveKind, "zip" | "sealed">, stem: string, unpack: Unpack): Promise<void> {
  const plain = opened(source, kind);
  const chunks = counted(plain, unpack);
  try {
    const head = await firstBytes(chunks);
    if (head.length === 0) return;
    if (looksLikeTar(head)) await members(head, chunks, unpack);
    else if (kind === "tar") unpack.stop("malformed", "it is no tar");
    else await single(head, chunks, stem, unpack);
  } finally {
    source.destroy();
    plain.destroy();
  }
}

function opened(source: Readable, kind: "tar" | "gzip" | "zstd"): Readable {
  if (kind === "tar") return source;
  const decompress = kind === "gzip" ? createGunzip() : createZstdDecompress();
  source.on("error", (error) => decompress.destroy(error));
  return source.pipe(decompress);
}

async function* counted(source: Readable, unpack: Unpack): AsyncGenerator<Buffer> {
  for await (const chunk of source) {
    unpack.came((chunk as Buffer).length);
    yield chunk as Buffer;
  }
}

/** A tar's first header is 512 bytes. */
async function firstBytes(chunks: AsyncGenerator<Buffer>): Promise<Buffer> {
  let head: Buffer = Buffer.alloc(0);
  while (head.length < 512) {
    const { value, done } = await chunks.next();
    if (done) break;
    head = Buffer.concat([head, value]);
  }
  return head;
}

/** By the mark of POSIX and GNU, or, for older ones, by the header's checksum. */
function looksLikeTar(head: Buffer): boolean {
  if (head.length < 512) return false;
  if (head.toString("latin1", 257, 262) === "ustar") return true;
  const said = Number.parseInt(head.toString("latin1", 148, 156), 8);
  let sum = 0;
  for (let at = 0; at < 512; at++) sum += at >= 148 && at < 156 ? 32 : (head[at] as number);
  return said === sum;
}

/** The library's types leave out what it reads: names in an encoding that loses no byte, and old tars without a mark. */
const OPTIONS = { filenameEncoding: "latin1", allowUnknownFormat: true } as object;

async function members(head: Buffer, chunks: AsyncGenerator<Buffer>, unpack: Unpack): Promise<void> {
  const parser = extract(OPTIONS);
  parser.on("error", () => {}); // told by whoever waits for it
  const reading = readEntries(parser, unpack).catch((error) => {
    parser.destroy(error);
    throw error;
  });
  const feeding = feed(parser, head, chunks).catch((error) => {
    parser.destroy(error);
    throw error;
  });
  const [read, fed] = await Promise.allSettled([reading, feeding]);
  if (fed.status === "rejected" && fed.reason instanceof Enough) throw fed.reason;
  if (read.status === "rejected") throw read.reason;
  if (fed.status === "rejected") throw fed.reason;
}

async function feed(parser: Extract, head: Buffer, chunks: AsyncGenerator<Buffer>): Promise<void> {
  const room = () =>
    new Promise<void>((done) => {
      const go = () => {
        parser.off("drain", go);
        parser.off("close", go);
        done();
      };
      parser.on("drain", go);
      parser.on("close", go);
    });
  if (!parser.write(head)) await room();
  for await (const chunk of chunks) {
    if (parser.destroying) return;
    if (!parser.write(chunk)) await room();
  }
  parser.end(null);
}

async function readEntries(parser: Extract, unpack: Unpack): Promise<void> {
  for await (const entry of parser) {
    const member = memberOf(entry.header);
    if (!unpack.wants(member)) {
      (entry as unknown as { resume(): void }).resume();
      continue;
    }
    const parts: Buffer[] = [];
    for await (const part of entry) parts.push(part as Buffer);
    unpack.take(member, Buffer.concat(parts));
  }
}

const TYPES: Readonly<Record<string, Member["type"]>> = {
  ...{ file: "file", "contiguous-file": "file", directory: "directory", symlink: "symlink", link: "hardlink" },
  ...{ "character-device": "special", "block-device": "special", fifo: "special" },
};

/** Names are read as Latin-1, so that their bytes stay what they were; what pax says of a name is UTF-8 already. */
function memberOf({ name, type, mode, size, linkname, pax }: Header): Member {
  const wide = (pax as { path?: unknown } | null | undefined)?.path;
  const bytes = typeof wide === "string" ? Buffer.from(wide, "utf8") : Buffer.from(name, "latin1");
  return { name: bytes, type: TYPES[type ?? ""] ?? "unknown", executable: (mode & 0o111) !== 0, size, target: linkname ?? "" };
}

async function single(head: Buffer, chunks: AsyncGenerator<Buffer>, stem: string, unpack: Unpack): Promise<void> {
  const parts = [head];
  let size = head.length;
  const { fileBytes } = unpack.collector.limits;
  for await (const chunk of chunks) {
    size += chunk.length;
    if (size > fileBytes) unpack.stop("too_large", `what is in it has more than ${fileBytes} bytes`);
    parts.push(chunk);
  }
  const member: Member = { name: Buffer.from(stem), type: "file", executable: false, size };
  if (unpack.wants(member)) unpack.take(member, Buffer.concat(parts));
}
