import { readFileSync } from "node:fs";
import type { Stack } from "@plastron/contracts";
import type { Accounts } from "../account.ts";
import { EVENT } from "../layout.ts";
import type { EventView } from "./event.ts";
import type { Learn } from "./learning.ts";

export type StackReader = (pid: number, tid: number, options: { budgetMs: number; startTicks?: number }) => Stack;
/** What of the package's `stacks` a reader needs. */
export interface Stacks {
  readStack: StackReader;
  learnBinary: Learn;
}

/** So long a process stands still for its stack at most; past it goes on, read or not. */
export const STOP_MS = 50;
const STANDS_STILL = /^[TtZX]$/;
/** It stops as soon as it wants to leave the kernel: some microseconds, where it gets a processor for them. On a loaded machine it may not for long. */
const AT_LEAST_MS = 8;
const PAUSE_MS = 0.2;
/** In a time namespace with another clock /proc tells other times of beginnings than the kernel's side. */
const CLOCK_IS_THE_KERNELS = /^boottime +0 +0$/m.test(offsets());
const LATE = "reading it took longer than a program is held still for";
const pause = new Int32Array(new SharedArrayBuffer(4));

/** Processes that the kernel's side has stopped at a denied call: their stack is read, and they go on. */
export class Stops {
  readonly #accounts: Accounts;
  readonly #read: StackReader;

  constructor(accounts: Accounts, read: StackReader) {
    this.#accounts = accounts;
    this.#read = read;
  }

  /** Null where it did not come to stand. */
  stackOf(event: EventView): Stack | null {
    const slot = event.half(EVENT.slot);
    const pid = event.word(EVENT.process);
    if (this.#accounts.get(slot, "stopped") !== pid) return null;
    try {
      if (hasStopped(pid, event.word(EVENT.thread), event.time / 1e6)) return this.#readOf(slot, event);
      this.#accounts.add(slot, "skipped", 1);
      return null;
    } finally {
      this.goOn(slot);
    }
  }

  #readOf(slot: number, event: EventView): Stack {
    const pid = event.word(EVENT.process);
    const began = CLOCK_IS_THE_KERNELS ? { startTicks: event.word(EVENT.started) } : {};
    const stack = this.#read(pid, event.word(EVENT.thread), { budgetMs: STOP_MS, ...began });
    // Somebody else saw to it that it goes on (KernelSensor): what was read since is of another moment, or of a process that has ended.
    return this.#accounts.get(slot, "stopped") === pid ? stack : { ...stack, incomplete: LATE };
  }

  /** Whatever is stopped there. */
  goOn(slot: number): void {
    letGo(this.#accounts, slot);
  }

  /** One whose event was lost or has to wait. */
  goOnAfter(slot: number, now: number): void {
    if (this.#accounts.get(slot, "stopped") !== 0 && now - this.#accounts.count(slot, "stopped_at") / 1e6 > STOP_MS) this.goOn(slot);
  }
}

/** The only signal that anything here sends. To a process that goes on already it says nothing. */
export function letGo(accounts: Accounts, slot: number): void {
  const pid = accounts.get(slot, "stopped");
  if (pid === 0) return;
  try {
    process.kill(pid, "SIGCONT");
  } catch {
    // It was killed while it stood.
  }
  accounts.set(slot, "stopped", 0);
}

function hasStopped(pid: number, tid: number, since: number): boolean {
  const until = Math.max(monotonicMs() + AT_LEAST_MS, since + STOP_MS);
  do {
    if (STANDS_STILL.test(stateOf(pid, tid))) return true;
    Atomics.wait(pause, 0, 0, PAUSE_MS); // it may need this very processor
  } while (monotonicMs() < until);
  return false;
}

/** The clock that the kernel's side reads, too. */
export const monotonicMs = (): number => Number(process.hrtime.bigint()) / 1e6;

function offsets(): string {
  try {
    return readFileSync("/proc/self/timens_offsets", "latin1");
  } catch {
    return "boottime 0 0"; // a kernel without them
  }
}

function stateOf(pid: number, tid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/task/${tid}/stat`, "latin1");
    return stat.charAt(stat.lastIndexOf(")") + 2);
  } catch {
    return "X";
  }
}
