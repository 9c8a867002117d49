import type { Activity, Telemetry } from "@plastron/contracts";
import { signalName } from "../calls/errors.ts";
import { EVENT, FLAG, PART, PART_FLAG } from "../layout.ts";
import { type EventView, partAt, text } from "./event.ts";
import { walked } from "./path.ts";

type Row = Telemetry["processes"]["list"][number];
export type Ended = Pick<Extract<Activity, { kind: "exit" }>, "code" | "signal">;

/** Processes of which it is remembered that they live; a run may not have more (limits.pids). */
const LIVING = 8192;
const SIGKILL = "SIGKILL";

/** The processes of a run: those that were there when it began, and what came of them. */
export class Processes {
  readonly list: Row[] = [];
  readonly #bound: number;
  readonly #living = new Map<number, Row & { born: boolean }>();
  #programEnded = false;
  #outlived = false;
  dropped = 0;
  deleted = false;
  anonymous = false;

  constructor(bound: number) {
    this.#bound = bound;
  }

  /** Processes that the program started are still there, or had to be killed after its own had ended. */
  get outlived(): boolean {
    return this.#outlived || [...this.#living.values()].some((process) => process.born);
  }

  fork(event: EventView, us: number): void {
    if (event.word(EVENT.flags) & FLAG.thread) return;
    const parent = this.#know(event);
    this.#add({ ...unstarted(event.result, us), parent: event.word(EVENT.process), exe: parent.exe, argv: parent.argv }, true);
  }

  exec(event: EventView): Pick<Extract<Activity, { kind: "exec" }>, "path" | "argv" | "argv_truncated"> {
    const path = walked(event, PART.file, "exec");
    const flags = event.partFlags(PART.file);
    this.anonymous ||= (flags & PART_FLAG.anonymous) !== 0;
    this.deleted ||= (flags & PART_FLAG.deleted) !== 0 && (flags & PART_FLAG.anonymous) === 0;
    const argv = argvOf(event);
    const row = this.#living.get(event.word(EVENT.process)) ?? this.#add(unstarted(event.word(EVENT.process), 0), false);
    row.exe = path;
    row.argv = argv;
    return { path, argv, argv_truncated: (event.partFlags(PART.asked) & PART_FLAG.cut) !== 0 };
  }

  exit(event: EventView, us: number): Ended {
    const pid = event.word(EVENT.process);
    const ended = endOf(event.result);
    const row = this.#know(event);
    Object.assign(row, { ended_us: us, ...ended });
    this.#living.delete(pid);
    if (row.born) this.#outlived ||= this.#programEnded && ended.signal === SIGKILL;
    else this.#programEnded = true;
    return ended;
  }

  /** One that was there before the run shows itself by what it does. */
  #know(event: EventView): Row & { born: boolean } {
    const pid = event.word(EVENT.process);
    return this.#living.get(pid) ?? this.#add({ ...unstarted(pid, 0), exe: walked(event, PART.exe, "asked"), argv: argvOf(event) }, false);
  }

  #add(row: Row, born: boolean): Row & { born: boolean } {
    const process = Object.defineProperty(row, "born", { value: born, enumerable: false }) as Row & { born: boolean };
    if (this.list.length < this.#bound) this.list.push(row);
    else this.dropped++;
    if (this.#living.size < LIVING) this.#living.set(row.pid, process);
    return process;
  }
}

const unstarted = (pid: number, us: number): Row => ({ pid, parent: null, exe: "", argv: [], started_us: us, ended_us: null, code: null, signal: null });

/** Text up to each NUL. The last may be cut. */
function argvOf(event: EventView): string[] {
  const at = partAt(event, PART.asked, "exec");
  if (at < 0) return [];
  const all = text(event.bytes, at, at + event.partSize(PART.asked));
  return (all.endsWith("\0") ? all.slice(0, -1) : all).split("\0");
}

/** A wait status: how the process ended. */
function endOf(status: number): Ended {
  const signal = status & 0x7f;
  return signal === 0 ? { code: (status >> 8) & 0xff, signal: null } : { code: null, signal: signalName(signal) };
}
