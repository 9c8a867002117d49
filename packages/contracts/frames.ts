/**
 * The one frame format, used on every stream inside Plastron (server ↔ agent, agent ↔ supervisor):
 *
 *     u8 type (an ASCII letter) · u32 length, little endian · payload
 *
 * One connection carries one run; see wire.ts for the letters.
 */
export const FRAME_HEADER = 5;
/** A longer frame is a protocol error: the peer is broken or hostile. */
export const MAX_FRAME = 64 * 1024 * 1024;

export interface Frame {
  type: string;
  payload: Uint8Array;
}

export function encodeFrame(type: string, payload: Uint8Array | string = ""): Uint8Array {
  const body = typeof payload === "string" ? new TextEncoder().encode(payload) : payload;
  const out = new Uint8Array(FRAME_HEADER + body.length);
  out[0] = type.charCodeAt(0);
  new DataView(out.buffer).setUint32(1, body.length, true);
  out.set(body, FRAME_HEADER);
  return out;
}

/** Feed chunks in, get whole frames out. Throws RangeError on a frame longer than `max`. */
export class FrameReader {
  #chunks: Uint8Array[] = [];
  #size = 0;
  readonly #max: number;
  constructor(max: number = MAX_FRAME) {
    this.#max = max;
  }

  push(chunk: Uint8Array): Frame[] {
    this.#chunks.push(chunk);
    this.#size += chunk.length;
    if (this.#size < FRAME_HEADER || this.#size < this.#needed()) return [];
    const data = this.#join();
    const frames: Frame[] = [];
    let at = 0;
    while (data.length - at >= FRAME_HEADER) {
      const length = this.#lengthAt(data, at);
      if (data.length - at < FRAME_HEADER + length) break;
      frames.push({ type: String.fromCharCode(data[at] as number), payload: data.subarray(at + FRAME_HEADER, at + FRAME_HEADER + length) });
      at += FRAME_HEADER + length;
    }
    this.#chunks = at < data.length ? [data.subarray(at)] : [];
    this.#size = data.length - at;
    return frames;
  }

  /** Bytes that belong to a frame whose rest has not come. */
  get pending(): number {
    return this.#size;
  }

  #needed(): number {
    const head = this.#chunks[0] as Uint8Array;
    if (head.length < FRAME_HEADER) return FRAME_HEADER;
    return FRAME_HEADER + this.#lengthAt(head, 0);
  }

  #lengthAt(data: Uint8Array, at: number): number {
    const length = new DataView(data.buffer, data.byteOffset + at + 1, 4).getUint32(0, true);
    if (length > this.#max) throw new RangeError(`frame of ${length} bytes is over the limit of ${this.#max}`);
    return length;
  }

  #join(): Uint8Array {
    if (this.#chunks.length === 1) return this.#chunks[0] as Uint8Array;
    const data = new Uint8Array(this.#size);
    let at = 0;
    for (const chunk of this.#chunks) {
      data.set(chunk, at);
      at += chunk.length;
    }
    return data;
  }
}
