import type { AnalyserName } from "@plastron/contracts";
import type { LookGap } from "../analyser.ts";
import type { ArtifactFile } from "../intake/artifact.ts";
import { listen, type Outcome } from "./listen.ts";
import type { WorkerProcess } from "./process.ts";
import type { Arrived } from "./protocol.ts";

/** A file and who is to look at it. */
export interface Task {
  readonly file: ArtifactFile;
  readonly analysers: readonly AnalyserName[];
}

export interface LaneHost {
  /** The next piece of work, or null where there is no more. */
  next(): Task | null;
  start(): Promise<WorkerProcess>;
  /** Takes a worker back that is idle and well. */
  release(worker: WorkerProcess): void;
  /** Null where its bytes are not to be had; that was said. */
  read(file: ArtifactFile): Promise<Uint8Array | null>;
  looked(file: ArtifactFile, analyser: AnalyserName, look: Arrived): void;
  failed(file: ArtifactFile, analyser: AnalyserName, gap: LookGap): void;
  done(file: ArtifactFile): void;
  /** How long one look at this file may take. */
  timeoutMs(file: ArtifactFile): number;
  readonly signal?: AbortSignal | undefined;
}

interface Sent {
  readonly task: Task;
  readonly left: Set<AnalyserName>;
  readonly bytes: number;
}

/** What is on its way to a worker: enough that it never waits for the parent, little enough that memory stays small. */
const WINDOW = { files: 16, bytes: 4 * 2 ** 20 };

/**
 * Feeds one worker until there is no more work. A worker that dies or falls silent costs the look that it was in. A death is tried once more, alone in a new
 * process, since a process may die of what an earlier file left behind; a silence is not.
 */
export class Lane {
  readonly #host: LaneHost;
  readonly #sent: Sent[] = [];
  readonly #again: Task[] = [];
  /** Tasks in which a worker died once. */
  readonly #suspects = new Set<Task>();
  #worker: WorkerProcess | null = null;
  #drained = false;

  constructor(host: LaneHost) {
    this.#host = host;
  }

  async run(): Promise<void> {
    try {
      do {
        this.#host.signal?.throwIfAborted();
        await this.#fill();
        if (this.#sent.length > 0) await this.#hear();
      } while (this.#sent.length > 0 || this.#again.length > 0 || !this.#drained);
    } finally {
      await this.#leave();
    }
  }

  async #leave(): Promise<void> {
    const worker = this.#worker;
    if (worker && this.#sent.length === 0 && !worker.over) this.#host.release(worker);
    else await worker?.kill();
  }

  async #fill(): Promise<void> {
    while (this.#hasRoom()) {
      const task = this.#again.shift() ?? this.#fresh();
      if (!task) return;
      const bytes = await this.#host.read(task.file);
      if (bytes === null) this.#host.done(task.file);
      else await this.#send(task, bytes);
    }
  }

  /** A suspect goes alone: nothing before it, nothing behind it. */
  #hasRoom(): boolean {
    const first = this.#sent[0];
    if (!first) return true;
    const next = this.#again[0];
    if (this.#suspects.has(first.task) || (next && this.#suspects.has(next))) return false;
    return this.#sent.length < WINDOW.files && this.#sent.reduce((sum, { bytes }) => sum + bytes, 0) < WINDOW.bytes;
  }

  #fresh(): Task | null {
    const task = this.#drained ? null : this.#host.next();
    this.#drained = task === null;
    return task;
  }

  async #send(task: Task, bytes: Uint8Array): Promise<void> {
    if (!this.#worker || this.#worker.over || this.#suspects.has(task)) {
      await this.#worker?.kill();
      this.#worker = await this.#host.start();
    }
    this.#sent.push({ task, left: new Set(task.analysers), bytes: bytes.length });
    const { path, layers, sha256, language, encoding, executable, sealed } = task.file;
    await this.#worker.send(
      { type: "file", file: { path, layers, sha256, language, encoding, executable, ...(sealed ? { sealed } : {}) }, analysers: task.analysers },
      bytes,
    );
  }

  /** Hears out the first file that was sent. */
  async #hear(): Promise<void> {
    const first = this.#sent[0] as Sent;
    const outcome = await listen(
      this.#worker as WorkerProcess,
      this.#host.timeoutMs(first.task.file),
      (analyser, look) => {
        first.left.delete(analyser);
        this.#host.looked(first.task.file, analyser, look);
      },
      this.#host.signal,
    );
    if (outcome.type === "done") this.#finish(first);
    else await this.#recover(first, outcome);
  }

  #finish(first: Sent): void {
    this.#sent.shift();
    this.#host.done(first.task.file);
  }

  async #recover(first: Sent, outcome: Exclude<Outcome, { type: "done" }>): Promise<void> {
    await this.#worker?.kill();
    const behind = this.#sent.splice(0).slice(1);
    this.#again.unshift(...behind.map(({ task, left }) => ({ ...task, analysers: [...left] })));
    const retry = outcome.type === "died" && !this.#suspects.has(first.task);
    const guilty = retry ? [] : outcome.analyser === null ? [...first.left] : [outcome.analyser];
    for (const analyser of guilty) {
      first.left.delete(analyser);
      this.#host.failed(first.task.file, analyser, outcome.gap);
    }
    if (first.left.size === 0) return this.#host.done(first.task.file);
    const rest: Task = { ...first.task, analysers: [...first.left] };
    if (retry) this.#suspects.add(rest);
    this.#again.unshift(rest);
  }
}
