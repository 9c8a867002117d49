import { type Denial, FIRST_OF_EACH, MAX_VIOLATIONS, type RunResult, type Violation, ViolationRoom } from "@plastron/contracts";
import { allowHint, denialKey, type Explain, explainTelemetry, isTold, seenViolation } from "@plastron/policy";
import type { GroupCommit, ViolationRow } from "../../database/group-commit.ts";
import { recordOf, seenOf, shortStack, type ViolationContext, type ViolationRecord } from "./record.ts";

export interface ViolationObserver {
  violated(rule: string, action: string): void;
}

export interface RecorderDependencies {
  records: Pick<GroupCommit, "note">;
  observer: ViolationObserver;
  log: { write(record: ViolationRecord): void } | undefined;
  explain: Explain;
  /** Violations can be read that could not before. */
  recorded(): void;
}

interface Taken {
  violation: Violation;
  row: ViolationRow;
  durable: boolean;
}

/**
 * The violations of one run, from the first frame to its end: into the events, the log, the metrics, and to whoever listens.
 * A listener hears of a violation when it is durable, in order, and of all before the run's result.
 *
 * There are two kinds. Audited ones the policy asked for, and the driver's watcher tells them; they alone are in the log, as
 * upstream's are. The others are denials that the sensor saw and a rule explains. Each kind has a bound of its own, so that
 * nobody hides an audited one behind a flood of others.
 */
export class RunViolations {
  readonly #deps: RecorderDependencies;
  readonly #context: ViolationContext;
  readonly #tell: (violation: Violation) => void;
  readonly #taken: Taken[] = [];
  readonly #room = { audited: new ViolationRoom(), seen: new ViolationRoom() };
  readonly #denials = new Set<string>();
  /** Of rules that are audited: the watcher may still tell of the same call. */
  readonly #waiting: Violation[] = [];
  #told = 0;
  #dropped = { audited: 0, seen: 0 };

  constructor(deps: RecorderDependencies, context: ViolationContext, tell: (violation: Violation) => void) {
    this.#deps = deps;
    this.#context = context;
    this.#tell = tell;
  }

  take(given: Violation): void {
    const hint = given.hint ?? allowHint(given.rule_id, given.event);
    const violation = { ...given, hint, stack: given.stack && shortStack(given.stack) };
    const kind = violation.audited ? "audited" : "seen";
    if (!this.#room[kind].take(violation)) {
      this.#dropped[kind]++;
      return;
    }
    const n = this.#taken.length;
    const record = recordOf(violation, this.#context, n);
    const { run_id: run, tenant } = this.#context;
    const seen = seenOf(violation);
    const taken = { violation, row: { at: new Date().toISOString(), tenant, run, data: { ...record, n, ...(seen ? { seen } : {}) } }, durable: false };
    this.#taken.push(taken);
    this.#deps.observer.violated(violation.rule_id, violation.action);
    if (violation.audited) this.#deps.log?.write(record);
    this.#deps.records.note(taken.row).then(
      () => {
        taken.durable = true;
        this.#deps.recorded();
        this.#tellDurable();
      },
      () => {}, // it goes with the run's end once more
    );
  }

  /** A call that was denied: a violation where a rule explains it. What none explains, and what libraries try, stays in the run's account. */
  denied(denial: Denial): void {
    const violation = this.#explain(denial);
    if (violation === null) return;
    if (violation.recorded) this.#waiting.push(violation.seen);
    else this.take(violation.seen);
  }

  #explain(denial: Denial): { seen: Violation; recorded: boolean } | null {
    const key = denialKey(denial);
    if (this.#denials.has(key) || this.#denials.size >= 3 * MAX_VIOLATIONS) return null;
    this.#denials.add(key);
    const explanation = this.#deps.explain(denial);
    if (explanation === null || explanation.isProbe) return null;
    return { seen: seenViolation(denial, explanation, new Date().toISOString()), recorded: explanation.recorded };
  }

  /** The driver's own lists may hold some that were not told while it ran: they come at its end. */
  complete(result: RunResult | undefined): Pick<RunResult, "violations" | "violations_dropped"> & Partial<Pick<RunResult, "telemetry">> {
    const audited = this.#taken.filter(({ violation }) => violation.audited).length;
    for (const violation of result?.violations.slice(audited) ?? []) this.take(violation);
    // Not told while it ran: the watcher told of it, or the connection was cut.
    for (const denial of result?.telemetry.denials ?? []) {
      const violation = this.#explain(denial);
      if (violation) this.#waiting.push(violation.seen);
    }
    this.#takeUntold();
    this.#learnWho(result?.violations ?? []);
    const violations_dropped = Math.max(this.#dropped.audited, result?.violations_dropped ?? 0) + this.#dropped.seen;
    const telemetry = result && { telemetry: explainTelemetry(result.telemetry, this.#deps.explain) };
    return { violations: this.#taken.map(({ violation }) => violation), violations_dropped, ...telemetry };
  }

  /** Of what the way out denied, the driver may know at the run's end whose it was, from the whole account. */
  #learnWho(last: readonly Violation[]): void {
    const audited = this.#taken.filter(({ violation }) => violation.audited);
    for (const [i, { pid, comm, exe, rule_id }] of last.entries()) {
      const taken = audited[i];
      if (taken && taken.violation.pid === 0 && pid !== 0 && taken.violation.rule_id === rule_id) taken.violation = { ...taken.violation, pid, comm, exe };
    }
  }

  /** What has to be written with the end of the run. */
  undurable(): ViolationRow[] {
    return this.#taken.flatMap(({ row, durable }) => (durable ? [] : [row]));
  }

  /** All are on record. */
  settled(): void {
    if (this.#taken.some(({ durable }) => !durable)) this.#deps.recorded();
    for (const taken of this.#taken) taken.durable = true;
    this.#tellDurable();
  }

  #takeUntold(): void {
    const told = this.#taken.map(({ violation }) => violation);
    for (const violation of this.#waiting.splice(0)) if (!this.#mayBeDropped(violation) && !isTold(violation, told)) this.take(violation);
  }

  /** Where a watcher told more of a rule than is kept, what is missing among it may have been one of these. */
  #mayBeDropped(violation: Violation): boolean {
    return this.#dropped.audited > 0 && this.#room.audited.of(violation) >= FIRST_OF_EACH;
  }

  #tellDurable(): void {
    for (let next = this.#taken[this.#told]; next?.durable; next = this.#taken[this.#told]) {
      this.#told++;
      this.#tell(next.violation);
    }
  }
}
