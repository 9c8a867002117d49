import { PlastronError } from "@plastron/contracts";

/**
 * Bounds what guessing keys can cost: each guess that reaches argon2id takes 20 ms of a core. Keys that are already verified never
 * come here, so a flood of bad ones does not lock out who is working.
 */
export class FailedAttempts {
  readonly #byAddress = new Map<string, { count: number; since: number }>();
  readonly #most: number;
  readonly #windowMs: number;
  #verifying = 0;

  constructor(most = 30, windowMs = 60_000) {
    this.#most = most;
    this.#windowMs = windowMs;
  }

  /** Runs one costly check. @throws PlastronError rate_limited */
  async guard(address: string, check: () => Promise<boolean>, now: number = Date.now()): Promise<boolean> {
    const entry = this.#entry(address, now);
    const wait = entry.count >= this.#most ? Math.ceil((entry.since + this.#windowMs - now) / 1000) : this.#verifying >= 16 ? 1 : 0;
    if (wait > 0) throw new PlastronError("rate_limited", "Too many wrong keys came from this address", { retryAfterSeconds: wait });
    this.#verifying++;
    try {
      const passed = await check();
      if (!passed) entry.count++;
      return passed;
    } finally {
      this.#verifying--;
    }
  }

  #entry(address: string, now: number): { count: number; since: number } {
    const known = this.#byAddress.get(address);
    if (known && now - known.since < this.#windowMs) return known;
    if (this.#byAddress.size > 10_000) this.#byAddress.clear();
    const entry = { count: 0, since: now };
    this.#byAddress.set(address, entry);
    return entry;
  }
}
