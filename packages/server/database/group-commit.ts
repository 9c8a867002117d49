import { PlastronError } from "@plastron/contracts";
import type { QueryResult } from "pg";
import { FLUSH } from "./flush-statement.ts";

/** A run's record as it is admitted. Times are ISO 8601. */
export interface Admission {
  id: string;
  tenant: string;
  server: string;
  session_id: string | null;
  key_id: string | null;
  language: string;
  policy: string;
  policy_version: number | null;
  policy_sha256: string | null;
  confinement: string;
  code_sha256: string;
  /** NAME@VERSION of its packages. */
  runtime: string | null;
  /** What it can reach, as its record tells it. */
  network: object | null;
  /** Whom it ran for, and the artifact that its program came from. */
  project: string | null;
  artifact: string | null;
  created_at: string;
}

/** What is added when it ends. `stdout`/`stderr` are base64; `result` is the rest of the RunResult but its artifacts; `problem` where there is none. */
export interface Finish {
  status: string;
  finished_at: string;
  result: unknown;
  artifacts: unknown;
  problem: unknown;
  stdout: string;
  stderr: string;
}

/** A violation of a run, as an event. With `data.n`, its number within the run, it is written once however often it is given. */
export interface ViolationRow {
  at: string;
  tenant: string;
  run: string;
  data: { n: number };
}

/** The part of a pg connection that is used, so that a test can be the database. */
export interface Connection {
  query(statement: { name: string; text: string; values: unknown[] }): Promise<Pick<QueryResult, "rowCount">>;
  end(): Promise<void>;
}

export interface GroupCommitOptions {
  connect(): Promise<Connection>;
  /** How long an admission may wait for company, in ms. A run that ends before costs one insert in all. */
  lingerMs?: number;
  /** How long a record is tried to be written while the database cannot be reached, in ms. */
  patienceMs?: number;
  onError?: (error: Error) => void;
}

interface Waiting {
  id: string;
  admission: Admission | undefined;
  finish: Finish | undefined;
  violations: ViolationRow[];
  /** Sent once already with an unknown outcome. */
  repeated: boolean;
  since: number;
  settle: ((error?: Error) => void)[];
}

const MOST_RUNS = 128;
const MOST_BYTES = 8 * 1024 * 1024;
/** What a violation takes at most, about: its texts are cut where it is read. */
const VIOLATION_BYTES = 4096;
const CONNECTION_LOST = /^(08|57P0)|ECONN|EPIPE|ENOENT|terminat|not queryable|Connection/;

/**
 * Writes the records of runs in groups: what queued up while one transaction ran goes into the next, in one statement and with
 * one fsync for all. Under load the groups grow by themselves and the cost of a run falls.
 *
 * A promise resolves after its commit. The statement is safe to repeat (see flush-statement.ts), so a lost connection only means again.
 */
export class GroupCommit {
  readonly #options: Required<GroupCommitOptions>;
  readonly #waiting = new Map<string, Waiting>();
  #connection: Promise<Connection> | undefined;
  #flushing = false;
  #timer: NodeJS.Timeout | undefined;
  #reachable = true;
  #closed = false;

  constructor(options: GroupCommitOptions) {
    this.#options = { lingerMs: 20, patienceMs: 10_000, onError: () => {}, ...options };
  }

  /** False while the database cannot be reached: admitting a run then would run a program without a record. */
  get reachable(): boolean {
    return this.#reachable;
  }

  get queued(): number {
    return this.#waiting.size;
  }

  /** Notes a run that starts now. It is written within `lingerMs`, or together with its end. */
  admit(admission: Admission): void {
    this.#entry(admission.id).admission = admission;
    this.#linger();
  }

  /** The same, and resolves when it is durable: for callers that are told the run's id before it ends. */
  admitNow(admission: Admission): Promise<void> {
    this.admit(admission);
    return this.#durable(this.#waiting.get(admission.id) as Waiting);
  }

  /**
   * Resolves when the violation of a run in progress is durable: within `lingerMs` and a commit, together with what comes meanwhile.
   * Rejects as `finish` does; then give it to `finish` again.
   */
  note(violation: ViolationRow): Promise<void> {
    const waiting = this.#entry(violation.run);
    waiting.violations.push(violation);
    this.#linger();
    return new Promise<void>((resolve, reject) => waiting.settle.push((error) => (error ? reject(error) : resolve())));
  }

  /**
   * Resolves when the end of the run is durable, and with it the violations that were not before.
   * Rejects with `database_unavailable` where it could not be written in time.
   */
  finish(id: string, finish: Finish, violations: ViolationRow[] = []): Promise<void> {
    const waiting = this.#entry(id);
    waiting.finish = finish;
    waiting.violations.push(...violations);
    return this.#durable(waiting);
  }

  /** Writes what is queued, then closes the connection. */
  async close(): Promise<void> {
    while (this.#waiting.size > 0 || this.#flushing) {
      await this.#flush();
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#connection?.then((connection) => connection.end()).catch(() => {});
  }

  #entry(id: string): Waiting {
    let waiting = this.#waiting.get(id);
    if (waiting === undefined) {
      waiting = { id, admission: undefined, finish: undefined, violations: [], repeated: false, since: Date.now(), settle: [] };
      this.#waiting.set(id, waiting);
    }
    return waiting;
  }

  #linger(): void {
    if (this.#timer === undefined && !this.#flushing) this.#timer = setTimeout(() => void this.#flush(), this.#options.lingerMs);
  }

  #durable(waiting: Waiting): Promise<void> {
    const promise = new Promise<void>((resolve, reject) => waiting.settle.push((error) => (error ? reject(error) : resolve())));
    if (!this.#flushing) setImmediate(() => void this.#flush());
    return promise;
  }

  async #flush(): Promise<void> {
    if (this.#flushing || this.#waiting.size === 0 || this.#closed) return;
    this.#flushing = true;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const group = this.#take();
    try {
      await this.#write(group);
      for (const waiting of group) for (const settle of waiting.settle) settle();
    } catch (error) {
      await this.#recover(group, error as Error);
    }
    this.#flushing = false;
    if (this.#waiting.size > 0) setImmediate(() => void this.#flush());
  }

  #take(): Waiting[] {
    const group: Waiting[] = [];
    let bytes = 0;
    for (const waiting of this.#waiting.values()) {
      bytes += (waiting.finish?.stdout.length ?? 0) + (waiting.finish?.stderr.length ?? 0) + waiting.violations.length * VIOLATION_BYTES;
      if (group.length === MOST_RUNS || (bytes > MOST_BYTES && group.length > 0)) break;
      group.push(waiting);
      this.#waiting.delete(waiting.id);
    }
    return group;
  }

  async #write(group: Waiting[]): Promise<void> {
    this.#connection ??= this.#options.connect();
    const connection = await this.#connection;
    const admitted = group.filter((waiting) => waiting.admission).map((waiting) => ({ status: "running", ...waiting.admission, ...waiting.finish }));
    // A repeated admission may be there already, as running: then the insert does nothing and this update ends it.
    const finished = group
      .filter((waiting) => waiting.finish && (!waiting.admission || waiting.repeated))
      .map((waiting) => ({ id: waiting.id, ...waiting.finish }));
    const violations = group.flatMap((waiting) => waiting.violations);
    await connection.query({ ...FLUSH, values: [jsonFor(admitted), jsonFor(finished), jsonFor(violations)] });
    this.#reachable = true;
  }

  /** A lost connection: again, in order, until patience ends. Any other error: one run alone must not spoil the rest of its group. */
  async #recover(group: Waiting[], error: Error): Promise<void> {
    this.#options.onError(error);
    if (CONNECTION_LOST.test(`${(error as { code?: string }).code ?? ""} ${error.message}`)) {
      this.#reachable = false;
      this.#connection?.then((connection) => connection.end()).catch(() => {});
      this.#connection = undefined;
      const patient = group.filter((waiting) => Date.now() - waiting.since < this.#options.patienceMs);
      fail(
        group.filter((waiting) => !patient.includes(waiting)),
        error,
      );
      this.#putBack(patient);
      await new Promise((resolve) => setTimeout(resolve, 100));
    } else if (group.length === 1) {
      fail(group, error);
    } else {
      for (const waiting of group) {
        try {
          await this.#write([waiting]);
          for (const settle of waiting.settle) settle();
        } catch (cause) {
          fail([waiting], cause as Error);
        }
      }
    }
  }

  #putBack(group: Waiting[]): void {
    const newer = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const waiting of group) this.#waiting.set(waiting.id, Object.assign(waiting, { repeated: true }));
    for (const waiting of newer) {
      const older = this.#waiting.get(waiting.id);
      if (older === undefined) this.#waiting.set(waiting.id, waiting);
      else {
        older.finish = waiting.finish ?? older.finish;
        older.violations.push(...waiting.violations);
        older.settle.push(...waiting.settle);
      }
    }
  }
}

/** PostgreSQL's json reads no NUL and no half of a surrogate pair, which file names and reasons may hold: U+FFFD stands for them. */
function jsonFor(rows: object[]): string {
  const text = JSON.stringify(rows);
  if (!/\\u(0000|d[89a-f])/i.test(text)) return text;
  return JSON.stringify(rows, (_key, value: unknown) => (typeof value === "string" ? value.replaceAll("\0", "\ufffd").toWellFormed() : value));
}

function fail(group: Waiting[], cause: Error): void {
  const error = new PlastronError("database_unavailable", "The record of the run could not be written, so its result is withheld", {
    cause,
    retryAfterSeconds: 2,
  });
  for (const waiting of group) for (const settle of waiting.settle) settle(error);
}
