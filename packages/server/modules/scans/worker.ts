import { type ScanProgress, type ScanResult, toProblem } from "@plastron/contracts";
import type { Artifact, OnProgress, ScanOptions } from "@plastron/scan";
import type { Job, ScanStore } from "./store.ts";

/** What does the work; packages/scan, or a test's own. */
export type Scanner = (artifact: Artifact, options: ScanOptions, onProgress: OnProgress, signal: AbortSignal) => Promise<ScanResult>;

export interface WorkerOptions {
  /** Scans at once on this server. */
  concurrency: number;
  /** Work of other servers, and what a killed one left, is found so soon. */
  pollMs: number;
  /** How often a scan says that it is worked on; one that is silent for six times as long is taken for lost. */
  beatMs: number;
  scan: ScanOptions;
}

const MOST_TRIES = 3;

/**
 * Does the scans that wait in the database, a few at a time. Every server has one; a scan belongs to who claimed it, for as long as it
 * says so. One whose server was killed is claimed again.
 */
export class ScanWorker {
  readonly #store: ScanStore;
  readonly #open: (tenant: string, digest: string) => Promise<Artifact | undefined>;
  readonly #scanner: Scanner;
  readonly #server: string;
  readonly #options: WorkerOptions;
  readonly #onError: (error: Error) => void;
  readonly #onDone: (job: Job, result: ScanResult) => Promise<void>;
  readonly #running = new Map<string, AbortController>();
  readonly #timer: NodeJS.Timeout;
  #looking: Promise<void> | null = null;
  #again = false;
  #closed = false;

  constructor(parts: {
    store: ScanStore;
    open: (tenant: string, digest: string) => Promise<Artifact | undefined>;
    scanner: Scanner;
    server: string;
    options: WorkerOptions;
    onError: (error: Error) => void;
    onDone?: (job: Job, result: ScanResult) => Promise<void>;
  }) {
    this.#store = parts.store;
    this.#open = parts.open;
    this.#scanner = parts.scanner;
    this.#server = parts.server;
    this.#options = parts.options;
    this.#onError = parts.onError;
    this.#onDone = parts.onDone ?? (async () => {});
    this.#timer = setInterval(() => this.wake(), parts.options.pollMs);
    this.#timer.unref();
    this.wake();
  }

  get running(): number {
    return this.#running.size;
  }

  /** Something waits: look now. */
  wake(): void {
    if (this.#closed) return;
    if (this.#looking) {
      this.#again = true;
      return;
    }
    this.#looking = this.#look()
      .catch((error: Error) => this.#onError(error))
      .finally(() => {
        this.#looking = null;
        if (this.#again && !this.#closed) {
          this.#again = false;
          this.wake();
        }
      });
  }

  /** Ends a scan that runs here; what it was is in the store. */
  stop(id: string): void {
    this.#running.get(id)?.abort(new Error("cancelled"));
  }

  /** Ends what runs here and puts it back, for another server to do. */
  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#timer);
    for (const running of this.#running.values()) running.abort(new Error("the server is shutting down"));
    await this.#looking;
    await this.#store.release(this.#server);
  }

  async #look(): Promise<void> {
    await this.#store.recover((this.#options.beatMs * 6) / 1000, MOST_TRIES);
    while (!this.#closed && this.#running.size < this.#options.concurrency) {
      const job = await this.#store.claim(this.#server);
      if (!job) return;
      const controller = new AbortController();
      this.#running.set(job.id, controller);
      void this.#do(job, controller)
        .catch((error: Error) => this.#onError(error))
        .finally(() => {
          this.#running.delete(job.id);
          this.wake();
        });
    }
  }

  async #do(job: Job, controller: AbortController): Promise<void> {
    let now: ScanProgress = { phase: "intake", done: 0, total: 0, bytes: 0, findings: 0, current: "" };
    const beat = setInterval(() => {
      void this.#store.working(job.id, this.#server, now).then(
        (mine) => mine || controller.abort(new Error("cancelled")),
        (error: Error) => this.#onError(error),
      );
    }, this.#options.beatMs);
    try {
      const artifact = await this.#open(job.tenant, job.artifact);
      if (!artifact) throw new Error("the artifact is gone");
      const options = { ...this.#options.scan, analysers: job.analysers };
      const result = await this.#scanner(artifact, options, (progress) => (now = progress), controller.signal);
      if (await this.#store.finish(job, this.#server, result)) await this.#onDone(job, result);
    } catch (error) {
      if (controller.signal.aborted) return; // cancelled, or given back
      const { code, detail } = toProblem(error);
      await this.#store.fail(job, this.#server, { code, detail });
      this.#onError(error as Error);
    } finally {
      clearInterval(beat);
    }
  }
}
