import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { PlastronError } from "@plastron/contracts";
import type { Principal } from "../auth/principal.ts";
import type { IdempotencyStore } from "./store.ts";

/** What of a request decides whether it is the same one. */
export interface Repeatable {
  headers: Record<string, string | string[] | undefined>;
  principal: Principal;
  routeOptions: { url?: string };
  params: unknown;
  body: unknown;
}

/** `kept` is what a repetition gets, where it must not get the same. */
export interface Answer<T> {
  status: number;
  body: T;
  kept?: T;
}

/**
 * `Idempotency-Key` on requests that create (draft-ietf-httpapi-idempotency-key-header): the same key with the same request gets the
 * first one's answer for 24 hours and nothing is done twice; with another request it is refused. Keys are each tenant's own.
 *
 * A request that was refused is not remembered: it did nothing, and may be right the next time.
 */
export class Idempotency {
  readonly #store: IdempotencyStore;
  readonly #server: string;
  readonly #inProgress = new Map<string, Promise<Answer<unknown>>>();

  constructor(store: IdempotencyStore, server: string) {
    this.#store = store;
    this.#server = server;
  }

  /** The key of a request. @throws PlastronError invalid_request */
  static keyOf(request: Pick<Repeatable, "headers">): string | undefined {
    const key = request.headers["idempotency-key"];
    if (key === undefined) return undefined;
    if (typeof key !== "string" || !/^[\x21-\x7e]{1,255}$/.test(key)) {
      throw new PlastronError("invalid_request", "Idempotency-Key must be 1 to 255 printable ASCII characters");
    }
    return key;
  }

  /**
   * Does `work` unless it was done.
   * @throws PlastronError conflict where the key belongs to another request, or the first was interrupted by a crash
   */
  async once<T>(request: Repeatable, work: () => Promise<Answer<T>>): Promise<Answer<T>> {
    const key = Idempotency.keyOf(request);
    if (key === undefined) return work();
    const tenant = request.principal.tenant;
    const sha256 = digest(request);
    if (await this.#store.claim(tenant, key, sha256, this.#server)) return this.#first(tenant, key, work);
    const row = await this.#store.find(tenant, key);
    if (row === undefined) return this.once(request, work); // it was released just now
    if (row.request_sha256 !== sha256)
      throw new PlastronError("conflict", "This Idempotency-Key was used for another request", { hint: "Use a new key for a new request." });
    if (row.status !== null && row.answer !== null) return { status: row.status, body: JSON.parse(row.answer) as T };
    const running = await this.#running(`${tenant} ${key}`);
    if (running) return running.answer as Promise<Answer<T>>;
    throw new PlastronError("conflict", "The first request with this Idempotency-Key is in progress on another server, or was interrupted by a crash", {
      hint: "List the runs to see what became of it; use a new key to do it again.",
      retryAfterSeconds: 2,
    });
  }

  /** The first request, which may have claimed the key a moment before it could note that here. */
  async #running(name: string): Promise<{ answer: Promise<Answer<unknown>> } | undefined> {
    if (!this.#inProgress.has(name)) await sleep(25);
    const answer = this.#inProgress.get(name);
    return answer && { answer };
  }

  async #first<T>(tenant: string, key: string, work: () => Promise<Answer<T>>): Promise<Answer<T>> {
    const promise = work();
    const name = `${tenant} ${key}`;
    this.#inProgress.set(name, promise);
    try {
      const answer = await promise;
      await this.#store.complete(tenant, key, answer.status, JSON.stringify(answer.kept ?? answer.body));
      return answer;
    } catch (error) {
      await this.#store.release(tenant, key);
      throw error;
    } finally {
      this.#inProgress.delete(name);
    }
  }
}

function digest(request: Repeatable): string {
  const whole = JSON.stringify([request.routeOptions.url ?? "", request.params ?? null, request.body ?? null]);
  return createHash("sha256").update(whole).digest("hex");
}
