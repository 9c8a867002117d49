import { Writable } from "node:stream";
import { runCommandLine } from "../program.ts";
import { painter } from "../terminal/terminal.ts";

/** Runs a command within this process, on a terminal so wide that is none; `said` is what it wrote, on both streams. */
export async function plastron(...args: string[]): Promise<{ code: number; said: string }> {
  let said = "";
  const stream = new Writable({
    write(chunk, _, next) {
      said += chunk;
      next();
    },
  });
  const terminal = { out: stream, err: stream, columns: 200, interactive: false, paint: painter(false), paintErr: painter(false) };
  return { code: await runCommandLine(args, terminal), said };
}
