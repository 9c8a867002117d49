/** Microseconds between the marks of one run. */
export class PhaseClock {
  readonly phases: Record<string, number>;
  readonly #start: number;
  #last: number;
  constructor(start: number, authUs: number) {
    this.#start = start;
    this.#last = performance.now();
    this.phases = { auth: authUs };
  }
  mark(phase: string): void {
    const now = performance.now();
    this.phases[phase] = Math.round((now - this.#last) * 1000);
    this.#last = now;
  }
  set(phase: string, us: number): void {
    this.phases[phase] = us;
  }
  done(): Record<string, number> {
    this.phases.total = Math.round((performance.now() - this.#start) * 1000);
    return this.phases;
  }
}
