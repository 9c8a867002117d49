import type { Principal } from "./principal.ts";

interface Entry {
  principal: Principal;
  checkedAt: number;
}

/**
 * Keys that passed argon2id once, by the fingerprint of the token: argon2id costs 20 ms and 19 MiB by design, a request may cost
 * microseconds. Looking a sha256 up in a Map tells a guesser nothing: nobody can walk towards a digest.
 *
 * A revoked key is forgotten at once by this server, and within `freshMs` by any other one on the same database.
 */
export class VerifiedKeys {
  readonly #entries = new Map<string, Entry>();
  readonly #freshMs: number;
  readonly #most: number;
  constructor(freshMs = 30_000, most = 10_000) {
    this.#freshMs = freshMs;
    this.#most = most;
  }

  /** `stale` means that the database must say whether the key is still valid. */
  get(fingerprint: string, now: number): { principal: Principal; stale: boolean } | undefined {
    const entry = this.#entries.get(fingerprint);
    return entry && { principal: entry.principal, stale: now - entry.checkedAt > this.#freshMs };
  }

  put(fingerprint: string, principal: Principal, now: number): void {
    if (this.#entries.size >= this.#most) this.#entries.delete(this.#entries.keys().next().value as string);
    this.#entries.set(fingerprint, { principal, checkedAt: now });
  }

  forget(keyId: string): void {
    for (const [fingerprint, entry] of this.#entries) if (entry.principal.key === keyId) this.#entries.delete(fingerprint);
  }
}
