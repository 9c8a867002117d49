import { type Confinement, type Denial, TELEMETRY_BOUNDS, type Violation, ViolationRoom } from "@plastron/contracts";
import type { Output } from "../../driver.ts";
import { compareActs, type ViolationTally } from "../../violations/index.ts";

/** What an enforcer recorded and what the sensor saw of the same call come by two ways: so long one waits for the other. */
const HOLD_MS = 25;

interface Hit {
  violation: Violation;
  at: number;
  /** What the sensor saw of it. */
  denial: Denial | undefined;
  isTold: boolean;
}

/**
 * What of one run is told while it runs. A rule's enforcer says that a rule was hit; the sensor, if there is one, sees every denied
 * call, with its program and stack. One call is told once: a violation takes what the sensor knows of it, and a denial that an
 * enforcer has recorded is not told beside. The order of violations is kept, and none waits beyond the run's end.
 */
export class Reports {
  readonly #output: Pick<Output, "violation" | "denial">;
  readonly #tally: ViolationTally;
  readonly #isRecorded: (denial: Denial) => boolean;
  readonly #isSensed: boolean;
  /** In the order of their coming; as many as a run may record. */
  readonly #hits: Hit[] = [];
  readonly #room = new ViolationRoom();
  #next = 0;
  /** Seen, and not yet recorded by an enforcer that may do so. */
  readonly #open: { denial: Denial; at: number }[] = [];
  /** All that the sensor has told of this run; bounded as it is. */
  readonly #denials: Denial[] = [];
  #timer: NodeJS.Timeout | undefined;

  /** `isRecorded`: whether the enforcers of this confinement may record such a call. `isSensed`: whether a sensor looks on. */
  constructor(output: Pick<Output, "violation" | "denial">, tally: ViolationTally, isRecorded: (denial: Denial) => boolean, isSensed: boolean) {
    this.#output = output;
    this.#tally = tally;
    this.#isRecorded = isRecorded;
    this.#isSensed = isSensed;
  }

  violation(violation: Violation): void {
    if (!this.#room.take(violation)) {
      this.#tally.drop(1); // and the denial that comes with it is not told either
      return;
    }
    const seen = this.#open.find(({ denial }) => compareActs(violation, denial) === "same") ?? this.#likely(violation);
    if (seen) this.#open.splice(this.#open.indexOf(seen), 1);
    this.#hits.push({ violation, at: performance.now(), denial: seen?.denial ?? this.#known(violation, "same"), isTold: false });
    this.#tell();
  }

  denial(denial: Denial): void {
    if (this.#denials.length >= TELEMETRY_BOUNDS.denials) return;
    this.#denials.push(denial);
    if (!this.#isRecorded(denial)) this.#output.denial?.(denial);
    else if (!this.#claim(denial)) this.#open.push({ denial, at: performance.now() });
    this.#tell();
  }

  /** The run has ended and all is known: nothing waits any more. `denials` are all that the sensor lists. */
  close(denials: readonly Denial[]): void {
    clearTimeout(this.#timer);
    for (const denial of denials) if (!this.#denials.includes(denial)) this.#denials.push(denial);
    for (const hit of this.#hits.slice(this.#next)) this.#record(hit);
    for (const { denial } of this.#open.splice(0)) this.#output.denial?.(denial);
  }

  /** Whether an enforcer has recorded this call. Once as many are recorded as may be, enforcers only count: it is in their count. */
  #claim(denial: Denial): boolean {
    const since = performance.now() - HOLD_MS;
    const hit =
      this.#hits.find(({ violation }) => compareActs(violation, denial) === "same") ??
      this.#hits.find(({ violation, at, denial: seen }) => !seen && at >= since && compareActs(violation, denial) === "likely");
    if (hit) hit.denial ??= denial;
    return hit !== undefined || this.#room.isCrowded;
  }

  #likely(violation: Violation): { denial: Denial; at: number } | undefined {
    return this.#open.find(({ denial }) => compareActs(violation, denial) === "likely");
  }

  /** Equal calls are one denial: what the first has told holds for the next. */
  #known(violation: Violation, how: "same" | "likely"): Denial | undefined {
    return this.#denials.find((denial) => compareActs(violation, denial) === how);
  }

  #tell(): void {
    const now = performance.now();
    for (let hit = this.#hits[this.#next]; hit && this.#isReady(hit, now); hit = this.#hits[++this.#next]) this.#record(hit);
    /* Taken out before it is told: an output need not listen to denials, and an optional call does not evaluate its arguments. */
    for (let first = this.#open[0]; first && first.at + HOLD_MS <= now; first = this.#open[0]) {
      this.#open.shift();
      this.#output.denial?.(first.denial);
    }
    clearTimeout(this.#timer);
    const since = Math.min(this.#hits[this.#next]?.at ?? Number.POSITIVE_INFINITY, this.#open[0]?.at ?? Number.POSITIVE_INFINITY);
    if (since !== Number.POSITIVE_INFINITY) this.#timer = setTimeout(() => this.#tell(), Math.max(1, since + HOLD_MS - now)).unref();
  }

  #isReady({ violation, at, denial }: Hit, now: number): boolean {
    return !this.#isSensed || denial !== undefined || violation.action !== "DENIED" || violation.pid === 0 || at + HOLD_MS <= now;
  }

  #record(hit: Hit): void {
    if (hit.isTold) return;
    hit.isTold = true;
    const { violation } = hit;
    const seen = hit.denial ?? this.#known(violation, "same") ?? this.#known(violation, "likely");
    const whole = seen ? { ...violation, exe: seen.exe, stack: seen.stack } : violation;
    if (this.#tally.add(whole)) this.#output.violation?.(whole);
  }
}

const HOOKED = new Set(["connect", "sendto", "sendmsg", "sendmmsg", "bind", "socket"]);

/** Which denied calls the watcher or the hooks of a confinement may record themselves. */
export function recordedBy({ watch, hooks }: Confinement): (denial: Denial) => boolean {
  const numbers = new Set(watch.calls.map(({ number }) => number));
  const watchesPaths = watch.paths.length > 0 || (watch.lists ?? []).length > 0;
  return ({ number, abi, path, call }) => (abi === "native" && numbers.has(number)) || (watchesPaths && path !== null) || (hooks !== null && HOOKED.has(call));
}
