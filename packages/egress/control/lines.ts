import type { Duplex } from "node:stream";

/** A line is a whole policy at most. */
const MAX_LINE = 16 * 1024 * 1024;

/** Calls `onLine` with each line that comes; a line that is too long ends the stream. */
export function readLines(stream: Duplex, onLine: (line: string) => void): void {
  let parts: Buffer[] = [];
  let size = 0;
  stream.on("data", (chunk: Buffer) => {
    for (let rest = chunk; rest.length > 0; ) {
      const end = rest.indexOf(10);
      const part = end < 0 ? rest : rest.subarray(0, end);
      parts.push(part);
      size += part.length;
      if (size > MAX_LINE) return void stream.destroy(new Error("a line without end"));
      if (end < 0) return;
      onLine(Buffer.concat(parts).toString("utf8"));
      parts = [];
      size = 0;
      rest = rest.subarray(end + 1);
    }
  });
}
