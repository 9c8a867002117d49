interface Link<Entry> {
  key: Uint8Array;
  salt: number;
  entry: Entry;
  next: Link<Entry> | undefined;
}

const REMEMBERED = 10_000;

/**
 * Entries by bytes, found without making a string of them: floods ask for the same again and again. Holds at most `bound` entries;
 * of what is beyond it counts how many different there are, as far as it remembers them.
 */
export class Table<Entry> {
  readonly entries: Entry[] = [];
  readonly #bound: number;
  readonly #chains = new Map<number, Link<Entry>>();
  readonly #beyond = new Set<number>();

  constructor(bound: number) {
    this.#bound = bound;
  }

  /** Different keys that found no room. */
  get dropped(): number {
    return this.#beyond.size;
  }

  find(bytes: Uint8Array, from: number, to: number, salt: number): Entry | undefined {
    let link = this.#chains.get(hash(bytes, from, to, salt));
    while (link !== undefined && !(link.salt === salt && same(link.key, bytes, from, to))) link = link.next;
    return link?.entry;
  }

  /** Makes the entry where there is room for it. */
  add(bytes: Uint8Array, from: number, to: number, salt: number, make: () => Entry): Entry | undefined {
    const code = hash(bytes, from, to, salt);
    if (this.entries.length >= this.#bound) {
      if (this.#beyond.size < REMEMBERED) this.#beyond.add(code);
      return undefined;
    }
    const entry = make();
    this.#chains.set(code, { key: bytes.slice(from, to), salt, entry, next: this.#chains.get(code) });
    this.entries.push(entry);
    return entry;
  }
}

/** FNV-1a. Keys that a program makes collide are still told apart; they only cost time. */
function hash(bytes: Uint8Array, from: number, to: number, salt: number): number {
  let code = 0x811c9dc5 ^ salt;
  for (let at = from; at < to; at++) code = Math.imul(code ^ (bytes[at] as number), 0x01000193);
  return code;
}

function same(key: Uint8Array, bytes: Uint8Array, from: number, to: number): boolean {
  if (key.length !== to - from) return false;
  for (let at = 0; at < key.length; at++) if (key[at] !== bytes[from + at]) return false;
  return true;
}
