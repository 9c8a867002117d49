import { PlastronError } from "@plastron/contracts";
import type { Box } from "./box.ts";

const REFILL_DELAY_MS = 10;

/** Where a pool's boxes come from: a launcher of their own each, or a zygote. */
export interface BoxSource {
  readonly kind: "process" | "zygote";
  /** A box that is ready for its program. Rejects with the step that failed. */
  start(): Promise<Box>;
}

export interface PoolSettings {
  /** Boxes held even when nothing is asked. */
  min: number;
  max: number;
  /** A ready box older than this is replaced: what it was made from may have changed. */
  maxAgeMs: number;
}

interface Waiter {
  resolve(box: Box): void;
  reject(error: Error): void;
}

/** Takes in the last seconds, from which the wanted size follows. */
export class Rate {
  #count = 0;
  #since: number;
  #value = 0;
  constructor(now: number) {
    this.#since = now;
  }
  get value(): number {
    return this.#value;
  }
  add(): void {
    this.#count++;
  }
  /** Takes a second, smoothed over windows of half a second. Call it regularly. */
  update(now: number): number {
    const seconds = (now - this.#since) / 1000;
    if (seconds >= 0.5) {
      this.#value = this.#value * 0.5 + (this.#count / seconds) * 0.5;
      if (this.#value < 0.05) this.#value = 0;
      this.#count = 0;
      this.#since = now;
    }
    return this.#value;
  }
}

/**
 * Ready sandboxes of one kind. A take never waits for a start when a box is ready, and each take is followed by a refill.
 * One box is given out once and never comes back.
 */
export class Pool {
  readonly source: BoxSource;
  readonly rate: Rate;
  hits = 0;
  misses = 0;
  lastTake: number;
  readonly #settings: PoolSettings;
  readonly #starts: StartGate;
  readonly #ready: Box[] = [];
  readonly #starting = new Set<Promise<Box>>();
  readonly #waiters: Waiter[] = [];
  #queued = 0;
  #startMs = 30;
  #target: number;
  #closed = false;
  #later: NodeJS.Timeout | undefined;

  constructor(source: BoxSource, settings: PoolSettings, starts: StartGate, now: number = performance.now()) {
    this.source = source;
    this.#settings = settings;
    this.#starts = starts;
    this.rate = new Rate(now);
    this.#target = settings.min;
    this.lastTake = now;
    this.refill();
  }

  /** What a start takes here, smoothed. */
  get startMs(): number {
    return this.#startMs;
  }
  get ready(): number {
    return this.#ready.length;
  }
  get starting(): number {
    return this.#starting.size + this.#queued;
  }
  get target(): number {
    return this.#target;
  }

  /** A ready box, at once when there is one, else the next that becomes ready. `cold` tells which. */
  async take(): Promise<{ box: Box; cold: boolean }> {
    if (this.#closed) throw new PlastronError("sandbox_failed", "the pool is closed");
    this.lastTake = performance.now();
    this.rate.add();
    const box = this.#ready.shift();
    if (box) {
      this.hits++;
      if (this.#ready.length === 0) setImmediate(() => this.refill());
      else this.#refillLater();
      return { box, cold: false };
    }
    this.misses++;
    const waiting = new Promise<Box>((resolve, reject) => this.#waiters.push({ resolve, reject }));
    this.refill();
    return { box: await waiting, cold: true };
  }

  /** A start takes the cores from the program that was just given out: as long as other boxes are ready, it can wait for a short one's end. */
  #refillLater(): void {
    this.#later ??= setTimeout(() => {
      this.#later = undefined;
      this.refill();
    }, REFILL_DELAY_MS);
  }

  /** Starts what is missing: one for each waiter, and up to the target. */
  refill(): void {
    if (this.#closed) return;
    const wanted = this.#waiters.length + Math.max(0, this.#target - this.#ready.length);
    while (this.starting < wanted) {
      this.#queued++;
      this.#starts.enter((leave) => {
        this.#queued--;
        if (this.#closed) return leave();
        this.#startOne(leave);
      });
    }
  }

  /** Sets the size from the measured rate, ages boxes out, shrinks when idle. Call about twice a second. */
  tend(now: number): void {
    const rate = this.rate.update(now);
    const wanted = Math.ceil(((rate * (this.#startMs + REFILL_DELAY_MS)) / 1000) * 2) + (rate > 1 ? 2 : 0);
    this.#target = Math.min(this.#settings.max, Math.max(this.#settings.min, wanted));
    while (this.#ready.length > this.#target) this.#ready.pop()?.destroy();
    for (let i = this.#ready.length - 1; i >= 0; i--) {
      if (now - (this.#ready[i] as Box).bornAt > this.#settings.maxAgeMs) this.#ready.splice(i, 1)[0]?.destroy();
    }
    this.refill();
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#later);
    for (const waiter of this.#waiters.splice(0)) waiter.reject(new PlastronError("sandbox_failed", "the pool was closed"));
    const started = await Promise.allSettled(this.#starting);
    const boxes = [...this.#ready.splice(0), ...started.flatMap((start) => (start.status === "fulfilled" ? [start.value] : []))];
    for (const box of boxes) box.destroy();
    await Promise.all(boxes.map((box) => box.gone));
  }

  #startOne(leave: () => void): void {
    const begun = performance.now();
    const start = this.source.start();
    this.#starting.add(start);
    /* Counted out before it is counted in as ready: a take in between would else see one start too many, and refill too little. */
    const settled = () => {
      this.#starting.delete(start);
      leave();
    };
    start.then(
      (box) => {
        settled();
        this.#onReady(box, performance.now() - begun);
      },
      (error: Error) => {
        settled();
        this.#failed(error);
      },
    );
  }

  #onReady(box: Box, ms: number): void {
    this.#startMs = this.#startMs * 0.8 + ms * 0.2;
    if (this.#closed) {
      box.destroy();
      return;
    }
    void box.gone.then(() => this.#forget(box));
    const waiter = this.#waiters.shift();
    if (waiter) waiter.resolve(box);
    else this.#ready.push(box);
  }

  /** A start that failed fails one waiter, by name, and does not spin: without waiters the next try waits for `tend`. */
  #failed(error: Error): void {
    this.#waiters.shift()?.reject(error);
    if (this.#waiters.length > 0) queueMicrotask(() => this.refill());
  }

  #forget(box: Box): void {
    const at = this.#ready.indexOf(box);
    if (at >= 0) {
      this.#ready.splice(at, 1);
      this.refill();
    }
  }
}

/** Bounds how many sandboxes are being made at once, in order of asking: more than there are cores only slows all of them. */
export class StartGate {
  readonly #width: number;
  readonly #queue: ((leave: () => void) => void)[] = [];
  #inside = 0;
  constructor(width: number) {
    this.#width = width;
  }
  enter(work: (leave: () => void) => void): void {
    this.#queue.push(work);
    this.#next();
  }
  #next(): void {
    while (this.#inside < this.#width) {
      const work = this.#queue.shift();
      if (!work) return;
      this.#inside++;
      let left = false;
      work(() => {
        if (left) return;
        left = true;
        this.#inside--;
        this.#next();
      });
    }
  }
}
