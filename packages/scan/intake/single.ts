import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { basename } from "node:path";
import { Readable } from "node:stream";
import { PlastronError } from "@plastron/contracts";
import { fileKey } from "../analyser.ts";
import { stemOf, unpackOne } from "./archives/expand.ts";
import { withArchives } from "./archives/index.ts";
import { type ArchiveKind, archiveKind } from "./archives/kind.ts";
import { Spool } from "./archives/spool.ts";
import { sha256Of, Unpack } from "./archives/unpack.ts";
import type { Artifact, ArtifactFile } from "./artifact.ts";
import { classify } from "./classify.ts";
import type { Collector } from "./collector.ts";
import { readWhole } from "./secure-open.ts";

export type Parts = Pick<Artifact, "files" | "gaps" | "read" | "close"> & { readonly archive: boolean };

/** One file that the user named: an archive becomes its members, anything else a tree of one file. */
export async function openFile(path: string, collector: Collector, signal?: AbortSignal, strip: "top" | "nothing" = "nothing"): Promise<Parts> {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const spool = new Spool();
  try {
    const { size } = fstatSync(fd);
    const kind = archiveKind(path, readWhole(fd, Math.min(size, 512)));
    if (kind === null) takePlain(fd, size, path, collector, spool);
    else await takeArchive({ fd, size, path, kind, strip }, collector, spool, signal);
    const gone = (_: ArtifactFile) => Promise.reject(new PlastronError("internal", "a file without bytes"));
    return { ...(await withArchives(collector, gone, signal, spool)), archive: kind !== null };
  } catch (error) {
    spool.close();
    throw error;
  } finally {
    closeSync(fd);
  }
}

function takePlain(fd: number, size: number, path: string, collector: Collector, spool: Spool): void {
  const name = basename(path);
  const { limits } = collector;
  if (size > limits.fileBytes) {
    collector.gap("skipped", name, "too_large", `${size} bytes; a file may have ${limits.fileBytes}`, true);
    return;
  }
  const bytes = readWhole(fd, size);
  const executable = (fstatSync(fd).mode & 0o111) !== 0;
  const head = { path: name, layers: [], executable, size: bytes.length, ...classify(name, bytes) };
  const sha256 = sha256Of(bytes);
  spool.put(sha256, bytes);
  collector.add({ ...head, key: fileKey(head), sha256 });
  collector.digest.push({ path: name, mode: executable ? "100755" : "100644", sha256 });
}

interface Opened {
  readonly fd: number;
  readonly size: number;
  readonly path: string;
  readonly kind: ArchiveKind;
  readonly strip: "top" | "nothing";
}

async function takeArchive({ fd, size, path, kind, strip }: Opened, collector: Collector, spool: Spool, signal?: AbortSignal): Promise<void> {
  const unpack = new Unpack({ collector, spool, layers: [], archiveBytes: size, strip, signal });
  // Not a stream of Node's own: that would close the descriptor with itself.
  const stream = () => Readable.from(pieces(fd, size));
  const zip = size <= collector.limits.fileBytes ? { bytes: readWhole(fd, size) } : { fd };
  await unpackOne({ kind, zip, stream, stem: stemOf(path) }, unpack);
}

function* pieces(fd: number, size: number): Iterable<Buffer> {
  for (let at = 0; at < size; ) {
    const piece = Buffer.allocUnsafe(Math.min(PIECE, size - at));
    const got = readSync(fd, piece, 0, piece.length, at);
    if (got === 0) return;
    at += got;
    yield piece.subarray(0, got);
  }
}

const PIECE = 1 << 18;
