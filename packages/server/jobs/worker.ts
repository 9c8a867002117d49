/** Jobs that wait as rows. Each belongs to the server that claimed it, for as long as that one says so. */
export interface Jobs<Job, State> {
  claim(server: string): Promise<Job | undefined>;
  /** Says that the job is worked on. False where it is this server's no more. */
  working(id: string, server: string, state: State): Promise<boolean>;
  /** Puts back, or gives up, jobs whose server has been silent for so long. */
  recover(seconds: number, mostTries: number): Promise<unknown>;
  /** Puts back what this server was at. */
  release(server: string): Promise<void>;
}

/** A job as whoever does it has it in hand. The signal ends it: it was cancelled, or the server goes. */
export interface InHand<State> {
  readonly signal: AbortSignal;
  say(state: State): void;
}

export interface JobOptions {
  /** Jobs at once on this server. */
  readonly concurrency: number;
  /** Work of other servers, and what a killed one left, is found so soon. */
  readonly pollMs: number;
  /** How often a job says that it is worked on; one that is silent for six times as long is taken for lost. */
  readonly beatMs: number;
}

/** A job that took so many servers with it is not begun again. */
export const MOST_TRIES = 3;

/** Does jobs that wait in the database, a few at a time. Every server has one of a kind; a job whose server was killed is claimed again. */
export class JobWorker<Job extends { id: string }, State> {
  readonly #jobs: Jobs<Job, State>;
  readonly #perform: (job: Job, hand: InHand<State>) => Promise<void>;
  readonly #atFirst: State;
  readonly #server: string;
  readonly #options: JobOptions;
  readonly #onError: (error: Error) => void;
  readonly #running = new Map<string, AbortController>();
  readonly #timer: NodeJS.Timeout;
  #looking: Promise<void> | null = null;
  #again = false;
  #closed = false;

  constructor(parts: {
    jobs: Jobs<Job, State>;
    perform: (job: Job, hand: InHand<State>) => Promise<void>;
    /** What a job says of itself before it says anything. */
    atFirst: State;
    server: string;
    options: JobOptions;
    onError: (error: Error) => void;
  }) {
    this.#jobs = parts.jobs;
    this.#perform = parts.perform;
    this.#atFirst = parts.atFirst;
    this.#server = parts.server;
    this.#options = parts.options;
    this.#onError = parts.onError;
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

  /** Ends a job that runs here; what it was is in the store. */
  stop(id: string): void {
    this.#running.get(id)?.abort(new Error("cancelled"));
  }

  /** Ends what runs here and puts it back, for another server to do. */
  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#timer);
    for (const running of this.#running.values()) running.abort(new Error("the server is shutting down"));
    await this.#looking;
    await this.#jobs.release(this.#server);
  }

  async #look(): Promise<void> {
    await this.#jobs.recover((this.#options.beatMs * 6) / 1000, MOST_TRIES);
    while (!this.#closed && this.#running.size < this.#options.concurrency) {
      const job = await this.#jobs.claim(this.#server);
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
    let now = this.#atFirst;
    const beat = setInterval(() => {
      void this.#jobs.working(job.id, this.#server, now).then(
        (mine) => mine || controller.abort(new Error("cancelled")),
        (error: Error) => this.#onError(error),
      );
    }, this.#options.beatMs);
    try {
      await this.#perform(job, { signal: controller.signal, say: (state) => (now = state) });
    } finally {
      clearInterval(beat);
    }
  }
}
