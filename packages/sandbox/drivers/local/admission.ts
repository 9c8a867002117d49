import { PlastronError } from "@plastron/contracts";

interface Waiting {
  go(): void;
  refuse(error: Error): void;
}

/** A bound on how many runs are under way; past it they wait in line, past the line's bound they are refused. */
export class Admission {
  readonly #maxRunning: number;
  readonly #maxQueued: number;
  readonly #line: Waiting[] = [];
  running = 0;

  constructor(maxRunning: number, maxQueued: number) {
    this.#maxRunning = maxRunning;
    this.#maxQueued = maxQueued;
  }

  get queued(): number {
    return this.#line.length;
  }

  /** Resolves with the function that gives the place back. Rejects with `overloaded`, or when `signal` aborts in the line. */
  async enter(signal?: AbortSignal): Promise<() => void> {
    if (this.running >= this.#maxRunning) await this.#wait(signal);
    else this.running++;
    let left = false;
    return () => {
      if (left) return;
      left = true;
      const next = this.#line.shift();
      if (next) next.go(); /* the place is handed over, so `running` stays */
      else this.running--;
    };
  }

  close(): void {
    for (const waiting of this.#line.splice(0)) waiting.refuse(new PlastronError("agent_unavailable", "the agent is closing"));
  }

  #wait(signal?: AbortSignal): Promise<void> {
    if (this.#line.length >= this.#maxQueued) {
      throw new PlastronError("overloaded", `${this.running} runs are under way and ${this.#line.length} wait`, { retryAfterSeconds: 1 });
    }
    return new Promise((resolve, reject) => {
      const abort = () => {
        this.#line.splice(this.#line.indexOf(waiting), 1);
        reject(new PlastronError("conflict", "the run was cancelled while it waited"));
      };
      const waiting: Waiting = {
        go: () => {
          signal?.removeEventListener("abort", abort);
          resolve();
        },
        refuse: reject,
      };
      signal?.addEventListener("abort", abort, { once: true });
      this.#line.push(waiting);
    });
  }
}
