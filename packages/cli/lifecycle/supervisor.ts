import { setTimeout as sleep } from "node:timers/promises";
import { type Child, type ChildCommand, type ChildName, type Ready, startChild } from "./child.ts";
import type { LogFile } from "./log-file.ts";
import type { ProcessId } from "./processes.ts";

/** What the supervisor needs of the world. `command` is asked again before each start. */
export interface SupervisorOptions {
  command(name: ChildName): ChildCommand;
  log(name: ChildName): LogFile;
  /** Resolves when the server answers its health check. */
  healthy(ready: Ready): Promise<void>;
  /** Told at readiness and after every change. */
  changed(parts: Parts): void;
  /** Hears in words of every end and every start after it. */
  told(text: string): void;
  /** Waits between restarts, in ms; the last repeats. */
  backoffMs?: number[];
  graceMs?: Record<ChildName, number>;
}

export interface Parts {
  agent: PartState;
  server: PartState;
}
export interface PartState {
  id: ProcessId | null;
  ready: Ready | null;
  restarts: number;
}

const BACKOFF_MS = [250, 1000, 2000, 5000, 10_000, 30_000];
/** A part that stayed up this long starts again without delay. */
const STABLE_MS = 60_000;
/** Together under the five seconds that Ctrl-C may take. */
const GRACE_MS = { server: 2500, agent: 2000 };

/**
 * Runs agent and server: the agent first, since the server's first breath is a look at its socket; stops them the other way
 * round. A part that dies is started again, ever more slowly. A part that never became ready is an error of `start`.
 */
export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #parts: Parts = { agent: { id: null, ready: null, restarts: 0 }, server: { id: null, ready: null, restarts: 0 } };
  readonly #children = new Map<ChildName, Child>();
  readonly #stopping = new AbortController();

  constructor(options: SupervisorOptions) {
    this.#options = options;
  }

  /** Both ready and healthy. Throws Failure start_failed, with nothing left running. */
  async start(): Promise<Parts> {
    try {
      for (const name of ["agent", "server"] as const) await this.#launch(name);
    } catch (error) {
      await this.stop();
      throw error;
    }
    for (const name of ["agent", "server"] as const) void this.#keep(name);
    this.#options.changed(this.#parts);
    return this.#parts;
  }

  /** Server, then agent; within GRACE_MS each. Safe to call twice. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    const grace = this.#options.graceMs ?? GRACE_MS;
    for (const name of ["server", "agent"] as const) await this.#children.get(name)?.stop(grace[name]);
  }

  async #launch(name: ChildName): Promise<void> {
    const child = startChild(name, this.#options.command(name), this.#options.log(name));
    this.#children.set(name, child);
    const ready = await child.ready;
    if (name === "server") await this.#options.healthy(ready);
    this.#parts[name].id = child.id;
    this.#parts[name].ready = ready;
  }

  async #keep(name: ChildName): Promise<void> {
    const waits = this.#options.backoffMs ?? BACKOFF_MS;
    for (let failures = 0; ; ) {
      const since = Date.now();
      const how = await (this.#children.get(name) as Child).exited;
      if (this.#stopping.signal.aborted) return;
      failures = Date.now() - since > STABLE_MS ? 0 : failures + 1;
      const wait = waits[Math.min(Math.max(failures - 1, 0), waits.length - 1)] as number;
      this.#parts[name].id = null;
      this.#parts[name].restarts++;
      this.#say(name, `the ${name} ended ${how}; starting it again in ${wait} ms`);
      this.#options.changed(this.#parts);
      await sleep(wait, undefined, { signal: this.#stopping.signal }).catch(() => {});
      if (this.#stopping.signal.aborted) return;
      await this.#launch(name).then(
        () => this.#restarted(name),
        (error) => this.#restartFailed(name, error),
      );
    }
  }

  /** The record is true before anybody hears of it. */
  #restarted(name: ChildName): void {
    this.#options.changed(this.#parts);
    this.#say(name, `the ${name} is up again`);
  }

  /** Whatever still lives of a start that failed is ended, so that the next turn of the loop sees it gone. */
  async #restartFailed(name: ChildName, error: unknown): Promise<void> {
    this.#say(name, error instanceof Error ? error.message : String(error));
    await this.#children.get(name)?.stop(1000);
  }

  #say(name: ChildName, text: string): void {
    this.#options.log(name).note(text);
    this.#options.told(text);
  }
}
