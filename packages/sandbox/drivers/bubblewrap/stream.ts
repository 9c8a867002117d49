import type { Readable } from "node:stream";

/**
 * Passes at most `limit` bytes on, then reads and drops the rest: a program that prints on is told so at its end, not blocked
 * by us for ever. Waits for the sink where it answers with a promise: a slow reader slows the program, not our memory.
 * Resolves at the end of the stream with whether anything was dropped.
 */
export async function pump(stream: Readable, limit: number, sink: (chunk: Uint8Array) => void | Promise<void>): Promise<boolean> {
  let left = limit;
  let truncated = false;
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      const cut = chunk.length > left ? chunk.subarray(0, left) : chunk;
      truncated ||= cut.length < chunk.length;
      left -= cut.length;
      if (cut.length > 0) await sink(cut);
    }
  } catch (error) {
    // The launcher was killed under us; what came until then counts.
    if ((error as NodeJS.ErrnoException).code === undefined) throw error;
  }
  return truncated;
}

/** The text of a stream, at most `limit` bytes of it. */
export async function textOf(stream: Readable, limit: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  await pump(stream, limit, (chunk) => void chunks.push(chunk));
  return Buffer.concat(chunks).toString("utf8").trim();
}
