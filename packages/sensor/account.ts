import { CALLS } from "./calls/table.ts";
import { map } from "./kernel/libbpf.ts";
import { ACCOUNT, ERRORS, PLACES } from "./layout.ts";

type Counter = Exclude<keyof typeof ACCOUNT, "size" | "errors" | "calls" | "denied_by" | "arguments_done" | "armed_at" | "stopped_at">;
const WORDS = ACCOUNT.size / 4;

/** The counters of all places, in memory that is shared with the kernel: reading and arming cost no system call. */
export class Accounts {
  readonly #words: Int32Array<ArrayBuffer>;
  readonly #bytes: Uint8Array<ArrayBuffer>;
  readonly unmap: () => void;

  /** @throws Error */
  constructor(fd: number) {
    const { buffer, unmap } = map(fd, PLACES * ACCOUNT.size, "write");
    this.#words = new Int32Array(buffer);
    this.#bytes = new Uint8Array(buffer);
    this.unmap = unmap;
  }

  /** A field of 32 bits. */
  get(slot: number, field: Counter): number {
    return Atomics.load(this.#words, slot * WORDS + ACCOUNT[field] / 4) >>> 0;
  }

  set(slot: number, field: Counter, value: number): void {
    Atomics.store(this.#words, slot * WORDS + ACCOUNT[field] / 4, value | 0);
  }

  add(slot: number, field: Counter, value: number): void {
    Atomics.add(this.#words, slot * WORDS + ACCOUNT[field] / 4, value | 0);
  }

  /** Its two halves: a set of bits. */
  halves(slot: number, field: "capabilities"): [low: number, high: number] {
    const word = slot * WORDS + ACCOUNT[field] / 4;
    return [this.#words[word] as number, this.#words[word + 1] as number];
  }

  /** A field of 64 bits; exact up to 2^53. */
  count(slot: number, field: keyof typeof ACCOUNT): number {
    return this.#wide(slot * WORDS + ACCOUNT[field] / 4);
  }

  /** All that is not zero of one of the three arrays. */
  *each(slot: number, field: "errors" | "calls" | "denied_by"): Iterable<[index: number, count: number]> {
    const wide = field === "calls";
    const first = slot * WORDS + ACCOUNT[field] / 4;
    const length = field === "errors" ? ERRORS : 2 * CALLS;
    for (let index = 0; index < length; index++) {
      const count = wide ? this.#wide(first + index * 2) : (this.#words[first + index] as number) >>> 0;
      if (count > 0) yield [index, count];
    }
  }

  /** Everything to zero, then the agent's own fields; `generation` last: from then on it is counted. */
  arm(slot: number, values: { generation: number; sensing: number; armedAt: bigint; stacks: number }): void {
    const first = slot * ACCOUNT.size;
    this.set(slot, "generation", 0);
    this.#bytes.fill(0, first, first + ACCOUNT.size);
    this.set(slot, "sensing", values.sensing);
    this.#words[slot * WORDS + ACCOUNT.armed_at / 4] = Number(BigInt.asIntN(32, values.armedAt));
    this.#words[slot * WORDS + ACCOUNT.armed_at / 4 + 1] = Number(BigInt.asIntN(32, values.armedAt >> 32n));
    this.set(slot, "stacks", values.stacks);
    this.set(slot, "generation", values.generation);
  }

  /** Of an argument there are too many values: the kernel's side tells no more of them. */
  endArgument(slot: number, index: number, argument: number): void {
    const at = slot * ACCOUNT.size + ACCOUNT.arguments_done + index;
    this.#bytes[at] = (this.#bytes[at] as number) | (1 << argument);
  }

  #wide(word: number): number {
    return ((this.#words[word + 1] as number) >>> 0) * 0x1_0000_0000 + ((this.#words[word] as number) >>> 0);
  }
}
