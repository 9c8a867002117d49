import { EVENT } from "../layout.ts";

/** One event where it lies in the ring. The same object is moved from event to event. */
export class EventView {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly #words: Uint32Array<ArrayBuffer>;
  readonly #halves: Uint16Array<ArrayBuffer>;
  at = 0;
  size = 0;

  constructor(bytes: Uint8Array<ArrayBuffer>) {
    this.bytes = bytes;
    this.#words = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
    this.#halves = new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 2);
  }

  move(at: number, size: number): void {
    this.at = at;
    this.size = size;
  }

  half(field: number): number {
    return this.#halves[(this.at + field) >>> 1] as number;
  }

  word(field: number): number {
    return this.#words[(this.at + field) >>> 2] as number;
  }

  /** Signed, where it is known to be small. */
  get result(): number {
    return this.word(EVENT.result) | 0;
  }

  /** Nanoseconds; a double is exact to the microsecond for as long as a host is up. */
  get time(): number {
    return this.word(EVENT.time + 4) * 0x1_0000_0000 + this.word(EVENT.time);
  }

  argument(index: number): bigint {
    const at = EVENT.arguments + index * 8;
    return (BigInt(this.word(at + 4)) << 32n) | BigInt(this.word(at));
  }

  /** Its low half, which is all of an int. */
  low(index: number): number {
    return this.word(EVENT.arguments + index * 8);
  }

  get comm(): string {
    const from = this.at + EVENT.comm;
    let to = from;
    while (to < from + 16 && this.bytes[to] !== 0) to++;
    return text(this.bytes, from, to);
  }

  partSize(part: number): number {
    return this.half(EVENT.parts + part * 2);
  }

  partFlags(part: number): number {
    return this.bytes[this.at + EVENT.part_flags + part] as number;
  }
}

/** Where each part of the event's data begins, in the order in which the kernel's side added them. */
const ORDERS: Record<"opened" | "asked" | "exec", readonly number[]> = { opened: [0, 4, 5], asked: [1, 3, 2, 4, 5], exec: [0, 1] };

/** The offset of a part in the ring; -1 where the event has none. */
export function partAt(event: EventView, part: number, order: keyof typeof ORDERS): number {
  let at = event.at + EVENT.size;
  for (const each of ORDERS[order]) {
    const size = event.partSize(each);
    if (each === part) return size === 0 ? -1 : at;
    at += size;
  }
  return -1;
}

/** Any bytes as text that JSON can carry: what is no UTF-8 becomes U+FFFD. */
export function text(bytes: Uint8Array, from: number, to: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + from, to - from).toString("utf8");
}
