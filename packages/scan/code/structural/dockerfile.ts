import { textExpression } from "./expression.ts";
import type { DockerBody } from "./kinds.ts";

export interface Instruction {
  readonly name: string;
  /** With its continued lines joined by a blank, comments left out. */
  readonly value: string;
  readonly at: number;
  readonly end: number;
  /** Which `FROM` it stands below, counted from 0. */
  readonly stage: number;
}

export const MAX_INSTRUCTIONS = 5000;

/** https://docs.docker.com/reference/dockerfile/: instructions, `\` at a line's end, comments, here-documents (whose text is kept). */
export function instructionsOf(text: string): Instruction[] {
  const found: Instruction[] = [];
  let stage = -1;
  let at = 0;
  while (at < text.length && found.length < MAX_INSTRUCTIONS) {
    const first = lineAt(text, at);
    const head = /^[ \t]{0,100}([A-Za-z]{2,20})(?:[ \t]|$)/.exec(first.slice(0, 200));
    if (!head) {
      at += first.length + 1;
      continue;
    }
    const { value, end } = joined(text, at);
    const name = (head[1] as string).toUpperCase();
    if (name === "FROM") stage++;
    found.push({ name, value: value.slice(head[0].length).trim(), at: at + first.search(/\S/), end, stage });
    at = end + 1;
  }
  return found;
}

function joined(text: string, from: number): { value: string; end: number } {
  const lines: string[] = [];
  let at = from;
  let end = from;
  for (;;) {
    const line = lineAt(text, at);
    end = at + line.length;
    const isComment = at > from && /^[ \t]*#/.test(line.slice(0, 300));
    const goesOn = /\\[ \t\r]{0,20}$/.test(line.slice(-40));
    if (!isComment) lines.push(goesOn ? line.slice(0, line.lastIndexOf("\\")) : line);
    at = end + 1;
    if ((!goesOn && !isComment) || at >= text.length) break;
  }
  const marker = /<<-?["']?(\w{1,40})["']?/.exec((lines[0] ?? "").slice(0, 2000))?.[1];
  const close = marker === undefined ? -1 : text.indexOf(`\n${marker}`, end);
  if (close < 0) return { value: lines.join(" "), end };
  const last = close + 1 + (marker as string).length;
  return { value: `${lines.join(" ")}\n${text.slice(end + 1, close)}`, end: last };
}

function lineAt(text: string, at: number): string {
  const end = text.indexOf("\n", at);
  return text.slice(at, end < 0 ? text.length : end);
}

/** Texts are cut to this before an expression sees them. */
const MAX_VALUE = 20_000;

export function findInstructions(instructions: readonly Instruction[], { dockerfile: wanted }: DockerBody): Instruction[] {
  const named = instructions.filter(({ name }) => wanted.instruction.includes(name));
  const [matches, not] = [wanted.matches, wanted.not_matches].map((source) => (source === undefined ? null : textExpression(source)));
  const fits = ({ value }: Instruction): boolean => (!matches || matches.test(value.slice(0, MAX_VALUE))) && !not?.test(value.slice(0, MAX_VALUE));
  if (!wanted.last) return named.filter(fits);
  const stage = instructions.at(-1)?.stage ?? -1;
  const last = named.filter((each) => each.stage === stage).at(-1);
  return last && fits(last) ? [last] : [];
}
