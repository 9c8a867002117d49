/** More than `maxRequests` runs are in flight. */
export class TooManyRequests extends Error {}

/** Dify's two bounds: `maxWorkers` run at once, up to `maxRequests` are in flight, and what comes then is refused. */
export class DifyLimits {
  readonly #maxWorkers: number;
  readonly #maxRequests: number;
  readonly #waiting: (() => void)[] = [];
  #working = 0;

  constructor(maxWorkers: number, maxRequests: number) {
    this.#maxWorkers = maxWorkers;
    this.#maxRequests = maxRequests;
  }

  /** @throws TooManyRequests */
  async within<T>(work: () => Promise<T>): Promise<T> {
    if (this.#working + this.#waiting.length >= this.#maxRequests) throw new TooManyRequests();
    if (this.#working >= this.#maxWorkers) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#working++;
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#working--;
    }
  }
}
