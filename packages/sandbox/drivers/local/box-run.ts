import { type BrokenBy, type Denial, PlastronError, type Violation } from "@plastron/contracts";
import type { Output } from "../../driver.ts";
import { Reports } from "./reports.ts";
import { newEnd, type RunEnd, readFacts } from "./run-end.ts";
import type { Looked, Sight } from "./sight.ts";

/** Why the agent asks a supervisor to kill what exceeded a rate rule; `RunEnd.broken` says the rest. */
const BROKEN = "a rate rule was exceeded";

/** The sandbox was dead before it was given its program: nothing of the program has run, so another sandbox may have it. */
export class NeverStarted extends PlastronError {
  constructor() {
    super("sandbox_failed", "the sandbox died while it waited for its program");
  }
}

/** What a run may do to its sandbox. */
interface Hands {
  freeze(): Promise<boolean>;
  kill(reason: string): void;
}

export interface BoxRunParts {
  output: Output;
  /** The cgroup's counters before it. */
  before: Map<string, string>;
  isRecorded(denial: Denial): boolean;
  sight: Sight | undefined;
  hands: Hands;
}

/** One program in a sandbox, until its end is told. */
export class BoxRun {
  readonly output: Output;
  readonly end: RunEnd;
  /** Its end; rejects where the sandbox died under it without one. */
  readonly told: Promise<RunEnd>;
  started = false;
  /** Its result has come; what others recorded is still being looked up. */
  ended = false;
  readonly #parts: BoxRunParts;
  readonly #reports: Reports;
  /** It exceeded a rate rule and is being looked at, then killed. */
  #breaking: Promise<void> | undefined;
  #resolve!: (end: RunEnd) => void;
  #reject!: (error: Error) => void;

  constructor(parts: BoxRunParts) {
    this.#parts = parts;
    this.output = parts.output;
    this.end = newEnd(parts.before);
    this.#reports = new Reports(parts.output, this.end.violations, parts.isRecorded, parts.sight?.looksOn ?? false);
    this.told = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  /** Right before its first byte goes to the sandbox. */
  begin(program: Looked): void {
    this.#parts.sight?.begin(program, { denial: (denial) => this.#reports.denial(denial), broken: (broken) => this.break(broken) });
  }

  /** `at_us`: when, by the machine's monotonic clock, where who tells it has looked at that. */
  record(violation: Violation, at_us: number | null): void {
    const began = this.#parts.sight?.tracedFrom_us ?? null;
    this.#reports.violation(began === null || at_us === null ? violation : { ...violation, t_us: Math.max(0, at_us - began) });
  }

  /** It exceeded a rate rule: it is held still while its stacks are taken, and killed. Of no effect the second time. */
  break(broken: BrokenBy): void {
    if (this.ended || this.#breaking) return;
    this.end.broken = broken;
    this.#breaking = this.#lookAndKill(broken);
  }

  async #lookAndKill(broken: BrokenBy): Promise<void> {
    const { sight, hands } = this.#parts;
    const stacks = (await hands.freeze()) && sight ? await sight.stacks() : [];
    this.end.broken = { ...broken, stacks };
    hands.kill(BROKEN);
  }

  /** The supervisor's last word. What is still on its way from elsewhere is waited for; then `done`, and its end is told. */
  finish(payload: Uint8Array, others: readonly (() => void | Promise<void>)[], done: () => void): void {
    this.ended = true;
    const looking = [...others.flatMap((look) => look() ?? []), ...this.#collect(), ...(this.#breaking ? [this.#breaking] : [])];
    const tell = () => {
      for (const [name, value] of readFacts(payload)) this.end.facts.set(name, value);
      this.#reports.close(this.end.telemetry.denials);
      this.end.violations.drop(Number(this.end.facts.get("violations_dropped") ?? 0));
      done();
      this.#resolve(this.end);
    };
    if (looking.length === 0) tell();
    else void Promise.allSettled(looking).then(tell);
  }

  fail(error: Error): void {
    this.#reject(this.started ? error : new NeverStarted());
  }

  #collect(): Promise<void>[] {
    const { sight } = this.#parts;
    if (!sight) return [];
    this.end.telemetry = sight.unseen;
    this.end.tracedFrom_us = sight.tracedFrom_us;
    if (!sight.looksOn) return [];
    const collected = sight.collect().then((seen) => {
      this.end.telemetry = seen;
    });
    return [collected];
  }
}
