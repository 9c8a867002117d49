import type { GateDecision } from "@plastron/contracts";
import type { Admission } from "../client/scans.ts";
import { line, type Paint } from "../terminal/terminal.ts";
import { printable } from "../terminal/width.ts";

const WORDS = { pass: "passed", deny: "denied", hold: "held" } as const;
const STYLES = { pass: "green", deny: "red", hold: "yellow" } as const;

/** 0 passed, 1 denied, 2 held. */
export const exitOfDecision = ({ decision }: Pick<GateDecision, "decision">): number => ({ pass: 0, deny: 1, hold: 2 })[decision];

/** What the gate of a project said of an artifact, with its reasons and what to do about each. */
export function sayAdmission({ project, decision, reasons, valid_until }: Admission, out: NodeJS.WritableStream, paint: Paint): void {
  const until = decision === "pass" && valid_until !== null ? `, until ${valid_until.slice(0, 19)}` : "";
  line(out, `${paint(STYLES[decision], WORDS[decision])} for ${printable(project)}${until}`);
  for (const { rule, message, hint } of reasons) line(out, `  ${printable(rule)}: ${printable(message)}${hint ? ` ${paint("dim", printable(hint))}` : ""}`);
}
