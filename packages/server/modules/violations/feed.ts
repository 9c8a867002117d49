import { setTimeout as sleep } from "node:timers/promises";
import { PlastronError } from "@plastron/contracts";
import type { ViolationFilter } from "./filter.ts";
import type { Batch, Position } from "./store.ts";

/** Who reads: what it takes at once may be slow, and the feed waits for it. */
export interface Follower {
  tenant: string;
  filter: ViolationFilter;
  /** The last that it has; undefined: it wants what comes from now on. */
  from: Position | undefined;
  signal: AbortSignal;
  /** False: it does not read any more. */
  take(violations: Batch["violations"]): Promise<boolean>;
  /** Throws where it may not read any more: its key was revoked. */
  stillAllowed(): Promise<unknown>;
}

export interface FeedSource {
  end(): Promise<Position>;
  after(tenant: string, filter: ViolationFilter, from: Position, limit: number): Promise<Batch>;
}

export interface FeedOptions {
  /** Violations that other servers record are found so soon. */
  pollMs: number;
  /** Several commits in a row are one look. */
  gatherMs: number;
  checkMs: number;
  /** Listeners of one tenant, and of all. Each asks the database whenever something was recorded. */
  mostOfTenant: number;
  most: number;
}
export const FEED_OPTIONS: FeedOptions = { pollMs: 1_000, gatherMs: 50, checkMs: 30_000, mostOfTenant: 8, most: 64 };

const BATCH = 200;

/**
 * Violations as they are recorded, to whoever listens. Nothing is kept for a listener but its place: it reads the events from there,
 * a batch at a time, and not before it has taken the one before. So a slow one costs a batch, and one that comes back after a
 * break, or to another server, misses nothing and gets nothing twice.
 */
export class ViolationFeed {
  readonly #source: FeedSource;
  readonly #options: FeedOptions;
  readonly #tenants = new Map<string, number>();
  readonly #closing = new AbortController();
  #wake = Promise.withResolvers<void>();
  #listeners = 0;

  constructor(source: FeedSource, options: Partial<FeedOptions> = {}) {
    this.#source = source;
    this.#options = { ...FEED_OPTIONS, ...options };
  }

  get listeners(): number {
    return this.#listeners;
  }

  /** Something was recorded here. */
  wake(): void {
    if (this.#listeners === 0) return;
    this.#wake.resolve();
    this.#wake = Promise.withResolvers();
  }

  /**
   * Resolves when the follower leaves or the feed is closed. @throws PlastronError rate_limited where too many listen, before anything
   * is taken; unauthorized
   */
  async follow(follower: Follower): Promise<void> {
    this.#enter(follower.tenant);
    try {
      await this.#serve(follower, AbortSignal.any([follower.signal, this.#closing.signal]));
    } finally {
      this.#leave(follower.tenant);
    }
  }

  /** Ends every listener. */
  close(): void {
    this.#closing.abort();
  }

  async #serve(follower: Follower, stop: AbortSignal): Promise<void> {
    let position = follower.from ?? (await this.#source.end());
    if (!(await follower.take([]))) return;
    for (let checked = Date.now(); !stop.aborted; ) {
      const woken = this.#wake.promise;
      const { violations, next } = await this.#source.after(follower.tenant, follower.filter, position, BATCH);
      if (violations.length > 0 && !(await follower.take(violations))) return;
      position = next;
      if (Date.now() - checked > this.#options.checkMs) {
        await follower.stillAllowed();
        checked = Date.now();
      }
      if (violations.length < BATCH) await this.#pause(woken, stop);
    }
  }

  async #pause(woken: Promise<void>, stop: AbortSignal): Promise<void> {
    const ended = new AbortController();
    const signal = AbortSignal.any([stop, ended.signal]);
    await Promise.race([woken, sleep(this.#options.pollMs, undefined, { signal }).catch(() => {})]);
    ended.abort();
    await sleep(this.#options.gatherMs, undefined, { signal: stop }).catch(() => {});
  }

  #enter(tenant: string): void {
    const mine = this.#tenants.get(tenant) ?? 0;
    if (mine >= this.#options.mostOfTenant || this.#listeners >= this.#options.most) {
      throw new PlastronError("overloaded", `${mine} streams of violations are open, and ${this.#listeners} in all: there is no room for another`, {
        hint: "Close one, or read GET /v1/violations now and then.",
        retryAfterSeconds: 10,
      });
    }
    this.#tenants.set(tenant, mine + 1);
    this.#listeners++;
  }

  #leave(tenant: string): void {
    const left = (this.#tenants.get(tenant) ?? 1) - 1;
    if (left === 0) this.#tenants.delete(tenant);
    else this.#tenants.set(tenant, left);
    this.#listeners--;
  }
}
