import type { Activity, PathClass, Telemetry } from "@plastron/contracts";
import { errorName } from "../calls/errors.ts";
import { bareName } from "../calls/table.ts";
import { EVENT, PART } from "../layout.ts";
import { type EventView, partAt } from "./event.ts";
import { asked, classOf, walked } from "./path.ts";
import { Table } from "./table.ts";

type FileRow = Telemetry["files"]["list"][number];
export type Opening = Omit<Extract<Activity, { kind: "open" }>, "t_us" | "pid" | "comm">;

const O_ACCMODE = 3;
const O_CREAT = 0o100;
const O_TRUNC = 0o1000;
const O_PATH = 0o10_000_000;
const FMODE_CREATED = 0x10_0000;

/** What was opened, and what was tried. */
export class Files {
  readonly byClass: Partial<Record<PathClass, number>> = {};
  readonly #table: Table<FileRow>;

  constructor(bound: number) {
    this.#table = new Table(bound);
  }

  get list(): FileRow[] {
    return this.#table.entries;
  }

  get dropped(): number {
    return this.#table.dropped;
  }

  take(event: EventView): void {
    const opened = event.partSize(PART.file) > 0;
    const from = partAt(event, opened ? PART.file : PART.asked, opened ? "opened" : "asked");
    if (from < 0) return;
    const to = from + (opened ? event.partSize(PART.file) : event.partSize(PART.asked) + event.partSize(PART.directory));
    const salt = opened ? 1 : 0;
    const row = this.#table.find(event.bytes, from, to, salt) ?? this.#table.add(event.bytes, from, to, salt, () => rowOf(event, opened));
    const place = row?.class ?? classOf(pathOf(event, opened), event.partFlags(PART.file));
    this.byClass[place] = (this.byClass[place] ?? 0) + 1;
    if (row !== undefined) count(row, event);
  }
}

/** An open as it stands in a timeline. */
export function openingOf(event: EventView): Opening {
  const opened = event.partSize(PART.file) > 0;
  const path = pathOf(event, opened);
  const flags = opened ? event.word(EVENT.file_flags) : askedFlags(event);
  return {
    kind: "open",
    path,
    class: classOf(path, event.partFlags(PART.file)),
    asked: !opened,
    access: accessOf(flags),
    create: creates(event),
    truncate: (askedFlags(event) & O_TRUNC) !== 0,
    errno: event.result < 0 ? errorName(-event.result) : null,
  };
}

function rowOf(event: EventView, opened: boolean): FileRow {
  const path = pathOf(event, opened);
  return { path, class: classOf(path, event.partFlags(PART.file)), reads: 0, writes: 0, creates: 0, failures: {} };
}

const pathOf = (event: EventView, opened: boolean): string => (opened ? walked(event, PART.file, "opened") : (asked(event) ?? ""));

function count(row: FileRow, event: EventView): void {
  if (event.result < 0) {
    const name = errorName(-event.result);
    row.failures[name] = (row.failures[name] ?? 0) + 1;
    return;
  }
  const access = accessOf(event.word(EVENT.file_flags));
  if (access === "read" || access === "readwrite") row.reads++;
  if (access === "write" || access === "readwrite") row.writes++;
  if (creates(event)) row.creates++;
}

/** Whether the open made the file: the kernel's word where it succeeded, the program's wish where it did not. */
function creates(event: EventView): boolean {
  return event.result >= 0 ? (event.word(EVENT.file_mode) & FMODE_CREATED) !== 0 : (askedFlags(event) & O_CREAT) !== 0;
}

export function accessOf(flags: number): Opening["access"] {
  if (flags & O_PATH) return "path";
  return (["read", "write", "readwrite", "readwrite"] as const)[flags & O_ACCMODE] as Opening["access"];
}

function askedFlags(event: EventView): number {
  const name = bareName(event.word(EVENT.number));
  if (name === "creat") return O_CREAT | O_TRUNC | 1;
  return event.low(name === "open" ? 1 : 2); // of openat2 the kernel's side put the flags there
}
