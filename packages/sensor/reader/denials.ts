import type { Denial, Stack } from "@plastron/contracts";
import { errorName } from "../calls/errors.ts";
import { CALLS, callName, deciding } from "../calls/table.ts";
import { EVENT, FLAG, PART } from "../layout.ts";
import { endpointOf } from "./endpoints.ts";
import { type EventView, partAt } from "./event.ts";
import { asked, walked } from "./path.ts";
import { Table } from "./table.ts";

/** Calls that were refused: equal ones are one. */
export class Denials {
  readonly #table: Table<Denial>;
  readonly #key = new Uint8Array(LONGEST + 24);
  readonly #words = new Uint32Array(this.#key.buffer);

  constructor(bound: number) {
    this.#table = new Table(bound);
  }

  get list(): Denial[] {
    return this.#table.entries;
  }

  get dropped(): number {
    return this.#table.dropped;
  }

  /** Different ones whose stack nobody knows. */
  get withoutStack(): number {
    return this.#table.entries.filter(({ stack }) => stack === null).length + this.#table.dropped;
  }

  /** The denial, where it is the first of its kind and found room. */
  take(event: EventView, us: number, stack: Stack | null): Denial | null {
    const { bytes, from, to } = this.#keyOf(event);
    const salt = Math.imul(event.word(EVENT.number) + 1, 4096) ^ event.result;
    const known = this.#table.find(bytes, from, to, salt);
    if (known !== undefined) {
      known.count++;
      known.stack ??= stack;
      return null;
    }
    return this.#table.add(bytes, from, to, salt, () => denialOf(event, us, stack)) ?? null;
  }

  /**
   * What tells one denial from another: everything but the program's file and those arguments that decide nothing (pointers, sizes,
   * descriptors). So nothing hides behind what libraries try, nor behind another call of the same name (`digest` in calls.bpf.c).
   */
  #keyOf(event: EventView): { bytes: Uint8Array; from: number; to: number } {
    const exe = partAt(event, PART.exe, event.partSize(PART.file) > 0 ? "opened" : "asked");
    const [from, to] = [event.at + EVENT.size, exe < 0 ? event.at + event.size : exe];
    const deciding = DECIDING[event.word(EVENT.number)] as number;
    if (deciding === 0) return { bytes: event.bytes, from, to };
    let at = 0;
    for (let index = 0; index < 6; index++) if (deciding & (1 << index)) this.#words[at++] = event.low(index);
    for (let each = from, end = at * 4; each < to; each++) this.#key[end++] = event.bytes[each] as number;
    return { bytes: this.#key, from: 0, to: at * 4 + to - from };
  }
}

/** The kernel's side has so much room for an event's data. */
const LONGEST = 8192;
const DECIDING = deciding();

function denialOf(event: EventView, us: number, stack: Stack | null): Denial {
  const index = event.word(EVENT.number);
  return {
    t_us: us,
    pid: event.word(EVENT.process),
    comm: event.comm,
    exe: walked(event, PART.exe, "asked"),
    call: callName(index),
    number: index % CALLS,
    abi: event.word(EVENT.flags) & FLAG.ia32 ? "ia32" : "native",
    arguments: Array.from({ length: 6 }, (_, argument) => `0x${event.argument(argument).toString(16)}`),
    errno: errorName(-event.result) as Denial["errno"],
    path: asked(event),
    to: endpointOf(event),
    count: 1,
    stack,
  };
}
