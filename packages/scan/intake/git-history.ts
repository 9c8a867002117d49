import { createHash } from "node:crypto";
import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileKey } from "../analyser.ts";
import { HISTORY_ARGUMENTS, HistoryParser, type HistoryPiece, ofHistory } from "../secrets/history.ts";
import { type Artifact, type ArtifactFile, ChangedError, type IntakeGap } from "./artifact.ts";
import { classify } from "./classify.ts";
import { type GitOptions, startGit } from "./git-command.ts";

/** How much of a history is read; the newest commits count, and what lies before them is a gap. */
export interface HistoryLimits {
  readonly commits: number;
  readonly bytes: number;
  readonly pieces: number;
  readonly ms: number;
}
export const HISTORY_LIMITS: HistoryLimits = { commits: 20_000, bytes: 512 * 2 ** 20, pieces: 200_000, ms: 300_000 };

/** What commits added, as files that lie in `commit:SHA`: for the analyser of secrets alone (`ofHistory`). */
export interface History {
  readonly files: readonly ArtifactFile[];
  readonly gaps: readonly IntakeGap[];
  read(file: ArtifactFile): Promise<Uint8Array>;
  close(): void;
}

/** All commits of all branches. */
const ALL: readonly string[] = ["--all"];

/** What to read of a history: which commits, in the words of `git log` (hashes, or our own constants), and how much. */
export interface HistoryReading {
  readonly commits?: readonly string[];
  readonly limits?: Partial<HistoryLimits>;
}

/**
 * Reads what these commits added, without more words all of all branches. The same lines added again (a file that moved, a branch that was merged) are one piece: the first.
 * Never fails: what cannot be read, or is beyond a limit, is a gap that matters.
 */
export async function openHistory(options: GitOptions, reading: HistoryReading = {}): Promise<History> {
  const store = new Pieces({ ...HISTORY_LIMITS, ...reading.limits });
  const { commits, bytes, ms } = store.limits;
  const child = startGit(options, [...HISTORY_ARGUMENTS, `--max-count=${commits + 1}`, ...(reading.commits ?? ALL), "--"]);
  const parser = new HistoryParser((piece) => store.take(piece));
  let [size, trouble, late] = [0, "", false];
  const timer = setTimeout(() => {
    late = true;
    child.kill("SIGKILL");
  }, ms);
  child.stdin.on("error", () => {});
  child.stdin.end();
  child.stderr.on("data", (chunk: Buffer) => {
    trouble = (trouble + chunk.toString("utf8")).slice(0, 4000);
  });
  const ended = new Promise<number | null>((resolve) => {
    child.on("error", (error) => {
      trouble = error.message;
      resolve(null);
    });
    child.on("close", resolve);
  });
  for await (const chunk of child.stdout as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > bytes || store.full) child.kill("SIGKILL");
    else parser.feed(chunk);
  }
  const code = await ended;
  clearTimeout(timer);
  options.signal?.throwIfAborted();
  parser.end();
  if (late) store.gap("timeout", `the history took longer than ${ms} ms to read: what follows was not looked at`);
  else if (size > bytes || store.full)
    store.gap("too_large", `more than ${bytes} bytes or ${store.limits.pieces} pieces of history: what follows was not looked at`);
  else if (code !== 0) store.gap("unreadable", `git log: ${trouble.trim().split("\n").at(-1) || `ended with ${code}`}`);
  if (parser.commits > commits) store.gap("depth", `more than ${commits} commits: only the newest were looked at`);
  return store.history();
}

/** An artifact, and beside its files what the history of its repository added. */
export async function withHistory(artifact: Artifact, options: GitOptions, reading: HistoryReading = {}): Promise<Artifact> {
  const history = await openHistory(options, reading);
  return {
    ...artifact,
    files: [...artifact.files, ...history.files].sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0)),
    gaps: [...artifact.gaps, ...history.gaps],
    notes: [...artifact.notes, `${history.files.length} pieces of history were looked at for secrets`],
    read: (file) => (ofHistory(file) ? history.read(file) : artifact.read(file)),
    close: async () => {
      history.close();
      await artifact.close();
    },
  };
}

/** Pieces in a file that has no name any more: a history may be larger than this process's memory. */
class Pieces {
  readonly limits: HistoryLimits;
  readonly #fd: number;
  readonly #files: ArtifactFile[] = [];
  readonly #places = new Map<string, { at: number; length: number }>();
  readonly #seen = new Set<string>();
  readonly #gaps: IntakeGap[] = [];
  #end = 0;

  constructor(limits: HistoryLimits) {
    this.limits = limits;
    const directory = mkdtempSync(join(tmpdir(), "plastron-history-"));
    this.#fd = openSync(join(directory, "pieces"), "wx+", 0o600);
    rmSync(directory, { recursive: true });
  }

  get full(): boolean {
    return this.#files.length >= this.limits.pieces;
  }

  take({ commit, path, bytes }: HistoryPiece): void {
    const said = createHash("sha256").update(bytes.toString("latin1").trim()).digest("base64");
    if (this.full || this.#seen.has(said)) return;
    this.#seen.add(said);
    const head = { path, layers: [`commit:${commit}`], executable: false, size: bytes.length, ...classify(path, bytes) };
    const key = fileKey(head);
    if (this.#places.has(key)) return;
    this.#files.push({ ...head, key, sha256: createHash("sha256").update(bytes).digest("hex"), archive: null });
    this.#places.set(key, { at: this.#end, length: bytes.length });
    for (let done = 0; done < bytes.length; ) done += writeSync(this.#fd, bytes, done, bytes.length - done, this.#end + done);
    this.#end += bytes.length;
  }

  gap(reason: string, detail: string): void {
    this.#gaps.push({ kind: "degraded", path: ".git", reason, detail, matters: true });
  }

  history(): History {
    return {
      files: this.#files,
      gaps: this.#gaps,
      read: async ({ key }) => this.#read(key),
      close: () => closeSync(this.#fd),
    };
  }

  #read(key: string): Buffer {
    const place = this.#places.get(key);
    if (place === undefined) throw new ChangedError(`${key} is no piece of this history`);
    const bytes = Buffer.allocUnsafe(place.length);
    for (let done = 0; done < place.length; ) {
      const got = readSync(this.#fd, bytes, done, place.length - done, place.at + done);
      if (got === 0) throw new ChangedError("the file of pieces is shorter than it was");
      done += got;
    }
    return bytes;
  }
}
