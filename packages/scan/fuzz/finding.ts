import { createHash } from "node:crypto";
import type { FlowStep, MatchInput } from "@plastron/contracts";
import type { Confirmed } from "./confirm.ts";
import type { PreparedFile } from "./harness.ts";
import { TOLD } from "./words.ts";

const MOST_SHOWN = 300;

/** What showed again, as a match: at the deepest place of the target's own that the stack names, or where the harness is. */
export function matchOf(one: Confirmed, sources: ReadonlyMap<string, PreparedFile>): MatchInput {
  const { harness, oracle, message, times } = one;
  const told = TOLD[oracle];
  const frames = framesOf(one.stack, sources);
  const entry = { path: harness.module, line: harness.line, name: harness.export || harness.name };
  const at = frames[0] ?? entry;
  const guessed = harness.types === "inferred" && (oracle === "crash" || oracle === "unhandled-rejection");
  const measured = times.length > 0 ? ` Measured: ${times.map(({ length, ms }) => `${length} characters ${ms.toFixed(ms < 10 ? 1 : 0)} ms`).join(", ")}.` : "";
  const doubt = guessed ? " The types of its parameters are not written down: if callers never give it such a value, this is no fault." : "";
  return {
    ...{ rule: `fuzz/${oracle}`, analyser: "fuzz", verdict: oracle === "sandbox-violation" ? "authority" : "weakness", title: told.title },
    message: `${harness.id} with ${shown(one)}: ${printed(message)}.${measured} ${told.could}${doubt} Replayed in a sandbox of its own.`.slice(0, 4000),
    severity: guessed ? "low" : told.severity,
    confidence: guessed ? "medium" : "high",
    cwe: [...told.cwe],
    place: placeOf(at, sources),
    flow: flowOf(entry, frames, sources),
    fix: { text: told.fix },
    anchor: [harness.id, oracle, at.name, oracle === "crash" ? message.split(":", 1)[0] : ""].join("\0"),
  };
}

export function caseName({ harness, oracle, key }: Pick<Confirmed, "harness" | "oracle" | "key">): string {
  return `${oracle}-${createHash("sha256").update(`${harness.id}\0${key}`).digest("hex").slice(0, 12)}`;
}

function shown({ input, pump }: Confirmed): string {
  if (pump) return `${JSON.stringify(pump.unit.slice(0, 40))} repeated${pump.suffix ? ` before ${JSON.stringify(pump.suffix.slice(0, 40))}` : ""}`;
  const text = JSON.stringify(input);
  return printed(text.length > MOST_SHOWN ? `${text.slice(0, MOST_SHOWN)}… (${text.length} characters)` : text);
}

function printed(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, (one) => `\\u{${(one.codePointAt(0) as number).toString(16)}}`);
}

interface Frame {
  readonly path: string;
  readonly line: number;
  readonly name: string;
}

/** Frames of a stack that are the target's own, deepest first. Attacker-controlled: only files and lines that there are count. */
function framesOf(stack: string, sources: ReadonlyMap<string, PreparedFile>): Frame[] {
  const frames: Frame[] = [];
  for (const line of stack.split("\n").slice(0, 100)) {
    const at = line.indexOf("/workspace/t/");
    if (at < 0 || line.length > 2000) continue;
    const [, path, number, python] = /^([^:"]+)(?:"?, line |:)(\d{1,7})(?:, in (\S+))?/.exec(line.slice(at + 13)) ?? [];
    const source = path === undefined ? undefined : sources.get(path);
    const named = python ?? /^\s*at (?:async )?([\w$.# <>]{1,100}) \(/.exec(line)?.[1] ?? "";
    if (source && Number(number) >= 1 && Number(number) <= source.text.split("\n").length)
      frames.push({ path: path as string, line: Number(number), name: named });
  }
  return frames.slice(0, 20);
}

function placeOf({ path, line }: Frame, sources: ReadonlyMap<string, PreparedFile>): MatchInput["place"] {
  const text = sources.get(path)?.text.split("\n")[line - 1] ?? "";
  const column = text.length - text.trimStart().length + 1;
  return { path, line, column, end_line: line, end_column: Math.max(column + 1, text.trimEnd().length + 1), snippet: text.slice(0, 500) };
}

function flowOf(entry: Frame, frames: readonly Frame[], sources: ReadonlyMap<string, PreparedFile>): FlowStep[] {
  if (frames.length === 0) return [];
  const step = (frame: Frame, kind: FlowStep["kind"], message: string): FlowStep =>
    ({ layers: [], snippet: "", ...placeOf(frame, sources), kind, message }) as FlowStep;
  const calls = frames
    .slice(1)
    .reverse()
    .map((frame) => step(frame, "call", `${printed(frame.name) || "it"} calls on`));
  return [step(entry, "source", "the input comes in"), ...calls, step(frames[0] as Frame, "sink", "here it happens")];
}
