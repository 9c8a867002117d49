import { createHash } from "node:crypto";
import { setImmediate as breathe } from "node:timers/promises";
import { fileKey } from "../analyser.ts";
import type { ArtifactFile } from "./artifact.ts";
import { ChangedError } from "./artifact.ts";
import { classify } from "./classify.ts";
import type { Collector } from "./collector.ts";
import { nameOf } from "./names.ts";
import {
  closeDirectory,
  type DirectoryEntry,
  linkTarget,
  listDirectory,
  type OpenDirectory,
  openDirectory,
  openRoot,
  readWhole,
  type Stamp,
  withFile,
} from "./secure-open.ts";
import type { Known, StampMemo } from "./stamps.ts";

/** Says of a path below the root whether it is left out; `directory` prunes everything below. */
export type LeaveOut = (path: string, directory: boolean) => boolean;

export interface Walk {
  readonly collector: Collector;
  readonly memo: StampMemo;
  readonly leaveOut: LeaveOut;
  /** Sees every directory as it is entered, before its entries are judged by `leaveOut`. */
  readonly enter?: (path: string, readChild: (name: string) => string | null) => void;
  readonly signal?: AbortSignal | undefined;
  readonly onFile?: (path: string) => void;
}

/** A directory on a disk as a part of an artifact. */
export interface DirectorySource {
  read(file: ArtifactFile): Uint8Array;
}

interface Place {
  readonly directory: OpenDirectory;
  readonly path: string;
  readonly raw: Buffer;
  readonly depth: number;
}

/** Takes in everything below `root`, links and devices as gaps. The root itself may be a link: the user named it. */
export async function walkDirectory(root: string, walk: Walk): Promise<DirectorySource> {
  const places = new Map<string, Buffer>();
  const top = openRoot(root);
  let looked = 0;
  try {
    await enter({ directory: top, path: "", raw: Buffer.alloc(0), depth: 0 });
  } finally {
    closeDirectory(top);
  }
  return { read: (file) => readAgain(root, file, places.get(file.key), walk.collector.limits.fileBytes) };

  async function enter(place: Place): Promise<void> {
    walk.enter?.(place.path, (name) => readSmall(place, name));
    const entries = listDirectory(place.directory).sort((a, b) => Buffer.compare(a.name, b.name));
    for (const entry of entries) {
      if (walk.collector.full) return;
      if (++looked % 64 === 0) await breathe();
      walk.signal?.throwIfAborted();
      await visit(place, entry);
    }
  }

  async function visit(place: Place, entry: DirectoryEntry): Promise<void> {
    const path = place.path === "" ? nameOf(entry.name) : `${place.path}/${nameOf(entry.name)}`;
    if (walk.leaveOut(path, entry.kind === "directory")) return;
    const raw = place.raw.length === 0 ? entry.name : Buffer.concat([place.raw, Buffer.from("/"), entry.name]);
    try {
      if (entry.kind === "file") takeFile(place, entry, path, raw);
      else if (entry.kind === "directory") await descend(place, entry, path, raw);
      else if (entry.kind === "symlink") takeLink(place, entry, path, walk.collector);
      else walk.collector.gap("skipped", path, entry.kind === "unknown" ? "unreadable" : entry.kind, `a ${entry.kind}, no file: never opened`, false);
    } catch (error) {
      walk.signal?.throwIfAborted();
      walk.collector.gap("skipped", path, ...reasonOf(error), true);
    }
  }

  async function descend(place: Place, entry: DirectoryEntry, path: string, raw: Buffer): Promise<void> {
    const depth = place.depth + 1;
    if (depth > walk.collector.limits.depth) {
      walk.collector.gap("skipped", path, "depth", `more than ${walk.collector.limits.depth} directories below each other`, true);
      return;
    }
    const directory = openDirectory(place.directory, entry.name);
    try {
      await enter({ directory, path, raw, depth });
    } finally {
      closeDirectory(directory);
    }
  }

  function takeFile(place: Place, entry: DirectoryEntry, path: string, raw: Buffer): void {
    withFile(place.directory, entry.name, (fd, stamp) => {
      const size = Number(stamp.size);
      const { collector } = walk;
      if (size > collector.limits.fileBytes) {
        collector.gap("skipped", path, "too_large", `${size} bytes; a file may have ${collector.limits.fileBytes}`, true);
        collector.digest.push({ path, mode: "160000", sha256: createHash("sha256").update(`too large: ${size}`).digest("hex") });
        return;
      }
      if (!collector.room(path, size)) return;
      const known = walk.memo.get(stamp, path) ?? look(fd, stamp, path);
      const executable = (Number(stamp.mode) & 0o111) !== 0;
      const head = { path, layers: [], executable, size: known.size, language: known.language };
      const { sha256, encoding, archive } = known;
      const added = collector.add({ ...head, key: fileKey(head), sha256, encoding, archive });
      places.set(added.key, raw);
      collector.digest.push({ path, mode: executable ? "100755" : "100644", sha256: known.sha256 });
      walk.onFile?.(path);
    });
  }

  function look(fd: number, stamp: Stamp, path: string): Known {
    const bytes = readWhole(fd, Number(stamp.size));
    const known = { ...classify(path, bytes), size: bytes.length, sha256: createHash("sha256").update(bytes).digest("hex") };
    walk.memo.put(stamp, path, known, fd);
    return known;
  }
}

function takeLink(place: Place, entry: DirectoryEntry, path: string, collector: Collector): void {
  const target = linkTarget(place.directory, entry.name);
  collector.digest.push({ path, mode: "120000", sha256: createHash("sha256").update(target).digest("hex") });
  const text = nameOf(target);
  const leaves = leavesRoot(path, text);
  const detail = leaves ? `a link that leads out of the artifact, to ${text}` : `a link to ${text}: what it names is looked at where it lies`;
  collector.gap("skipped", path, "symlink", detail, leaves);
}

/** By its words alone: nothing is followed. */
export function leavesRoot(path: string, target: string): boolean {
  if (target.startsWith("/")) return true;
  let depth = path.split("/").length - 1;
  for (const part of target.split("/")) {
    if (part === "..") depth--;
    else if (part !== "" && part !== ".") depth++;
    if (depth < 0) return true;
  }
  return false;
}

/** A second look at a file, component by component: a directory on the way may have become a link since. */
function readAgain(root: string, file: ArtifactFile, raw: Buffer | undefined, limit: number): Uint8Array {
  if (raw === undefined) throw new ChangedError("it was never there");
  const open: OpenDirectory[] = [];
  try {
    open.push(openRoot(root));
    const parts = splitPath(raw);
    for (const part of parts.slice(0, -1)) open.push(openDirectory(open.at(-1) as OpenDirectory, part));
    return withFile(open.at(-1) as OpenDirectory, parts.at(-1) as Buffer, (fd, stamp) => {
      const bytes = readWhole(fd, Math.min(Number(stamp.size), limit));
      if (createHash("sha256").update(bytes).digest("hex") !== file.sha256) throw new ChangedError("its content changed while it was scanned");
      return bytes;
    });
  } catch (error) {
    throw error instanceof ChangedError ? error : new ChangedError(reasonOf(error)[1]);
  } finally {
    for (const directory of open) closeDirectory(directory);
  }
}

function splitPath(raw: Buffer): Buffer[] {
  const parts: Buffer[] = [];
  for (let at = 0; at <= raw.length; ) {
    const slash = raw.indexOf(0x2f, at);
    const end = slash < 0 ? raw.length : slash;
    parts.push(raw.subarray(at, end));
    at = end + 1;
  }
  return parts;
}

/** A small file for the walk's own use (.gitignore); null where there is none. */
function readSmall(place: Place, name: string): string | null {
  try {
    return withFile(place.directory, Buffer.from(name), (fd, stamp) => readWhole(fd, Math.min(Number(stamp.size), 1 << 20)).toString("utf8"));
  } catch {
    return null;
  }
}

function reasonOf(error: unknown): [reason: string, detail: string] {
  const code = (error as NodeJS.ErrnoException)?.code;
  if (code === "EACCES" || code === "EPERM") return ["unreadable", "no permission to read it"];
  if (code === "ENOENT") return ["changed", "it vanished while it was looked at"];
  if (code === "ELOOP" || code === "ENOTDIR") return ["changed", "it became a link while it was looked at"];
  return ["unreadable", error instanceof Error ? error.message.replace(/ '.*$/, "") : "it cannot be read"];
}
