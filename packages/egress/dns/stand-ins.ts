import { randomInt } from "node:crypto";
import { type Address, isV4, parseAddress } from "../address/address.ts";

/** More names than a program needs; each costs us some memory until its sandbox goes. */
const MAX_NAMES = 1024;
/** 198.18.0.0/15 is for benchmarks of networks (RFC 2544): no host has such an address. The first 256 are ours (nameserver). */
const SLOTS = (1 << 17) - 512;
const V6_PREFIX = parseAddress("fd70:6c61:7374:726f::") as Address;

/**
 * The addresses that stand for names in one sandbox. A program that connects to one has thereby said which name it means, and
 * what that name leads to is looked up then, by us: an answer can be no lie, and cannot change between a check and its use.
 * Slots begin at random, so that an address kept from before a restart hardly ever stands for another name.
 */
export class StandIns {
  readonly #slots = new Map<string, number>();
  readonly #names = new Map<number, string>();
  #next = randomInt(SLOTS);

  /** Undefined when the sandbox has used up its names. */
  slotOf(name: string): number | undefined {
    const known = this.#slots.get(name);
    if (known !== undefined) return known;
    if (this.#slots.size >= MAX_NAMES) return undefined;
    const slot = this.#next;
    this.#next = (this.#next + 1) % SLOTS;
    this.#slots.set(name, slot);
    this.#names.set(slot, name);
    return slot;
  }

  /** The name; null for an address of our ranges that stands for nothing; undefined for every other address. */
  nameOf(address: Address): string | null | undefined {
    const v4 = isV4(address) && address[12] === 198 && ((address[13] as number) & 0xfe) === 18;
    const v6 = !v4 && V6_PREFIX.subarray(0, 8).every((byte, i) => byte === address[i]);
    if (!v4 && !v6) return undefined;
    const low = new DataView(address.buffer, address.byteOffset).getUint32(12);
    if (v6 && address.subarray(8, 12).some((byte) => byte !== 0)) return null;
    return this.#names.get(v4 ? (low & 0x1ffff) - 256 : low) ?? null;
  }
}

/** The slot's address as a record's data: four bytes for A, sixteen for AAAA. */
export function slotAddress(slot: number, family: 4 | 6): Uint8Array {
  const bytes = Buffer.from(family === 6 ? V6_PREFIX : new Uint8Array(4));
  bytes.writeUInt32BE(family === 6 ? slot : 0xc6120000 + 256 + slot, family === 6 ? 12 : 0);
  return bytes;
}
