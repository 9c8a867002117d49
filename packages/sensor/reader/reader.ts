import { Accounts } from "../account.ts";
import { map, native } from "../kernel/libbpf.ts";
import { CONTROL, EVENT, PLACES } from "../layout.ts";
import { Board } from "./board.ts";
import { EventView } from "./event.ts";
import { Learning } from "./learning.ts";
import type { FromReader, ReaderData, ToReader } from "./messages.ts";
import { Rates } from "./rates.ts";
import { Ring } from "./ring.ts";
import { Run, type Surroundings } from "./run.ts";
import { monotonicMs, type Stacks, Stops } from "./stops.ts";

/** So often rates are looked at while a place is armed. */
const LOOK_MS = 20;
const IDLE_MS = 1000;
/** So much is read between two looks at messages and rates. */
const CHUNK = 4 * 1024 * 1024;
const STACK_BURST = 4;
const STACK_EVERY_MS = 100;
const EPOLLIN = 1;
const EPOLLET = 0x8000_0000;

/** Reads the ring, gathers each run's account from it, and tells it when it is asked. */
export class Reader {
  readonly hasStacks: boolean;
  readonly #data: ReaderData;
  readonly #tell: (message: FromReader) => void;
  readonly #accounts: Accounts;
  readonly #ring: Ring;
  readonly #event: EventView;
  readonly #board: Board;
  readonly #rates: Rates;
  readonly #stops: Stops | null;
  readonly #learning: Learning | null;
  readonly #around: Surroundings;
  readonly #waiting: Int32Array<ArrayBuffer>;
  readonly #epoll: number;
  readonly #runs: (Run | undefined)[] = [];
  /** The last generation of each place whose account was told or given up. */
  readonly #done: number[];
  readonly #touched = new Set<Run>();
  #looked = 0;
  #refilled = 0;

  constructor(data: ReaderData, stacks: Stacks | null, tell: (message: FromReader) => void) {
    this.#data = data;
    this.#tell = tell;
    this.hasStacks = stacks !== null;
    this.#accounts = new Accounts(data.fds.accounts);
    this.#ring = new Ring(data.fds.ring, data.ringBytes);
    this.#event = new EventView(this.#ring.bytes);
    this.#board = new Board(data.board);
    this.#rates = new Rates(this.#accounts, this.#board);
    this.#stops = stacks === null ? null : new Stops(this.#accounts, stacks.readStack);
    this.#learning = stacks === null ? null : new Learning(data.interpreters, stacks.learnBinary);
    this.#waiting = new Int32Array(map(data.fds.controls, CONTROL.size, "write").buffer, CONTROL.waiting, 1);
    this.#done = Array.from({ length: PLACES }, () => data.after);
    this.#epoll = watch([
      [data.fds.ring, EPOLLIN | EPOLLET], // only what the kernel's side thinks worth it wakes us
      [data.fds.wake, EPOLLIN],
    ]);
    this.#around = {
      accounts: this.#accounts,
      flowsFd: data.fds.flows,
      bounds: data.bounds,
      stackOf: (event) => this.#stops?.stackOf(event) ?? null,
      onDenial: (slot, generation, denial) => tell({ kind: "denial", slot, generation, denial }),
    };
  }

  get isLeaving(): boolean {
    return this.#board.isLeaving;
  }

  /** Reads what is there, and then sleeps until there is more or something is due. */
  wait(): void {
    this.#read(this.#ring.position + CHUNK);
    this.#look();
    if (this.#ring.produced() > this.#ring.position) return;
    if (this.#learning?.isDone === false && !this.#isAnyArmed()) {
      this.#learning.next();
      return;
    }
    Atomics.store(this.#waiting, 0, 1);
    this.#board.isAsleep = !this.#isAnyArmed();
    // What was written while we said so did not wake us; this call also lets a writer come to its end.
    const woken = this.#poll(0);
    if (!woken && this.#ring.produced() === this.#ring.position) this.#poll(this.#isAnyArmed() ? LOOK_MS : IDLE_MS);
    this.#board.isAsleep = false;
    Atomics.store(this.#waiting, 0, 0);
  }

  answer(message: ToReader): void {
    const { slot, generation } = message;
    if (message.kind === "collect") {
      this.#read(this.#ring.produced());
      const isMine = generation > this.#data.after;
      const run = this.#runOf(slot, generation) ?? new Run(slot, generation, this.#around);
      const reasons = [...this.#data.missing, ...(isMine ? [] : ["the reader of events was restarted: lists are incomplete"])];
      this.#tell({ kind: "collected", id: message.id, telemetry: run.tell(reasons.length === 0 ? null : reasons.join("; ")) });
    }
    this.#stops?.goOn(slot);
    this.#done[slot] = Math.max(this.#done[slot] as number, generation);
    if ((this.#runs[slot]?.generation ?? 0) <= generation) this.#runs[slot] = undefined;
  }

  /** Up to a position in the ring, and all of it: what a program is writing at the moment is waited for. */
  #read(to: number): void {
    while (this.#ring.position < Math.min(to, this.#ring.produced())) {
      this.#ring.drain((at, size) => this.#take(at, size), to - this.#ring.position);
      this.#giveBack();
    }
  }

  #take(at: number, size: number): void {
    const event = this.#event;
    event.move(at, size);
    const run = this.#runOf(event.half(EVENT.slot), event.word(EVENT.generation));
    if (run === undefined) return;
    if (run.taken === 0) this.#touched.add(run);
    run.taken += ((size + 7) & ~7) + 8;
    run.take(event);
    // A flood would else have to wait for the end of the whole chunk.
    if (run.taken > 256 * 1024) this.#giveBack();
  }

  #giveBack(): void {
    for (const run of this.#touched) {
      if (this.#accounts.get(run.slot, "generation") === run.generation) this.#accounts.add(run.slot, "consumed", run.taken);
      run.taken = 0;
    }
    this.#touched.clear();
  }

  #runOf(slot: number, generation: number): Run | undefined {
    const run = this.#runs[slot];
    if (run?.generation === generation) return run;
    if (generation <= (this.#done[slot] as number) || generation < (run?.generation ?? 0)) return undefined;
    const made = new Run(slot, generation, this.#around);
    this.#runs[slot] = made;
    return made;
  }

  /** Rates, stops that last too long, and stacks that may be taken again. */
  #look(): void {
    const now = monotonicMs();
    if (now - this.#looked < LOOK_MS) return;
    this.#looked = now;
    const refills = now - this.#refilled >= STACK_EVERY_MS;
    if (refills) this.#refilled = now;
    for (let slot = 0; slot < PLACES; slot++) {
      const generation = this.#accounts.get(slot, "generation");
      this.#stops?.goOnAfter(slot, now);
      if (generation === 0) continue;
      if (refills) this.#refill(slot, generation);
      const broken = this.#rates.look(slot, generation, now);
      if (broken !== null) this.#tell({ kind: "broken", slot, generation, broken });
    }
  }

  #refill(slot: number, generation: number): void {
    const run = this.#runOf(slot, generation);
    if (run === undefined || !this.hasStacks || run.stacks >= this.#data.bounds.stacks || this.#accounts.get(slot, "stacks") >= STACK_BURST) return;
    run.stacks++;
    this.#accounts.add(slot, "stacks", 1);
  }

  #isAnyArmed(): boolean {
    for (let slot = 0; slot < PLACES; slot++) if (this.#accounts.get(slot, "generation") !== 0) return true;
    return false;
  }

  #poll(timeout: number): boolean {
    const events = new Uint8Array(24);
    const ready = native().epollWait(this.#epoll, events, 2, timeout);
    if (ready > 0) native().read(this.#data.fds.wake, new Uint8Array(8), 8);
    return ready > 0;
  }
}

function watch(fds: [fd: number, events: number][]): number {
  const calls = native();
  const epoll = calls.epollCreate(0o2000000);
  for (const [fd, events] of fds) {
    const event = new Uint8Array(16);
    new DataView(event.buffer).setUint32(0, events >>> 0, true);
    if (calls.epollCtl(epoll, 1, fd, event) !== 0) throw new Error(`the sensor's ring cannot be waited for: ${calls.why()}`);
  }
  return epoll;
}
