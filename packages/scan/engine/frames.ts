/**
 * What parent and worker say to each other: 4 bytes length of the head, 4 bytes length of the body (both little-endian), the head as JSON, the body as it
 * is. Not Node's own serialisation: what comes back was written by a process that has read hostile bytes, and is parsed as JSON and nothing richer.
 */
export interface Frame {
  readonly head: unknown;
  readonly body: Uint8Array;
}

const LENGTHS = 8;
const NOTHING = new Uint8Array(0);
/** An answer beyond this is refused: a worker that was taken over must not fill the parent's memory. */
export const LARGEST_FRAME = 256 * 2 ** 20;

export function encodeFrame(head: unknown, body: Uint8Array = NOTHING): Buffer[] {
  const text = Buffer.from(JSON.stringify(head), "utf8");
  const lengths = Buffer.allocUnsafe(LENGTHS);
  lengths.writeUInt32LE(text.length, 0);
  lengths.writeUInt32LE(body.length, 4);
  return [lengths, text, Buffer.from(body.buffer, body.byteOffset, body.length)];
}

/** Takes pieces as they come, gives frames as they become whole. Throws where a length or a head cannot be meant. */
export class FrameParser {
  #pieces: Buffer[] = [];
  #held = 0;
  #need = LENGTHS;

  push(piece: Buffer): Frame[] {
    this.#pieces.push(piece);
    this.#held += piece.length;
    const frames: Frame[] = [];
    while (this.#held >= this.#need) {
      const all = this.#pieces.length === 1 ? (this.#pieces[0] as Buffer) : Buffer.concat(this.#pieces);
      this.#pieces = [all];
      const head = all.readUInt32LE(0);
      const body = all.readUInt32LE(4);
      if (head + body > LARGEST_FRAME) throw new Error(`a frame of ${head + body} bytes`);
      this.#need = LENGTHS + head + body;
      if (this.#held < this.#need) break;
      frames.push({ head: JSON.parse(all.toString("utf8", LENGTHS, LENGTHS + head)), body: all.subarray(LENGTHS + head, this.#need) });
      this.#pieces = [all.subarray(this.#need)];
      this.#held -= this.#need;
      this.#need = LENGTHS;
    }
    return frames;
  }
}
