import { readFileSync, readlinkSync, statSync } from "node:fs";
import {
  type BrokenBy,
  type Denial,
  noTelemetry,
  type Program,
  type Sensing,
  type Sensor,
  TELEMETRY_BOUNDS,
  type Telemetry,
  type Watchpoint,
} from "@plastron/contracts";

/** What a run says of how it wants to be looked at. */
export type Looked = Pick<Program, "limits"> & { sensing?: Sensing };

/** Who is told of one run while it goes on. */
export interface Listener {
  denial(denial: Denial): void;
  broken(broken: BrokenBy): void;
}

type Process = Telemetry["processes"]["list"][number];

/** Stacks of a run that is being broken are waited for this long: it is held still meanwhile, but a place and a wall clock are used. The first takes the longest, on a busy machine more than half a second. */
const STACKS_MS = 2_000;

/** The sensor as this driver was given it, or why it was given none. */
export interface Eyes {
  sensor: Sensor | undefined;
  missing: string;
  log(message: string, fields?: Record<string, unknown>): void;
}

/**
 * How one sandbox is seen: its place at the sensor. `arm` and `collect` go around each of its programs; without a sensor they cost
 * nothing and say why nothing was seen. `cgroup` is its directory in the unified hierarchy, where it has one.
 */
export class Sight {
  readonly #eyes: Eyes;
  readonly #point: Watchpoint | null;
  readonly #why: string;
  readonly #cgroup: string | null;
  /** Pid 1 of the sandbox, which is ours. */
  readonly #init: number;
  /** The interpreter that waits for programs; null where it is not there yet, and its start will be seen. */
  #interpreter: Process | null;
  #listener: Listener | undefined;
  /** What came while an interpreter was started under the sensor, and nobody ran a program yet. */
  readonly #early: ((listener: Listener) => void)[] = [];
  #armed: Sensing | null = null;
  /** By the machine's monotonic clock. */
  #armedAt_us = 0;
  #isEarly = false;

  constructor(eyes: Eyes, pid: number, cgroup: string | null) {
    this.#eyes = eyes;
    this.#cgroup = cgroup;
    this.#init = pid;
    const placed = place(eyes, pid, cgroup);
    this.#point = typeof placed === "string" ? null : placed;
    this.#why = typeof placed === "string" ? placed : "";
    this.#interpreter = this.#point && processOf(childOf(pid));
  }

  get looksOn(): boolean {
    return this.#point !== null;
  }

  /** Where the timeline of what is being looked at begins, by the machine's monotonic clock; null: there will be none. */
  get tracedFrom_us(): number | null {
    return this.#point !== null && this.#armed === "trace" ? this.#armedAt_us : null;
  }

  /** The account of a run that nobody saw. */
  get unseen(): Telemetry {
    return noTelemetry(this.#why);
  }

  /** Before there is an interpreter: its start is then in the account of the one program that it gets. */
  armEarly(program: Looked): void {
    this.#arm(program, "exec");
    this.#isEarly = true;
  }

  /** Right before a program's first byte goes to its sandbox. */
  begin(program: Looked, listener: Listener): void {
    this.#listener = listener;
    this.#interpreter ??= this.#point && processOf(this.pids()[0]); // a zygote's child, whose parent is outside of the sandbox
    if (this.#isEarly) for (const tell of this.#early.splice(0)) tell(listener);
    else this.#arm(program);
    this.#isEarly = false;
  }

  /** All that was seen since. Never rejects. */
  async collect(): Promise<Telemetry> {
    const sensing = this.#armed;
    this.#armed = null;
    if (this.#point === null || sensing === null) return this.unseen;
    const telemetry = await this.#point.collect();
    this.#listener = undefined;
    return this.#withInterpreter(this.#withoutInit(telemetry));
  }

  /** Pid 1 is ours, and whether its end is still in the account is a matter of luck. */
  #withoutInit(telemetry: Telemetry): Telemetry {
    const { processes } = telemetry;
    const timeline = telemetry.timeline?.filter(({ pid }) => pid !== this.#init) ?? null;
    const init = processes.list.find(({ pid }) => pid === this.#init);
    if (!init) return { ...telemetry, timeline };
    const exits = processes.exits - (init.ended_us === null ? 0 : 1);
    return { ...telemetry, timeline, processes: { ...processes, exits: Math.max(0, exits), list: processes.list.filter((each) => each !== init) } };
  }

  /** A program's end is told before its interpreter is gone, and then nothing has told of that process. */
  #withInterpreter(telemetry: Telemetry): Telemetry {
    const { processes } = telemetry;
    const { list } = processes;
    const interpreter = this.#interpreter;
    if (!interpreter || list.length >= TELEMETRY_BOUNDS.processes || list.some(({ pid }) => pid === interpreter.pid)) return telemetry;
    return { ...telemetry, processes: { ...processes, list: [{ ...interpreter }, ...list] } };
  }

  /** Of the program's processes, which are held still. Empty where nobody can look. */
  async stacks(): Promise<BrokenBy["stacks"]> {
    const pids = this.pids().slice(0, TELEMETRY_BOUNDS.stacks);
    if (!this.#eyes.sensor || pids.length === 0) return [];
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<BrokenBy["stacks"]>((resolve) => {
      timer = setTimeout(() => resolve([]), STACKS_MS);
    });
    return Promise.race([this.#eyes.sensor.stacksOf(pids).catch(() => []), late]).finally(() => clearTimeout(timer));
  }

  /** Pids, on the host, of the program's processes. */
  pids(): number[] {
    try {
      const listed = readFileSync(`${this.#cgroup}/cgroup.procs`, "utf8").split("\n").filter(Boolean).map(Number);
      return listed.filter((pid) => pid !== this.#init);
    } catch {
      return [];
    }
  }

  release(): void {
    this.#point?.release();
  }

  #arm({ sensing = "account", limits }: Looked, from?: "exec"): void {
    this.#armed = sensing;
    this.#armedAt_us = Number(process.hrtime.bigint() / 1000n);
    this.#point?.arm({
      sensing,
      ...(from ? { from } : {}),
      rates: limits.rates,
      onDenial: (denial) => this.#tell((listener) => listener.denial(denial)),
      onBreak: (broken) => this.#tell((listener) => listener.broken(broken)),
    });
  }

  #tell(what: (listener: Listener) => void): void {
    if (this.#listener) what(this.#listener);
    else if (this.#early.length < TELEMETRY_BOUNDS.denials) this.#early.push(what);
  }
}

/** The child of pid 1, before it has any program. */
function childOf(init: number): number | undefined {
  try {
    return Number(readFileSync(`/proc/${init}/task/${init}/children`, "latin1").split(" ")[0]) || undefined;
  } catch {
    return undefined;
  }
}

function processOf(pid: number | undefined): Process | null {
  if (pid === undefined) return null;
  try {
    const argv = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").slice(0, -1);
    return { pid, parent: null, exe: readlinkSync(`/proc/${pid}/exe`), argv, started_us: 0, ended_us: null, code: null, signal: null };
  } catch {
    return null;
  }
}

/** A place at the sensor, or why there is none. A sandbox is confined the same without. */
function place({ sensor, missing, log }: Eyes, pid: number, cgroup: string | null): Watchpoint | string {
  if (!sensor) return missing;
  try {
    return sensor.place({ pid, cgroup: cgroup === null ? null : statSync(cgroup, { bigint: true }).ino });
  } catch (error) {
    const why = (error as Error).message;
    log("a sandbox is not seen by the sensor", { why });
    return `the sensor had no place for it: ${why}`;
  }
}
