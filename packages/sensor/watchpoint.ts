import { noTelemetry, type Telemetry, type WatchOptions, type Watchpoint } from "@plastron/contracts";
import type { Accounts } from "./account.ts";
import { SENSING } from "./layout.ts";
import type { Board } from "./reader/board.ts";
import { countersOf } from "./reader/counters.ts";
import { letGo } from "./reader/stops.ts";
import type { ReaderThread } from "./reader/thread.ts";

/** Stacks that a run may have taken at once; the reader adds more by and by, up to TELEMETRY_BOUNDS.stacks. */
const STACK_BURST = 4;
/** Rates are looked at from then on, if the program still runs. */
const RATES_AFTER_MS = 15;
const SENSED = { account: 0, trace: SENSING.trace, model: SENSING.model } as const;

interface Around {
  reader: ReaderThread;
  accounts: Accounts;
  board: Board;
  nextGeneration(): number;
}

/** One sandbox's place. */
export class Point implements Watchpoint {
  readonly #around: Around;
  readonly #slot: number;
  readonly #free: () => void;
  #generation = 0;
  #options: WatchOptions | undefined;
  #isReleased = false;
  #waking: NodeJS.Timeout | undefined;

  constructor(around: Around, slot: number, free: () => void) {
    this.#around = around;
    this.#slot = slot;
    this.#free = free;
  }

  /** What the run with this generation is to be told by; undefined where it is not this one. */
  armed(generation: number): WatchOptions | undefined {
    return generation === this.#generation ? this.#options : undefined;
  }

  arm(options: WatchOptions): void {
    const { accounts, board, reader } = this.#around;
    if (this.#isReleased) return;
    letGo(accounts, this.#slot);
    this.#options = options;
    this.#generation = this.#around.nextGeneration();
    board.setRules(this.#slot, options.rates);
    accounts.arm(this.#slot, {
      generation: this.#generation,
      sensing: SENSED[options.sensing] | (options.from === "exec" ? SENSING.from_exec : 0),
      armedAt: process.hrtime.bigint(),
      stacks: reader.hasStacks ? STACK_BURST : 0,
    });
    /* Most programs are over before rates are first looked at: waking the reader at once would only take a core from them. */
    clearTimeout(this.#waking);
    this.#waking = setTimeout(() => {
      if (board.isAsleep) reader.wake();
    }, RATES_AFTER_MS).unref();
  }

  async collect(): Promise<Telemetry> {
    const { accounts, reader } = this.#around;
    if (this.#generation === 0) return noTelemetry("the sensor was not armed for this run");
    clearTimeout(this.#waking);
    accounts.set(this.#slot, "generation", 0);
    const telemetry = await reader.collect(this.#slot, this.#generation);
    this.#options = undefined;
    if (telemetry !== null) return telemetry;
    letGo(accounts, this.#slot);
    const { capabilities: _, ...counters } = countersOf(accounts, this.#slot);
    return { ...counters, reason: "the reader of events died: only what the kernel counted is here" };
  }

  release(): void {
    if (this.#isReleased) return;
    this.#isReleased = true;
    clearTimeout(this.#waking);
    this.#options = undefined;
    this.#around.accounts.set(this.#slot, "generation", 0);
    letGo(this.#around.accounts, this.#slot);
    this.#around.reader.release(this.#slot, this.#generation);
    this.#free();
  }
}
