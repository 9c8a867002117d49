import { encodeFrame, type Program } from "@plastron/contracts";
import { RUNTIMES, startMessage } from "../../runtimes/index.ts";

/** What artefacts of one run may hold in all. */
export const ARTIFACT_BUDGET = 16 * 1024 * 1024;

/** All that starts a program (native/supervise.h), as one write: limits, files, entry, globs, begin, stdin. */
export function startFrames(program: Program, knobs: Record<string, string>, liveStdin: boolean): Uint8Array {
  const { entry } = RUNTIMES[program.runtime];
  const frames: Uint8Array[] = [];
  for (const [knob, value] of Object.entries(knobs)) frames.push(encodeFrame("W", `${knob}\0${value}`));
  for (const file of program.files) frames.push(fileFrame(file.path, Buffer.from(file.content, file.encoding), file.executable ? 0o755 : 0o644));
  frames.push(fileFrame(entry, Buffer.from(program.code, "utf8"), 0o644));
  if (program.collect.length > 0) frames.push(encodeFrame("C", Buffer.concat([u32(ARTIFACT_BUDGET), Buffer.from(program.collect.join("\0"))])));
  /* Before the begin frame: a program whose stdin is not live is told its end as soon as it begins. */
  if (!liveStdin && program.stdin !== "") frames.push(encodeFrame("I", program.stdin));
  const start = startMessage(program.runtime, { entry: `/workspace/${entry}`, argv: program.args, env: program.env, display: true });
  frames.push(encodeFrame("B", Buffer.concat([u32(program.limits.wall_ms), u32(program.limits.output_bytes), u32(liveStdin ? 1 : 0), start])));
  return Buffer.concat(frames);
}

function fileFrame(path: string, bytes: Uint8Array, mode: number): Uint8Array {
  const name = Buffer.from(path);
  return encodeFrame("F", Buffer.concat([u32(mode), u32(name.length), name, bytes]));
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}
