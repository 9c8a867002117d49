import { Readable } from "node:stream";
import { type ArtifactFile, ChangedError } from "../artifact.ts";
import type { Collector } from "../collector.ts";
import type { ArchiveKind } from "./kind.ts";
import type { Spool } from "./spool.ts";
import { readTar } from "./tar.ts";
import { Enough, sha256Of, Unpack } from "./unpack.ts";
import { readZip, type ZipSource } from "./zip.ts";

export interface Expansion {
  readonly collector: Collector;
  readonly spool: Spool;
  readonly read: (file: ArtifactFile) => Promise<Uint8Array>;
  readonly signal?: AbortSignal | undefined;
}

/** Opens every archive that was taken in, and every archive in those, down to the limit. Never throws for what an archive holds. */
export async function expandArchives(expansion: Expansion, files: Iterable<ArtifactFile> = [...expansion.collector.files.values()]): Promise<void> {
  for (const file of files) if (file.archive !== null) await expandOne(expansion, file, new Set());
}

async function expandOne(expansion: Expansion, file: ArtifactFile, above: ReadonlySet<string>): Promise<void> {
  const { collector, spool, signal } = expansion;
  if (collector.full || file.archive === null) return;
  if (above.has(file.sha256)) return collector.gap("skipped", file.key, "bomb", "an archive that holds itself", true);
  if (above.size >= collector.limits.archiveDepth)
    return collector.gap("skipped", file.key, "depth", `more than ${collector.limits.archiveDepth} archives inside of each other`, true);
  const bytes = await bytesOf(expansion, file);
  if (bytes === null) return;
  const layers = [...file.layers, file.path];
  const unpack = new Unpack({ collector, spool, layers, archiveBytes: bytes.length, signal });
  const source = { kind: file.archive, zip: { bytes }, stream: () => Readable.from(slices(bytes)), stem: stemOf(file.path) };
  const sealed = await unpackOne(source, unpack);
  if (sealed) collector.mark(file.key, { sealed: true });
  const inside = new Set(above).add(sha256Of(bytes));
  for (const member of unpack.added) await expandOne(expansion, member, inside);
}

export interface ArchiveSource {
  readonly kind: ArchiveKind;
  readonly zip: ZipSource;
  readonly stream: () => Readable;
  readonly stem: string;
}

/** Reads one archive. Says whether some of it needs a password. */
export async function unpackOne({ kind, zip, stream, stem }: ArchiveSource, unpack: Unpack): Promise<boolean> {
  try {
    if (kind === "sealed") unpack.stop("unsupported", "an archive of a kind that is not opened here (7z, rar, xz, bzip2)");
    if (kind === "zip") return (await readZip(zip, unpack)) === "encrypted";
    await readTar(stream(), kind, stem, unpack);
  } catch (error) {
    if (error instanceof Enough) return false;
    if ((error as Error).name === "AbortError" || !(error instanceof Error)) throw error;
    unpack.collector.gap("degraded", unpack.where, "malformed", `this archive cannot be read to its end: ${error.message.slice(0, 200)}`, true);
  }
  return false;
}

async function bytesOf({ collector, read }: Expansion, file: ArtifactFile): Promise<Buffer | null> {
  try {
    const bytes = await read(file);
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  } catch (error) {
    if (!(error instanceof ChangedError)) throw error;
    collector.gap("skipped", file.key, "changed", error.message, true);
    return null;
  }
}

function* slices(bytes: Buffer): Iterable<Buffer> {
  for (let at = 0; at < bytes.length; at += 65_536) yield bytes.subarray(at, at + 65_536);
}

/** `notes.txt.gz` → `notes.txt`. */
export function stemOf(path: string): string {
  const name = path.slice(path.lastIndexOf("/") + 1);
  return name.replace(/\.(gz|zst|tgz|z)$/i, "") || "content";
}
