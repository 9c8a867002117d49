import type { PackTrial, Trial } from "@plastron/scan";
import { renderTable } from "../terminal/table.ts";
import { line, type Terminal } from "../terminal/terminal.ts";
import { printable } from "../terminal/width.ts";

/** A row for each rule, then what is wrong, each with its file and line. */
export function showTrial({ faults, trials }: PackTrial, terminal: Terminal): void {
  const { out, paint, columns } = terminal;
  const failing = trials.filter(({ failures }) => failures.length > 0);
  if (trials.length > 0) {
    const rows = trials.map((trial) => [
      trial.rule.id,
      trial.rule.severity,
      String(trial.examples),
      trial.cost === null ? "–" : `${trial.cost} ms/MB`,
      verdict(trial),
    ]);
    for (const text of renderTable(["rule", "severity", "examples", "cost", ""], rows, { columns, paint })) line(out, text);
  }
  for (const { file, message, errors } of faults) {
    line(out, `${paint("red", "not valid")} ${printable(placed(file, message))}`);
    for (const error of errors.slice(1)) line(out, `  ${printable(`${file}:${error.line ?? 1}:${error.column ?? 1} ${error.message}`)}`);
  }
  for (const { failures } of failing)
    for (const { file, example, message } of failures) line(out, `${paint("red", "failed")} ${printable(`${file}: ${example} ${message}`)}`);
  line(out, `${trials.length - failing.length} of ${trials.length + faults.length} rules passed.`);
}

function verdict({ failures }: Trial): { text: string; style: "green" | "red" } {
  return failures.length === 0 ? { text: "passed", style: "green" } : { text: `failed (${failures.length})`, style: "red" };
}

/** `line 3, column 1: …` of a file, as compilers write it. */
function placed(file: string, message: string): string {
  const [, at, column, rest] = /^line (\d+), column (\d+): ([\s\S]*)$/.exec(message) ?? [];
  return at === undefined ? `${file}: ${message}` : `${file}:${at}:${column}: ${rest}`;
}
