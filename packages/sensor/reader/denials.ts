import type { Denial, Stack } from "@plastron/contracts";
import { errorName } from "../calls/errors.ts";
import { NATIVE } from "../calls/names.ts";
import { CALLS, callName } from "../calls/table.ts";
import { EVENT, FLAG, PART } from "../layout.ts";
import { endpointOf } from "./endpoints.ts";
import { type EventView, partAt } from "./event.ts";
import { asked, walked } from "./path.ts";
import { Table } from "./table.ts";

/** Calls that were refused: equal ones are one. */
export class Denials {
  readonly #table: Table<Denial>;

  constructor(bound: number) {
    this.#table = new Table(bound);
  }

  get list(): Denial[] {
    return this.#table.entries;
  }

  get dropped(): number {
    return this.#table.dropped;
  }

  /** The denial, where it is the first of its kind and found room. */
  take(event: EventView, us: number, stack: Stack | null): Denial | null {
    const [from, to] = keyOf(event);
    const salt = Math.imul(event.word(EVENT.number) + 1, 4096) ^ event.result;
    const known = this.#table.find(event.bytes, from, to, salt);
    if (known !== undefined) {
      known.count++;
      known.stack ??= stack;
      return null;
    }
    return this.#table.add(event.bytes, from, to, salt, () => denialOf(event, us, stack)) ?? null;
  }
}

/**
 * Where in the event stands what tells one denial from another: everything but the program's file and, of a call without a path or
 * address, its arguments; of some calls those, so that nothing hides behind what libraries do (policy/explain/probes.ts).
 */
function keyOf(event: EventView): [from: number, to: number] {
  const telling = TELLING.get(event.word(EVENT.number));
  if (telling) {
    const [first, end] = telling;
    return [event.at + EVENT.arguments + 8 * first, event.at + EVENT.arguments + 8 * end];
  }
  const exe = partAt(event, PART.exe, event.partSize(PART.file) > 0 ? "opened" : "asked");
  return [event.at + EVENT.size, exe < 0 ? event.at + event.size : exe];
}

/** Number of a call → its arguments that count: from the first, up to the end. */
const TELLING: ReadonlyMap<number, readonly [first: number, end: number]> = new Map(
  Object.entries({ socket: [0, 3], socketpair: [0, 3], mbind: [2, 6], set_mempolicy: [0, 1] } as const).flatMap(([name, range]) =>
    NATIVE.includes(name) ? [[NATIVE.indexOf(name), range] as const] : [],
  ),
);

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
