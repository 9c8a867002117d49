import { availableParallelism } from "node:os";
import { type AnalyserName, PlastronError } from "@plastron/contracts";
import { findIsolation } from "./isolation.ts";
import { pathsOf, type WorkerLimits, WorkerProcess } from "./process.ts";
import type { WorkerSetup } from "./protocol.ts";

export type Versions = Readonly<Partial<Record<AnalyserName, string>>>;

/** How long analysers may take to load: parsers, rules and advisories from a cold disk. */
const START_MS = 60_000;

/** Nothing can be looked at: a rule cannot be read, a library is missing. */
function notStarted(why: string): PlastronError {
  return new PlastronError("start_failed", `the analysers did not start: ${why}`, {
    hint: "The detail names what could not be read or loaded; `plastron rules test` checks rules.",
  });
}

/** Worker processes with their analysers loaded. What is idle is used again; `close` ends all, also those at work. */
export class WorkerPool {
  readonly size: number;
  readonly #setup: WorkerSetup;
  readonly #limits: WorkerLimits;
  readonly #idle: WorkerProcess[] = [];
  readonly #all = new Set<WorkerProcess>();
  #versions: Versions | null = null;
  #missing: readonly string[] = [];

  constructor(setup: WorkerSetup, limits: WorkerLimits, size = availableParallelism()) {
    this.#setup = setup;
    this.#limits = limits;
    this.size = size;
  }

  /** What each analyser calls itself; starts so many workers where none has said so yet. */
  async versions(workers: number): Promise<Versions> {
    if (this.#versions === null) {
      const started = await Promise.allSettled(Array.from({ length: Math.min(workers, this.size) }, () => this.acquire()));
      for (const one of started) if (one.status === "fulfilled") this.release(one.value);
      for (const one of started) if (one.status === "rejected") throw one.reason;
    }
    return this.#versions as unknown as Versions;
  }

  /** What of a worker's isolation this machine does not give. */
  get missing(): readonly string[] {
    return this.#missing;
  }

  async acquire(): Promise<WorkerProcess> {
    for (let idle = this.#idle.pop(); idle; idle = this.#idle.pop()) if (!idle.over) return idle;
    const isolation = await findIsolation(pathsOf(this.#setup));
    this.#missing = isolation.missing;
    const worker = new WorkerProcess(isolation, this.#setup, this.#limits);
    this.#all.add(worker);
    const event = await worker.next(START_MS);
    if (event.type === "answer" && event.answer.type === "ready") {
      this.#versions = event.answer.versions;
      return worker;
    }
    await this.#drop(worker);
    const why =
      event.type === "silent"
        ? `not ready within ${START_MS / 1000} s`
        : event.type === "ended"
          ? event.how
          : event.answer.type === "broken"
            ? event.answer.detail
            : "not ready";
    throw notStarted(why);
  }

  release(worker: WorkerProcess): void {
    this.#idle.push(worker);
  }

  async #drop(worker: WorkerProcess): Promise<void> {
    await worker.kill();
    this.#all.delete(worker);
  }

  async close(): Promise<void> {
    await Promise.all([...this.#all].map((worker) => this.#drop(worker)));
    this.#idle.length = 0;
  }
}
