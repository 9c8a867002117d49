import { createHash } from "node:crypto";
import { fileKey } from "../analyser.ts";
import { withArchives } from "./archives/index.ts";
import { type Artifact, type ArtifactFile, ChangedError, digestOf } from "./artifact.ts";
import { classify } from "./classify.ts";
import { Collector } from "./collector.ts";
import { leavesRoot } from "./directory.ts";
import { commitOf, type GitOptions, git } from "./git-command.ts";
import { GitObjects } from "./git-objects.ts";
import { DEFAULT_LIMITS, type Limits } from "./limits.ts";
import { nameOf } from "./names.ts";

/** One line of `git ls-tree -r -z --long`. */
interface Entry {
  readonly mode: string;
  readonly hash: string;
  readonly size: number;
  readonly path: string;
}

export interface RevisionOptions extends GitOptions {
  readonly limits?: Partial<Limits>;
  readonly onFile?: (path: string) => void;
}

/**
 * One commit of a repository as an artifact, from its objects: no work tree is made. So neither what is ignored, nor `export-ignore`,
 * nor a filter that the commit itself names can hide a file. Rejects with PlastronError invalid_request where there is no such commit.
 */
export async function openRevision(revision: string, options: RevisionOptions): Promise<Artifact> {
  const commit = await commitOf(options, revision);
  const entries = readEntries(await git(options, ["ls-tree", "-r", "-z", "--long", "--full-tree", "--end-of-options", commit]));
  const objects = new GitObjects(options);
  try {
    return await take(commit, entries, objects, options);
  } catch (error) {
    await objects.close();
    throw error;
  }
}

async function take(commit: string, entries: readonly Entry[], objects: GitObjects, options: RevisionOptions): Promise<Artifact> {
  const collector = new Collector({ ...DEFAULT_LIMITS, ...options.limits });
  const hashes = new Map<string, string>();
  for (const [entry, content] of ahead(entries, objects, collector.limits.fileBytes)) {
    if (collector.full) break;
    options.signal?.throwIfAborted();
    const added = await takeEntry(entry, content, collector);
    if (added) hashes.set(added.key, entry.hash);
    options.onFile?.(entry.path);
  }
  const read = async (file: ArtifactFile): Promise<Uint8Array> => {
    const bytes = await objects.read(hashes.get(file.key) ?? "");
    if (bytes === null) throw new ChangedError(`${file.key} is not in the repository any more`);
    return bytes;
  };
  const parts = await withArchives(collector, read, options.signal);
  return {
    ...parts,
    ref: { kind: "git", digest: digestOf(collector.digest), name: options.repository, revision: commit },
    notes: [],
    close: async () => {
      await parts.close();
      await objects.close();
    },
  };
}

/** Each entry with its content, which was asked for before those ahead of it were taken: git reads on while we look. */
function* ahead(entries: readonly Entry[], objects: GitObjects, largest: number): Iterable<[Entry, Promise<Buffer | null>]> {
  const asked: [Entry, Promise<Buffer | null>][] = [];
  let bytes = 0;
  for (const entry of entries) {
    const content = entry.mode === "160000" || entry.size > largest ? Promise.resolve(null) : objects.read(entry.hash);
    content.catch(() => {}); // it is told where it is awaited
    asked.push([entry, content]);
    bytes += entry.size;
    while (asked.length > 256 || (bytes > AHEAD_BYTES && asked.length > 1)) {
      const first = asked.shift() as [Entry, Promise<Buffer | null>];
      bytes -= first[0].size;
      yield first;
    }
  }
  yield* asked;
}

const AHEAD_BYTES = 32 * 2 ** 20;

async function takeEntry({ mode, hash, size, path }: Entry, content: Promise<Buffer | null>, collector: Collector): Promise<ArtifactFile | null> {
  const line = (bytes: Uint8Array | string) => collector.digest.push({ path, mode, sha256: createHash("sha256").update(bytes).digest("hex") });
  if (mode === "160000") {
    line(hash);
    collector.gap("skipped", path, "submodule", `a submodule at ${hash}: its files are in another repository and were not looked at`, false);
    return null;
  }
  if (size > collector.limits.fileBytes) {
    line(`too large: ${size}`);
    collector.gap("skipped", path, "too_large", `${size} bytes; a file may have ${collector.limits.fileBytes}`, true);
    return null;
  }
  if (!collector.room(path, size)) return null;
  const bytes = await content;
  if (bytes === null) {
    collector.gap("skipped", path, "unreadable", "the repository lacks this file's content (a partial clone?)", true);
    return null;
  }
  line(bytes);
  if (mode === "120000") {
    const target = nameOf(bytes);
    collector.gap("skipped", path, "symlink", `a link to ${target}: what it names is looked at where it lies`, leavesRoot(path, target));
    return null;
  }
  if (bytes.subarray(0, LFS.length).equals(LFS))
    collector.gap("degraded", path, "lfs", "a pointer of Git LFS: its content is elsewhere and was not looked at", true);
  const head = { path, layers: [], executable: mode === "100755", size: bytes.length, ...classify(path, bytes) };
  return collector.add({ ...head, key: fileKey(head), sha256: createHash("sha256").update(bytes).digest("hex") });
}

/** How a pointer file begins (https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md). */
const LFS = Buffer.from("version https://git-lfs.github.com/spec/v1\n");

/** `MODE TYPE HASH SIZE\tPATH NUL`. Paths are bytes, and the committer's. */
function readEntries(list: Buffer): Entry[] {
  const entries: Entry[] = [];
  for (let at = 0; at < list.length; ) {
    const tab = list.indexOf(9, at);
    const end = list.indexOf(0, tab);
    const [mode = "", , hash = "", size = ""] = list.toString("latin1", at, tab).split(/ +/);
    entries.push({ mode, hash, size: size === "-" ? 0 : Number(size), path: nameOf(list.subarray(tab + 1, end)) });
    at = end + 1;
  }
  return entries;
}
