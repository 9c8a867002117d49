/** The value of one string literal, prefix and quotes and all. Bytes are as text. What is cut short at the end of a file ends there. */
export function stringValue(literal: string): string {
  const { raw, body } = opened(literal);
  return raw ? body : unescaped(body);
}

/** Whether braces in it are expressions, and where its own text begins and ends within it. */
export function opened(literal: string): { raw: boolean; body: string; start: number } {
  let start = 0;
  let raw = false;
  for (; start < literal.length && start < 3; start++) {
    const letter = literal.charCodeAt(start);
    if (letter === QUOTE || letter === APOSTROPHE) break;
    if (letter === 0x72 || letter === 0x52) raw = true;
  }
  const quote = literal[start] ?? '"';
  const length = literal.startsWith(quote.repeat(3), start) ? 3 : 1;
  const from = start + length;
  const closed = literal.length >= from + length && literal.endsWith(quote.repeat(length));
  return { raw, body: literal.slice(from, closed ? -length : undefined), start: from };
}
const QUOTE = 0x22;
const APOSTROPHE = 0x27;

const SIMPLE: Readonly<Record<string, string>> = { n: "\n", t: "\t", r: "\r", "\\": "\\", "'": "'", '"': '"', a: "\x07", b: "\b", f: "\f", v: "\v", "\n": "" };

/** https://docs.python.org/3/reference/lexical_analysis.html#escape-sequences; an unknown one stays as it is written. */
export function unescaped(body: string): string {
  if (!body.includes("\\")) return body;
  return body.replace(/\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{1,3})|(\r\n|[\s\S]))/g, (whole, x, u, long, octal, letter) => {
    const hex = x ?? u ?? long;
    if (hex !== undefined) return character(Number.parseInt(hex, 16)) ?? whole;
    if (octal !== undefined) return String.fromCharCode(Number.parseInt(octal, 8));
    if (letter === "\r\n") return "";
    return Object.hasOwn(SIMPLE, letter) ? (SIMPLE[letter] as string) : whole;
  });
}

function character(code: number): string | null {
  return code <= 0x10ffff ? String.fromCodePoint(code) : null;
}

/** `0x1F`, `1_000`, `1e3`; what is no number for us is 0: nobody asks. */
export function numberValue(literal: string): number {
  const value = Number(literal.replaceAll("_", "").replace(/^0+(?=\d)/, ""));
  return Number.isFinite(value) ? value : 0;
}
