import type { LookGap } from "../../analyser.ts";

/**
 * The text that the parser is given: as long as the file's own, so that offsets hold, with the few things written otherwise that Python
 * takes and the parser's grammar does not: a byte order mark, form feeds, `1.`, and `with f() as (a, b):`.
 */
export function parseable(text: string): string {
  let out = text;
  if (out.startsWith("\ufeff")) out = ` ${out.slice(1)}`;
  if (out.includes("\f")) out = out.replaceAll("\f", " ");
  if (/\d\.(?!\d)/.test(out))
    out = out.replace(/(?<![\w.])(\d[\d_]{0,40})\.(?=[^\w.]|[eEjJ]|$)(?:[eE][+-]?\d{1,5})?[jJ]?/g, (whole, digits: string) => digits.padEnd(whole.length));
  // A new line among the names is a space, which the tree does not tell apart.
  if (out.includes(" as ("))
    out = out.replace(/ as \(([\w\s,.*]{0,300})\)(?=[ \t]{0,4}:)/g, (_, names: string) => ` as  ${names.replace(/,(?=\s*$)/, " ").replace(/\s/g, " ")} `);
  return out;
}

/** A file that only Python 2 reads is told by name: half of what it says would be misread. */
const PYTHON_2 = [
  /^[ \t]{0,40}print[ \t]+(?:["']|>>|\w[^\n=(]{0,100}$)/m,
  /^[ \t]{0,40}except[ \t]+[\w.]{1,80}[ \t]*,[ \t]*\w{1,80}[ \t]*:/m,
  /^[ \t]{0,40}except[ \t]*\([\w., \t]{1,200}\)[ \t]*,[ \t]*\w{1,80}[ \t]*:/m,
  /^[ \t]{0,40}raise[ \t]+[\w.]{1,80}[ \t]*,[ \t]*["'\w]/m,
  /^[ \t]{0,40}exec[ \t]+["'\w][^\n]{0,200}[ \t]in[ \t]/m,
  /(?<![\w"'])ur["']/,
];

/** What it means that the file has this error: another language's version, or one line that could not be read. */
export function errorGap(text: string, at: number): LookGap {
  const old = PYTHON_2.some((pattern) => pattern.test(text));
  const line = lineOf(text, at);
  if (old)
    return {
      kind: "degraded",
      reason: "python2",
      detail: `written for Python 2 (first seen at line ${line}): only what Python 3 reads the same was looked at`,
      matters: true,
    };
  return {
    kind: "degraded",
    reason: "syntax_error",
    detail: `line ${line} is not Python as we know it: what stands around it was looked at in part`,
    matters: true,
  };
}

function lineOf(text: string, at: number): number {
  let line = 1;
  for (let next = text.indexOf("\n"); next >= 0 && next < at; next = text.indexOf("\n", next + 1)) line++;
  return line;
}
