import { type Confinement, type Denial, MAX_VIOLATIONS, TELEMETRY_BOUNDS, type Violation } from "@plastron/contracts";
import type { Output } from "../../driver.ts";
import { isSameAct, type ViolationTally } from "../../violations/index.ts";

/** What an enforcer recorded and what the sensor saw of the same call come by two ways: so long one waits for the other. */
const HOLD_MS = 25;

/**
 * What of one run is told while it runs. A rule's enforcer says that a rule was hit; the sensor, if there is one, sees every denied
 * call, with its program and stack. One call is told once: a violation takes what the sensor knows of it, and a denial that an
 * enforcer has recorded is not told beside. The order of violations is kept, and none waits beyond the run's end.
 */
export class Reports {
  readonly #output: Pick<Output, "violation" | "denial">;
  readonly #tally: ViolationTally;
  readonly #recorded: (denial: Denial) => boolean;
  /** In the order of their coming; the first is the next to be told. */
  readonly #waiting: { violation: Violation; until: number }[] = [];
  readonly #unclaimed: { denial: Denial; until: number }[] = [];
  /** All that the sensor has told of this run; bounded as it is. */
  readonly #denials: Denial[] = [];
  readonly #sensed: boolean;
  #timer: NodeJS.Timeout | undefined;

  /** `recorded`: whether the enforcers of this confinement may record such a call. `sensed`: whether a sensor looks on. */
  constructor(output: Pick<Output, "violation" | "denial">, tally: ViolationTally, recorded: (denial: Denial) => boolean, sensed: boolean) {
    this.#output = output;
    this.#tally = tally;
    this.#recorded = recorded;
    this.#sensed = sensed;
  }

  violation(violation: Violation): void {
    const at = this.#unclaimed.findIndex(({ denial }) => isSameAct(violation, denial));
    if (at >= 0) this.#unclaimed.splice(at, 1);
    this.#waiting.push({ violation, until: this.#sensed && violation.action === "DENIED" && violation.pid > 0 ? performance.now() + HOLD_MS : 0 });
    this.#tell();
  }

  denial(denial: Denial): void {
    if (this.#denials.length >= TELEMETRY_BOUNDS.denials) return;
    this.#denials.push(denial);
    if (!this.#recorded(denial)) this.#output.denial?.(denial);
    else if (!this.#isTold(denial)) this.#unclaimed.push({ denial, until: performance.now() + HOLD_MS });
    this.#tell();
  }

  /** The run has ended and all is known: nothing waits any more. `denials` are all that the sensor lists. */
  close(denials: readonly Denial[]): void {
    clearTimeout(this.#timer);
    for (const denial of denials) if (!this.#denials.some((known) => known === denial)) this.#denials.push(denial);
    for (const { violation } of this.#waiting.splice(0)) this.#record(violation);
    for (const { denial } of this.#unclaimed.splice(0)) this.#output.denial?.(denial);
  }

  /** Once as many are recorded as may be, enforcers only count: such a denial is in their count. */
  #isTold(denial: Denial): boolean {
    const told = [...this.#tally.kept, ...this.#waiting.map(({ violation }) => violation)];
    return told.length >= MAX_VIOLATIONS || told.some((violation) => isSameAct(violation, denial));
  }

  #tell(): void {
    const now = performance.now();
    while (this.#waiting[0] && (this.#waiting[0].until <= now || this.#seen(this.#waiting[0].violation))) {
      this.#record((this.#waiting.shift() as { violation: Violation }).violation);
    }
    while (this.#unclaimed[0] && this.#unclaimed[0].until <= now) this.#output.denial?.((this.#unclaimed.shift() as { denial: Denial }).denial);
    clearTimeout(this.#timer);
    const next = Math.min(this.#waiting[0]?.until ?? Number.POSITIVE_INFINITY, this.#unclaimed[0]?.until ?? Number.POSITIVE_INFINITY);
    if (next !== Number.POSITIVE_INFINITY) this.#timer = setTimeout(() => this.#tell(), Math.max(1, next - now)).unref();
  }

  #record(violation: Violation): void {
    const seen = this.#seen(violation);
    const whole = seen ? { ...violation, exe: seen.exe, stack: seen.stack } : violation;
    if (this.#tally.add(whole)) this.#output.violation?.(whole);
  }

  #seen(violation: Violation): Denial | undefined {
    return this.#denials.find((denial) => isSameAct(violation, denial));
  }
}

const HOOKED = new Set(["connect", "sendto", "sendmsg", "sendmmsg", "bind", "socket"]);

/** Which denied calls the watcher or the hooks of a confinement may record themselves. */
export function recordedBy({ watch, hooks }: Confinement): (denial: Denial) => boolean {
  const numbers = new Set(watch.calls.map(({ number }) => number));
  const watchesPaths = watch.paths.length > 0 || (watch.lists ?? []).length > 0;
  return ({ number, abi, path, call }) => (abi === "native" && numbers.has(number)) || (watchesPaths && path !== null) || (hooks !== null && HOOKED.has(call));
}
