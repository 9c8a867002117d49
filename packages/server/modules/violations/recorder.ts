import { MAX_VIOLATIONS, type RunResult, type Violation } from "@plastron/contracts";
import type { GroupCommit, ViolationRow } from "../../database/group-commit.ts";
import { recordOf, type ViolationContext, type ViolationRecord } from "./record.ts";

export interface ViolationObserver {
  violated(rule: string, action: string): void;
}

export interface RecorderDependencies {
  records: Pick<GroupCommit, "note">;
  observer: ViolationObserver;
  log: { write(record: ViolationRecord): void } | undefined;
}

/**
 * The violations of one run, from the first frame to its end: into the events, the log, the metrics, and to whoever listens.
 * A listener hears of a violation when it is durable, in order, and of all before the run's result.
 */
export class RunViolations {
  readonly #deps: RecorderDependencies;
  readonly #context: ViolationContext;
  readonly #tell: (violation: Violation) => void;
  readonly #taken: { violation: Violation; row: ViolationRow; durable: boolean }[] = [];
  #told = 0;
  #dropped = 0;

  constructor(deps: RecorderDependencies, context: ViolationContext, tell: (violation: Violation) => void) {
    this.#deps = deps;
    this.#context = context;
    this.#tell = tell;
  }

  take(violation: Violation): void {
    if (this.#taken.length >= MAX_VIOLATIONS) {
      this.#dropped++;
      return;
    }
    const n = this.#taken.length;
    const record = recordOf(violation, this.#context, n);
    const { run_id: run, tenant } = this.#context;
    const taken = { violation, row: { at: new Date().toISOString(), tenant, run, data: { ...record, n } }, durable: false };
    this.#taken.push(taken);
    this.#deps.observer.violated(violation.rule_id, violation.action);
    this.#deps.log?.write(record);
    this.#deps.records.note(taken.row).then(
      () => {
        taken.durable = true;
        this.#tellDurable();
      },
      () => {}, // it goes with the run's end once more
    );
  }

  /** The driver's own list may hold some that were not told while it ran: they come at its end. */
  complete(result: RunResult | undefined): Pick<RunResult, "violations" | "violations_dropped"> {
    for (const violation of result?.violations.slice(this.#taken.length) ?? []) this.take(violation);
    const violations_dropped = Math.max(this.#dropped, result?.violations_dropped ?? 0);
    return { violations: this.#taken.map(({ violation }) => violation), violations_dropped };
  }

  /** What has to be written with the end of the run. */
  undurable(): ViolationRow[] {
    return this.#taken.flatMap(({ row, durable }) => (durable ? [] : [row]));
  }

  /** All are on record. */
  settled(): void {
    for (const taken of this.#taken) taken.durable = true;
    this.#tellDurable();
  }

  #tellDurable(): void {
    for (let next = this.#taken[this.#told]; next?.durable; next = this.#taken[this.#told]) {
      this.#told++;
      this.#tell(next.violation);
    }
  }
}
