/** What the first bytes of a TLS stream say. `more`: not all of it is there yet. */
export type Hello = { kind: "more" } | { kind: "bad"; why: string } | { kind: "hello"; name: string | null; encrypted: boolean };

const HANDSHAKE = 22;
const CLIENT_HELLO = 1;
const SERVER_NAME = 0;
const ENCRYPTED_HELLO = 0xfe0d;
/** Larger than any client's with post-quantum keys; a longer one is made to be long. */
export const MAX_HELLO = 16_384;
/** No client cuts one hello into more: it would only make us put it together again and again. */
const MAX_RECORDS = 16;

/**
 * The ClientHello (RFC 8446, 4.1.2) at the start of `bytes`, put together from its records. Strict: two name extensions, two names in one,
 * or lengths that do not add up are `bad`, because a server might read them in another way than we do.
 */
export function readHello(bytes: Buffer): Hello {
  const message: Buffer[] = [];
  for (let at = 0; ; ) {
    const whole = Buffer.concat(message);
    if (whole.length >= 4) {
      const length = whole.readUIntBE(1, 3);
      if (whole[0] !== CLIENT_HELLO || length > MAX_HELLO) return bad("no ClientHello");
      if (whole.length >= 4 + length) return new Fields(whole.subarray(4, 4 + length)).hello();
    }
    if (bytes.length < at + 5) return bytes.length > MAX_HELLO + 1024 ? bad("too long") : { kind: "more" };
    const size = bytes.readUInt16BE(at + 3);
    if (bytes[at] !== HANDSHAKE || bytes[at + 1] !== 3 || size === 0 || size > 16_384) return bad("no TLS record");
    if (bytes.length < at + 5 + size) return bytes.length > MAX_HELLO + 1024 ? bad("too long") : { kind: "more" };
    if (message.length === MAX_RECORDS) return bad("too many records");
    message.push(bytes.subarray(at + 5, at + 5 + size));
    at += 5 + size;
  }
}

function bad(why: string): Hello {
  return { kind: "bad", why };
}

class Malformed extends Error {}

class Fields {
  #rest: Buffer;
  constructor(bytes: Buffer) {
    this.#rest = bytes;
  }

  hello(): Hello {
    try {
      this.#take(34); // version, random
      this.#vector(1); // session
      this.#vector(2); // cipher suites
      this.#vector(1); // compression
      const extensions = this.#rest.length === 0 ? Buffer.alloc(0) : this.#vector(2);
      if (this.#rest.length > 0) return bad("bytes after the extensions");
      return new Fields(extensions).#extensions();
    } catch (error) {
      if (error instanceof Malformed) return bad("lengths that do not add up");
      throw error;
    }
  }

  #extensions(): Hello {
    let name: string | null = null;
    let encrypted = false;
    const seen = new Set<number>();
    while (this.#rest.length > 0) {
      const type = this.#take(2).readUInt16BE(0);
      const body = this.#vector(2);
      if (seen.has(type)) return bad("an extension twice");
      seen.add(type);
      if (type === ENCRYPTED_HELLO) encrypted = true;
      if (type === SERVER_NAME) name = new Fields(body).#serverName();
    }
    return { kind: "hello", name, encrypted };
  }

  #serverName(): string {
    const list = new Fields(this.#vector(2));
    const type = list.#take(1)[0];
    const name = list.#vector(2).toString("latin1").toLowerCase();
    if (type !== 0 || list.#rest.length > 0 || this.#rest.length > 0 || !/^[a-z0-9._-]{1,253}$/.test(name)) throw new Malformed();
    return name;
  }

  #take(count: number): Buffer {
    if (this.#rest.length < count) throw new Malformed();
    const taken = this.#rest.subarray(0, count);
    this.#rest = this.#rest.subarray(count);
    return taken;
  }

  #vector(lengthBytes: number): Buffer {
    return this.#take(this.#take(lengthBytes).readUIntBE(0, lengthBytes));
  }
}
