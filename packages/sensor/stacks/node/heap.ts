import type { Engine } from "../elf/engine.ts";
import { type Memory, Unreadable } from "../memory.ts";

/** Longer text is cut. */
const MAX_CHARACTERS = 1100;
const MAX_DEPTH = 32;

/** V8's heap, by the constants that V8 leaves for debuggers: objects are addresses with their lowest bit set, small integers have it clear. */
export class Heap {
  readonly memory: Memory;
  readonly #engine: Engine;

  constructor(memory: Memory, engine: Engine) {
    this.memory = memory;
    this.#engine = engine;
    if (this.constant("TaggedSize") !== 8) throw new Unreadable("the heap of this Node is laid out in a way that is not read");
  }

  knows(name: string): boolean {
    return this.#engine.constants.has(name);
  }

  constant(name: string): number {
    const value = this.#engine.constants.get(name);
    if (value === undefined) throw new Unreadable(`Node does not say ${name}`);
    return value;
  }

  /** Where a field lies in its class: the first of these that this version has. Types of fields are part of the names. */
  offset(field: string, ...others: string[]): number {
    const known = this.#engine.offsets.get(field);
    if (known !== undefined) return known;
    for (const wanted of [field, ...others]) {
      const name = [...this.#engine.constants.keys()].find((one) => one.startsWith(`class_${wanted}__`));
      if (name === undefined) continue;
      const value = this.constant(name);
      this.#engine.offsets.set(field, value);
      return value;
    }
    throw new Unreadable(`Node does not say where ${field} lies`);
  }

  /** Whether this version has such a field. */
  has(field: string): boolean {
    return [...this.#engine.constants.keys()].some((one) => one.startsWith(`class_${field}__`));
  }

  field(object: number, offset: number): number {
    return this.memory.u64(object - 1 + offset);
  }

  /** An object's type; null where the value is no object. */
  typeOf(value: number): number | null {
    if (value % 4 !== 1) return null;
    const map = this.field(value, 0);
    return map % 4 === 1 ? this.memory.bytes(map - 1 + this.offset("Map__instance_type"), 2).readUInt16LE() : null;
  }

  isString(value: number): boolean {
    const type = this.typeOf(value);
    return type !== null && type < this.constant("FirstNonstringType");
  }

  /** A small integer at an address: the upper half of a word. */
  smi(address: number): number | null {
    const word = this.memory.bytes(address, 8);
    return word.readUInt32LE() === 0 ? word.readInt32LE(4) : null;
  }

  /** Text of a string, at most `MAX_CHARACTERS` of it. */
  text(value: number): string {
    return this.#text(value, MAX_CHARACTERS, 0);
  }

  /** Characters `from` to `to` of a string that lies in one piece, as bytes; null of one that does not. */
  flat(value: number): { address: number; length: number; width: 1 | 2 } | null {
    let string = value;
    for (let depth = 0; depth < MAX_DEPTH; depth++) {
      const type = this.typeOf(string);
      if (type === null || type >= this.constant("FirstNonstringType")) return null;
      const width = (type & this.constant("StringEncodingMask")) === this.constant("OneByteStringTag") ? 1 : 2;
      const length = this.memory.i32(string - 1 + this.offset("String__length"));
      switch (type & this.constant("StringRepresentationMask")) {
        case 0: {
          const chars = width === 1 ? this.offset("SeqOneByteString__chars") : this.offset("SeqTwoByteString__chars");
          return { address: string - 1 + chars, length, width };
        }
        case this.constant("ThinStringTag"):
          string = this.field(string, this.offset("ThinString__actual"));
          break;
        case this.constant("ExternalStringTag"):
          // Behind the resource, V8 keeps where its characters are.
          return { address: this.field(string, this.offset("ExternalString__resource") + 8), length, width };
        case this.constant("ConsStringTag"): {
          // One that was made flat: all of it is in the first half.
          const second = this.field(string, this.offset("ConsString__second"));
          if (this.memory.i32(second - 1 + this.offset("String__length")) !== 0) return null;
          string = this.field(string, this.offset("ConsString__first"));
          break;
        }
        default:
          return null;
      }
    }
    return null;
  }

  #text(value: number, limit: number, depth: number): string {
    const flat = this.flat(value);
    if (flat !== null) {
      const length = Math.max(0, Math.min(flat.length, limit));
      return this.memory.bytes(flat.address, length * flat.width).toString(flat.width === 1 ? "latin1" : "utf16le");
    }
    const type = this.typeOf(value);
    const isCons =
      type !== null && type < this.constant("FirstNonstringType") && (type & this.constant("StringRepresentationMask")) === this.constant("ConsStringTag");
    if (!isCons || depth > MAX_DEPTH || limit <= 0) return "";
    const first = this.#text(this.field(value, this.offset("ConsString__first")), limit, depth + 1);
    return first + this.#text(this.field(value, this.offset("ConsString__second")), limit - first.length, depth + 1);
  }
}
