/** Text to syntax tree, with what a hostile or a broken file costs: depth, size, errors that a part of the file can be saved from. */
import { type ParserOptions, type Program, parseSync } from "oxc-parser";
import type { LookGap } from "../../analyser.ts";
import { nestsTooDeep } from "./nesting.ts";

/** Past this the parser would be given seconds and gigabytes. */
export const MAX_TEXT = 8 * 1024 * 1024;

export interface Parsed {
  readonly program: Program | null;
  readonly gaps: readonly LookGap[];
}

type Lang = "js" | "jsx" | "ts" | "tsx";

export function parseJavascript(text: string, path: string): Parsed {
  if (text.length > MAX_TEXT) return refused("too_large", `code of ${text.length} characters; ${MAX_TEXT} are read`);
  if (nestsTooDeep(text)) return refused("depth", "nests deeper than a parser can follow");
  const langs = langsOf(path);
  for (const lang of langs) {
    const program = attempt(text, lang, "unambiguous") ?? attempt(text, lang, "script");
    if (program !== null) return { program, gaps: [] };
  }
  return salvage(text, langs[0] as Lang);
}

function langsOf(path: string): readonly Lang[] {
  if (/\.[cm]?ts$/.test(path)) return ["ts", "tsx"];
  if (path.endsWith(".tsx")) return ["tsx"];
  // Many a `.js` holds JSX, and some Flow or TypeScript.
  return ["jsx", "js", "tsx", "ts"];
}

/** Null where it is in error. */
function attempt(text: string, lang: Lang, sourceType: "unambiguous" | "script"): Program | null {
  const result = parse(text, lang, sourceType);
  return result !== null && result.errors.length === 0 ? result.program : null;
}

let rawTransfer = true;

interface Result {
  readonly program: Program;
  readonly errors: readonly { readonly start: number; readonly message: string }[];
}

/** Null where the reader of the tree ran out of stack. */
function parse(text: string, lang: Lang, sourceType: "unambiguous" | "script"): Result | null {
  if (rawTransfer)
    try {
      return parseWith(text, lang, sourceType, { experimentalRawTransfer: true });
    } catch (error) {
      // It shares a large buffer with the parser, which not every machine grants; and its reader takes no file of 100,000 statements.
      if (!(error instanceof RangeError)) rawTransfer = false;
    }
  try {
    return parseWith(text, lang, sourceType, {});
  } catch {
    return null;
  }
}

function parseWith(text: string, lang: Lang, sourceType: "unambiguous" | "script", more: { experimentalRawTransfer?: boolean }): Result {
  const options: ParserOptions = { lang, sourceType, preserveParens: false, ...more };
  const result = parseSync("file", text, options);
  const { program } = result;
  // Semantic complaints (`return` outside of a function, `await` as a name) come with a whole tree.
  const errors = program.body.length > 0 ? [] : result.errors.map(({ labels, message }) => ({ start: labels[0]?.start ?? 0, message }));
  return { program, errors };
}

/** A line that is a template's own and no JavaScript: no engine runs such a file as it stands. */
const TEMPLATE = /^[ \t]{0,40}\{%-?[ \t]{0,4}(?:autoescape|if|for|block|extends|include|load|set|raw|macro)\b[^\n]{0,200}%\}[ \t]*$/m;
const OF_A_TEMPLATE: LookGap = {
  kind: "degraded",
  reason: "template",
  detail: "a template that JavaScript is made from: what stands between its marks was read as far as it is JavaScript",
  matters: false,
};

/** As long as it was; what a template puts in is a value. */
function withoutMarks(text: string): string {
  return text.replace(/\{%[^\n]{0,300}?%\}/g, (mark) => " ".repeat(mark.length)).replace(/\{\{[^\n{}]{0,300}\}\}/g, (mark) => "0".padEnd(mark.length));
}

function broken(said: string): LookGap {
  return { kind: "degraded", reason: "syntax_error", detail: `${said}; the rest was read`, matters: true };
}

/** Blanks the statement around an error, keeping every offset, and tries again: the rest of the file is worth having. */
function salvage(text: string, lang: Lang): Parsed {
  const template = TEMPLATE.test(text);
  let rest = template ? withoutMarks(text) : text;
  let said = "";
  for (let round = 0; round < 6; round++) {
    const result = parse(rest, lang, "unambiguous");
    if (result === null) return refused("depth", "nests deeper than its tree can be read");
    const error = result.errors[0];
    if (error === undefined) {
      const gaps = template ? [OF_A_TEMPLATE] : said === "" ? [] : [broken(said)];
      return { program: result.program, gaps };
    }
    said ||= error.message.slice(0, 200);
    const [from, to] = statementAround(rest, error.start);
    const blanked = rest.slice(from, to).replace(/[^\n]/g, " ");
    if (blanked === rest.slice(from, to)) break;
    rest = rest.slice(0, from) + blanked + rest.slice(to);
  }
  return refused("syntax_error", said === "" ? "could not be parsed" : said);
}

/** From a line that starts at the margin to the next such line after the error. */
function statementAround(text: string, at: number): [number, number] {
  let from = at;
  while (from > 0 && !(text[from - 1] === "\n" && /[\w@[("'`$]/.test(text[from] ?? ""))) from--;
  let to = at + 1;
  while (to < text.length && !(text[to - 1] === "\n" && /[\w@[("'`$]/.test(text[to] ?? ""))) to++;
  return [from, to];
}

function refused(reason: string, detail: string): Parsed {
  return { program: null, gaps: [{ kind: "degraded", reason, detail, matters: true }] };
}
