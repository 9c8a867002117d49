import { createHash, type Hash } from "node:crypto";
import { closeSync, constants, mkdirSync, openSync, symlinkSync, writeSync } from "node:fs";
import { join } from "node:path";
import { setImmediate as others } from "node:timers/promises";
import { type Frame, FrameReader, PlastronError } from "@plastron/contracts";
import type { Entry } from "./listing.ts";
import { linkFault, pathFault } from "./path.ts";

/** What one image may hold. */
export interface Bounds {
  entries: number;
  bytes: number;
}

const MAX_PIECE = 1024 * 1024;
const SLICE_MS = 5;
const CREATE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

/**
 * Writes the tree that a build sends out (inside/build.py, `send`) below `root`, a directory that nobody else can reach. All of it is the
 * installed code's word. Frames: `D` a directory, `F` or `G` a file (G: executable) whose bytes follow as `B`, `L` a link
 * (path NUL target), `Z` the end. Every path is new and lies in a directory that was made here before, so that nothing is ever
 * written through a link; there is no way to say an owner, a set-id bit, a device, a hard link or a hole.
 */
export class Unpacker {
  readonly #root: string;
  readonly #bounds: Bounds;
  readonly #reader = new FrameReader(MAX_PIECE);
  readonly #directories = new Set<string>([""]);
  readonly #entries: Entry[] = [];
  #bytes = 0;
  #file: { descriptor: number; path: string; kind: "f" | "x"; size: number; hash: Hash } | undefined;
  #done = false;
  #last: Promise<void> = Promise.resolve();
  #failure: Error | undefined;

  constructor(root: string, bounds: Bounds) {
    this.#root = root;
    this.#bounds = bounds;
  }

  get failure(): Error | undefined {
    return this.#failure;
  }

  /** Bytes of the stream, in order. Settles when they are written; after a failure, which `finish` throws, the rest is dropped. */
  push(chunk: Uint8Array): Promise<void> {
    const copy = Buffer.from(chunk);
    this.#last = this.#last.then(() => this.#take(copy));
    return this.#last;
  }

  /** All that was written, sorted. Errors: packages_failed with what was wrong, also where the stream broke off. */
  async finish(): Promise<Entry[]> {
    await this.#last;
    this.#closeFile();
    if (this.#failure) throw this.#failure;
    if (!this.#done) throw fault("The build ended before its result was complete");
    return this.#entries.sort((a, b) => (a.path < b.path ? -1 : 1));
  }

  async #take(chunk: Buffer): Promise<void> {
    if (this.#failure) return;
    let begun = performance.now();
    try {
      for (const frame of this.#reader.push(chunk)) {
        this.#apply(frame);
        if (performance.now() - begun < SLICE_MS) continue;
        await others(); // the agent has runs to serve meanwhile
        begun = performance.now();
      }
    } catch (error) {
      this.#failure = error instanceof PlastronError ? error : this.#explain(error as NodeJS.ErrnoException);
      this.#closeFile();
    }
  }

  #apply({ type, payload }: Frame): void {
    if (this.#done) throw fault("The build went on after its end");
    if (type !== "B") this.#closeFile();
    if (type === "B") this.#append(payload);
    else if (type === "Z") this.#done = true;
    else if (type === "D") this.#directory(this.#newPath(text(payload)));
    else if (type === "F" || type === "G") this.#open(this.#newPath(text(payload)), type === "F" ? "f" : "x");
    else if (type === "L") this.#link(text(payload));
    else throw fault("The build's result is not understood");
  }

  #newPath(path: string): string {
    const wrong = pathFault(path);
    if (wrong) throw fault(`The packages install a path that ${wrong}: ${shown(path)}`);
    if (!this.#directories.has(path.slice(0, Math.max(0, path.lastIndexOf("/"))))) throw fault(`A path lies in no directory: ${shown(path)}`);
    if (this.#entries.length >= this.#bounds.entries) throw fault(`The packages install more than ${this.#bounds.entries} files and directories`);
    return path;
  }

  #directory(path: string): void {
    mkdirSync(join(this.#root, path), { mode: 0o755 });
    this.#directories.add(path);
    this.#entries.push({ path, kind: "d" });
  }

  #open(path: string, kind: "f" | "x"): void {
    const descriptor = openSync(join(this.#root, path), CREATE, kind === "x" ? 0o555 : 0o444);
    this.#file = { descriptor, path, kind, size: 0, hash: createHash("sha256") };
  }

  #append(bytes: Uint8Array): void {
    const file = this.#file;
    if (!file) throw fault("The build's result is not understood");
    this.#bytes += bytes.length;
    if (this.#bytes > this.#bounds.bytes) throw fault(`The packages install more than ${this.#bounds.bytes >> 20} MiB`);
    for (let at = 0; at < bytes.length; ) at += writeSync(file.descriptor, bytes, at);
    file.hash.update(bytes);
    file.size += bytes.length;
  }

  #link(words: string): void {
    const [path = "", target = ""] = words.split("\0");
    const wrong = linkFault(this.#newPath(path), target);
    if (wrong) throw fault(`The packages install a link that ${wrong}: ${shown(path)} → ${shown(target)}`);
    symlinkSync(target, join(this.#root, path));
    this.#entries.push({ path, kind: "l", target });
  }

  #closeFile(): void {
    const file = this.#file;
    this.#file = undefined;
    if (!file) return;
    closeSync(file.descriptor);
    const { path, kind, size, hash } = file;
    this.#entries.push({ path, kind, size, sha256: hash.digest("hex") });
  }

  #explain(error: NodeJS.ErrnoException): Error {
    if (error.code === "EEXIST") return fault("The packages install one path twice");
    if (error.code === "ENOSPC" || error.code === "EDQUOT")
      return new PlastronError("packages_failed", "There is no space left for the image on the host's disk", {
        hint: "`plastron runtime prune` removes what nobody uses.",
      });
    if (error instanceof RangeError || error instanceof TypeError) return fault("The build's result is not understood");
    return error;
  }
}

const decoder = new TextDecoder("utf-8", { fatal: true });
const text = (bytes: Uint8Array): string => decoder.decode(bytes);
const shown = (path: string): string => JSON.stringify(path.slice(0, 200));
const fault = (detail: string): PlastronError =>
  new PlastronError("packages_failed", detail, { hint: "An image is made of files, directories and links that stay inside." });
