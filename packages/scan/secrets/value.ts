/** Where the value of a name begins and ends, in whatever language it was written: `KEY=v`, `"key": "v"`, `key => 'v'`, `<key>v</key>`, `--key v`. */
export interface Value {
  readonly start: number;
  readonly end: number;
  /** The quote or bracket that holds it; "" for a bare word. */
  readonly quote: string;
  /** What stands between name and value, blanks left out: `=`, `:`, `=>`, `(`, `,`, `>`, `flag`. */
  readonly operator: string;
  /** The whole name that the keyword is part of, and where it begins. */
  readonly name: string;
}

const NAME_MOST = 48;
const VALUE_MOST = 4096;

/** Of the name that has a keyword at `from`, which is `length` long. Null where no value follows. Looks at a bounded number of characters. */
export function valueAfter(text: string, from: number, length: number): Value | null {
  const nameStart = backOverName(text, from);
  let at = overName(text, from + length);
  if (at - from > NAME_MOST + length) return null;
  const name = text.slice(nameStart, at);
  at = overBlanks(text, overClosing(text, at), 24);
  const operator = operatorAt(text, at, nameStart);
  if (operator === null) return null;
  at = overBlanks(text, operator.after, 24);
  if (operator.sign === ":" || operator.sign === "?:") at = overType(text, at);
  return held(text, overCall(text, at), operator.sign, name);
}

function held(text: string, from: number, operator: string, name: string): Value | null {
  let at = from;
  const escaped = text[at] === "\\" && isQuote(text[at + 1]);
  if (escaped) at += 1;
  const quote = isQuote(text[at]) ? text[at]! : "";
  if (quote !== "") {
    const triple = text[at + 1] === quote && text[at + 2] === quote ? 3 : 1;
    const start = at + triple;
    const limit = Math.min(text.length, start + VALUE_MOST);
    for (let end = start; end < limit; end += 1) {
      const unit = text[end]!;
      if (unit === quote || (escaped && unit === "\\" && text[end + 1] === quote)) return { start, end, quote, operator, name };
      if (unit === "\n" && quote !== "`" && triple === 1) return null;
      if (unit === "\\") end += 1;
    }
    return null;
  }
  let end = at;
  const limit = Math.min(text.length, at + VALUE_MOST);
  while (end < limit && !BARE_END[text.charCodeAt(end) & 127] && text.charCodeAt(end) < 128) end += 1;
  return end === at ? null : { start: at, end, quote: "", operator, name };
}

const isQuote = (unit: string | undefined): boolean => unit === '"' || unit === "'" || unit === "`";
const isName = (unit: number): boolean =>
  (unit >= 97 && unit <= 122) || (unit >= 65 && unit <= 90) || (unit >= 48 && unit <= 57) || unit === 95 || unit === 45 || unit === 46;

function backOverName(text: string, from: number): number {
  let at = from;
  while (at > 0 && from - at < NAME_MOST && isName(text.charCodeAt(at - 1))) at -= 1;
  return at;
}

function overName(text: string, from: number): number {
  let at = from;
  while (at < text.length && at - from < NAME_MOST && isName(text.charCodeAt(at))) at += 1;
  return at;
}

/** `"key"`, `\"key\"`, `['key']`. */
function overClosing(text: string, from: number): number {
  let at = from;
  if (text[at] === "\\") at += 1;
  if (isQuote(text[at])) at += 1;
  if (text[at] === "]") at += 1;
  return at;
}

function overBlanks(text: string, from: number, most: number): number {
  let at = from;
  while (at - from < most && (text[at] === " " || text[at] === "\t" || text[at] === "\n" || text[at] === "\r")) at += 1;
  return at;
}

const OPERATORS = ["===", "!==", ":=", "=>", "==", "!=", "||=", "??=", "?=", "?:", "=", ":", ",", "(", ">"];

function operatorAt(text: string, at: number, nameStart: number): { sign: string; after: number } | null {
  const sign = OPERATORS.find((each) => text.startsWith(each, at));
  if (sign === "===" || sign === "!==" || sign === "==" || sign === "!=") return { sign: "==", after: at + sign.length };
  if (sign !== undefined) return { sign, after: at + sign.length };
  // `--api-key VALUE`, `name="password" value="…"`, `machine host login me password VALUE`.
  if (text.startsWith("value=", at)) return { sign: "=", after: at + 6 };
  const blank = text[at - 1] === " " || text[at - 1] === "\t";
  return blank && text[nameStart] === "-" ? { sign: "flag", after: at } : null;
}

/** `apiKey: string = "…"`: over the type to the value. */
function overType(text: string, from: number): number {
  let at = from;
  while (at - from < 40 && (isName(text.charCodeAt(at)) || "[]<>| ".includes(text[at] ?? "\0"))) at += 1;
  if (at === from || text[at] !== "=" || text[at + 1] === "=") return from;
  return overBlanks(text, at + 1, 8);
}

/** `b"…"`, `String("…")`, `Buffer.from("…")`: into the first literal, if that is all there is. */
function overCall(text: string, from: number): number {
  let at = from;
  while (at - from < 40 && isName(text.charCodeAt(at))) at += 1;
  if (at - from <= 2 && isQuote(text[at])) return at;
  if (at > from && text[at] === "(" && isQuote(text[at + 1])) return at + 1;
  return from;
}

/** What ends a word without quotes. */
const BARE_END = Array.from({ length: 128 }, (_, unit) => unit <= 32 || "\"'`,;<>(){}[]|&\\".includes(String.fromCharCode(unit)));
