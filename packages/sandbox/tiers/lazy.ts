import { PlastronError, type Tier } from "@plastron/contracts";
import type { SandboxDriver } from "../driver.ts";

/** After a driver could not be opened it is not tried again before: each try boots something, and takes seconds to fail. */
const RETRY_MS = 60_000;

type Log = (message: string, fields?: Record<string, unknown>) => void;

/** A driver that is opened when it is first asked for, and whose failure is an answer and not an end. */
export class LazyDriver {
  readonly name: string;
  readonly tier: Tier;
  readonly #open: () => Promise<SandboxDriver>;
  readonly #log: Log;
  readonly #retryMs: number;
  #opening: Promise<SandboxDriver> | undefined;
  #opened: SandboxDriver | undefined;
  #failedAt = 0;
  #closed = false;

  constructor(name: string, tier: Tier, open: () => Promise<SandboxDriver>, log: Log = () => {}, retryMs = RETRY_MS) {
    this.name = name;
    this.tier = tier;
    this.#open = open;
    this.#log = log;
    this.#retryMs = retryMs;
  }

  /** The driver, if it is open now. */
  get opened(): SandboxDriver | undefined {
    return this.#opened;
  }

  /** The driver, opened for the first who asks. Errors: tier_unavailable with what was tried and how to get it. */
  async get(): Promise<SandboxDriver> {
    if (this.#closed) throw new PlastronError("agent_unavailable", "the agent is closing");
    if (this.#opening && this.#failedAt > 0 && performance.now() - this.#failedAt > this.#retryMs) this.#opening = undefined;
    this.#opening ??= this.#start();
    try {
      return await this.#opening;
    } catch (error) {
      const { message, hint } = error as PlastronError;
      throw new PlastronError("tier_unavailable", `the ${this.name} driver, which gives tier ${this.tier}, cannot be used: ${message}`, {
        hint: hint ?? "`plastron doctor` says what is missing.",
        cause: error,
      });
    }
  }

  /** Also ends an opening that is under way. */
  async close(): Promise<void> {
    this.#closed = true;
    const driver = await this.#opening?.catch(() => undefined);
    await driver?.close();
  }

  async #start(): Promise<SandboxDriver> {
    this.#failedAt = 0;
    try {
      this.#opened = await this.#open();
      this.#log("driver opened", { driver: this.name, tier: this.tier });
      return this.#opened;
    } catch (error) {
      this.#failedAt = performance.now();
      this.#log("driver cannot be used", { driver: this.name, why: error instanceof Error ? error.message : String(error) });
      throw error;
    }
  }
}
