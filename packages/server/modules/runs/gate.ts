import { PlastronError } from "@plastron/contracts";

export interface GateLimits {
  /** Runs that may be with the agent at once. */
  running: number;
  /** Runs that may be running or waiting, in all. */
  inFlight: number;
  /** The same for one tenant, so that one cannot fill the queue of all. */
  tenantInFlight: number;
}

/**
 * Bounds how much runs at once and how much waits. Waiting tenants take turns: a tenant with a thousand runs in the queue delays
 * another's single run by one place, not by a thousand.
 */
export class Gate {
  readonly #limits: GateLimits;
  readonly #queues = new Map<string, (() => void)[]>();
  readonly #perTenant = new Map<string, number>();
  #running = 0;
  #inFlight = 0;

  constructor(limits: GateLimits) {
    this.#limits = limits;
  }

  get running(): number {
    return this.#running;
  }

  get waiting(): number {
    return this.#inFlight - this.#running;
  }

  /**
   * Takes a place: at once (undefined) or when the promise resolves. Every success needs one `leave`.
   * @throws PlastronError overloaded
   */
  enter(tenant: string): Promise<void> | undefined {
    const mine = this.#perTenant.get(tenant) ?? 0;
    if (this.#inFlight >= this.#limits.inFlight || mine >= this.#limits.tenantInFlight) {
      const whose = mine >= this.#limits.tenantInFlight ? "of this tenant " : "";
      throw new PlastronError("overloaded", `${this.#inFlight} runs ${whose}are running or waiting`, { retryAfterSeconds: 1 });
    }
    this.#inFlight++;
    this.#perTenant.set(tenant, mine + 1);
    if (this.#running < this.#limits.running) {
      this.#running++;
      return undefined;
    }
    return new Promise((resolve) => {
      const queue = this.#queues.get(tenant);
      if (queue) queue.push(resolve);
      else this.#queues.set(tenant, [resolve]);
    });
  }

  leave(tenant: string): void {
    this.#inFlight--;
    const mine = (this.#perTenant.get(tenant) as number) - 1;
    if (mine === 0) this.#perTenant.delete(tenant);
    else this.#perTenant.set(tenant, mine);
    const next = this.#nextInTurn();
    if (next) next();
    else this.#running--;
  }

  /** The first of the tenant that was served longest ago: its queue goes to the end of the Map's order. */
  #nextInTurn(): (() => void) | undefined {
    const first = this.#queues.entries().next().value;
    if (first === undefined) return undefined;
    const [tenant, queue] = first;
    const next = queue.shift();
    this.#queues.delete(tenant);
    if (queue.length > 0) this.#queues.set(tenant, queue);
    return next;
  }
}
