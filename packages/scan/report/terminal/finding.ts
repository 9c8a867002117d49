import type { Finding, FlowStep } from "@plastron/contracts";
import { placeWords } from "../../findings/places.ts";
import { columnsOf, cut, wrapped } from "../text/layout.ts";
import { visible } from "../text/visible.ts";
import { excerpt } from "./excerpt.ts";
import { type Screen, SEVERITY_STYLE } from "./paint.ts";

const INDENT = "    ";
const LABEL = 6;
/** Where titles begin: behind the mark and the severity. */
const TITLE = 13;
/** A longer way is shown by its ends: what comes in, and what it does. */
const MOST_STEPS = 8;

/** One finding in full: what, where, why, which way, what to do. */
export function findingLines(finding: Finding, screen: Screen): string[] {
  const { paint, columns } = screen;
  const style = SEVERITY_STYLE[finding.severity];
  const cwe = finding.cwe.map((number) => `CWE-${number}`).join(" ");
  const facts = [`${finding.place.line}:${finding.place.column}`, visible(finding.rule), cwe, finding.aliases.slice(0, 3).map(visible).join(" ")]
    .filter(Boolean)
    .join("  ");
  const head = wrapped(visible(finding.title), columns - TITLE).map((line, at) =>
    at === 0 ? `  ${paint(style, "●")} ${paint("bold", `${finding.severity.padEnd(8)} ${line}`)}` : `${" ".repeat(TITLE)}${paint("bold", line)}`,
  );
  return [
    ...head,
    `${INDENT}${paint("dim", cut(facts, columns - INDENT.length))}`,
    ...excerpt(finding.place, finding.secret?.redacted ?? "", style, screen, INDENT),
    ...finding.message.split("\n").flatMap((line) => wrapped(visible(line), columns - INDENT.length).map((text) => `${INDENT}${text}`)),
    ...flowLines(finding.flow, screen),
    ...block("why", finding.priority.words, screen),
    ...block("fix", finding.fix.text, screen),
    ...(finding.also.length > 0 ? block("also", finding.also.map(({ rule }) => rule).join(", "), screen) : []),
    ...(finding.exemption ? block("exempt", exemptionWords(finding.exemption), screen) : []),
    ...block("id", finding.fingerprint, screen, true),
  ];
}

/** One line for what is only to be known. */
export function findingLine(finding: Finding, { paint, columns }: Screen): string {
  const style = SEVERITY_STYLE[finding.severity];
  const text = `${finding.severity.padEnd(8)} ${finding.place.line}:${finding.place.column}  ${visible(finding.title)}  ${visible(finding.rule)}`;
  return `  ${paint(style, "●")} ${cut(text, columns - 4)}`;
}

export function exemptionWords({ id, approver, expires, reason }: NonNullable<Finding["exemption"]>): string {
  return `${id} by ${approver} until ${expires}: ${reason}`;
}

function flowLines(flow: readonly FlowStep[], screen: Screen): string[] {
  if (flow.length === 0) return [];
  const left = flow.length > MOST_STEPS ? flow.length - MOST_STEPS : 0;
  const half = MOST_STEPS / 2;
  const lines = flow.flatMap((step, index) => {
    if (left > 0 && index === half) return [`${INDENT}${" ".repeat(LABEL)} ${screen.paint("dim", `… ${left} steps between`)}`];
    if (left > 0 && index > half && index < flow.length - half) return [];
    return block(index === 0 ? "flow" : "", `${index + 1} ${stepWords(step)}`, screen);
  });
  return lines;
}

const stepWords = (step: FlowStep): string => `${placeWords(step)}:${step.line}  ${step.message}`;

/** A label and its text, which stands under itself where it is longer than the line. */
function block(label: string, text: string, { paint, columns }: Screen, dim = false): string[] {
  const room = columns - INDENT.length - LABEL - 1;
  const lines = text.split("\n").flatMap((line) => wrapped(visible(line), room));
  return lines.map((line, index) => {
    const head = index === 0 ? label : "";
    return `${INDENT}${paint("dim", head)}${" ".repeat(LABEL - columnsOf(head))} ${dim ? paint("dim", line) : line}`;
  });
}
