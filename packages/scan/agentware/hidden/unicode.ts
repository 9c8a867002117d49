import { isText } from "../shell/decode.ts";

/** Something that a text holds and nobody sees. `says`: what it was decoded to; "" where it cannot be. */
export interface Unseen {
  readonly kind: "tags" | "zero-width" | "selectors" | "bidi" | "padding" | "mixed-script" | "split-word";
  readonly start: number;
  readonly end: number;
  readonly says: string;
  readonly detail: string;
}

const SUSPICIOUS = /\u034f|[\u115f\u1160\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\p{Variation_Selector}\ufeff\uffa0\u{e0000}-\u{e01ef}]/u;
/** What has so many is a flood, and the rest of it is not told. */
export const MAX_FOUND = 200;
/** Each mark is looked at with its line. */
const MAX_MARKS = 20_000;

/** All that a text hides by its characters, in the order of its kinds. */
export function unseenIn(text: string, program: boolean): Unseen[] {
  const found: Unseen[] = [...padding(text, program)];
  if (!SUSPICIOUS.test(text)) return found;
  return [...found, ...tags(text), ...zeroWidth(text), ...selectors(text), ...splitWords(text), ...bidi(text, program)].slice(0, MAX_FOUND);
}

/** U+E0000…U+E007F mirror ASCII and have no shape. England, Scotland and Wales have flags of them. */
function* tags(text: string): Iterable<Unseen> {
  for (const match of text.matchAll(/[\u{e0000}-\u{e007f}]+/gu)) {
    const start = match.index;
    const isFlag = text.slice(Math.max(0, start - 2), start) === "\u{1f3f4}" && match[0].length <= 14 && match[0].endsWith("\u{e007f}");
    if (isFlag) continue;
    const says = [...match[0]]
      .map((tag) => (tag.codePointAt(0) as number) - 0xe0000)
      .filter((code) => code >= 0x20 && code < 0x7f)
      .map((code) => String.fromCharCode(code))
      .join("");
    yield { kind: "tags", start, end: start + match[0].length, says, detail: `${[...match[0]].length} tag characters` };
  }
}

/** Runs of characters without width. Emoji join with one, Persian and Indian scripts part letters with one: never many. */
function* zeroWidth(text: string): Iterable<Unseen> {
  for (const match of text.matchAll(/[\u034f\u115f\u1160\u180e\u200b-\u200f\u2060-\u2064\u206a-\u206f\u3164\ufeff\uffa0]{6,}/g)) {
    const says = bitsOf(match[0]);
    yield { kind: "zero-width", start: match.index, end: match.index + match[0].length, says, detail: `${match[0].length} characters without width` };
  }
}

/** Two signs as the bits of bytes, either way round; a third as what parts them. */
function bitsOf(run: string): string {
  const signs = [...new Set(run)];
  for (const zero of signs.slice(0, 4))
    for (const one of signs.slice(0, 4)) {
      if (zero === one) continue;
      const bits = [...run]
        .filter((sign) => sign === zero || sign === one)
        .map((sign) => (sign === one ? "1" : "0"))
        .join("");
      for (const size of [8, 7, 16]) {
        const text = (bits.match(new RegExp(`.{${size}}`, "g")) ?? []).map((byte) => String.fromCharCode(Number.parseInt(byte, 2))).join("");
        if (/^[\t\n\r -~]{3,}$/.test(text) && /[a-z]{2}/i.test(text)) return text;
      }
    }
  return "";
}

/** Variation selectors choose a glyph, one behind each character. A run of them is bytes: U+FE00… are 0–15, U+E0100… 16–255. */
function* selectors(text: string): Iterable<Unseen> {
  for (const match of text.matchAll(/[\ufe00-\ufe0f\u{e0100}-\u{e01ef}]{4,}/gu)) {
    const bytes = [...match[0]].map((sign) => sign.codePointAt(0) as number).map((code) => (code < 0x10000 ? code - 0xfe00 : code - 0xe0100 + 16));
    const utf8 = Buffer.from(bytes).toString("utf8");
    const nibbles = Buffer.from(
      bytes
        .filter((byte) => byte < 16)
        .map((byte) => byte.toString(16))
        .join(""),
      "hex",
    ).toString("utf8");
    const says = isText(utf8) ? utf8 : isText(nibbles) ? nibbles : "";
    yield { kind: "selectors", start: match.index, end: match.index + match[0].length, says, detail: `${bytes.length} variation selectors in a row` };
  }
}

/** A sign without width between two Latin letters serves to hide the word from a search. */
function* splitWords(text: string): Iterable<Unseen> {
  const found = [...text.matchAll(/[a-z][\u034f\u200b-\u200d\u2060-\u2064\u180e\ufeff][a-z]/gi)].slice(0, MAX_FOUND);
  if (found.length < 3) return;
  const first = found[0] as RegExpExecArray;
  yield {
    kind: "split-word",
    start: first.index,
    end: first.index + first[0].length,
    says: "",
    detail: `${found.length} words with signs without width inside`,
  };
}

/** CVE-2021-42574: what is read is not what runs. Marks that open and close on their line around right-to-left text are how it is written. */
function* bidi(text: string, program: boolean): Iterable<Unseen> {
  let marks = 0;
  for (const match of text.matchAll(/[\u202a-\u202e\u2066-\u2069]/g)) {
    if (++marks > MAX_MARKS) return;
    const before = text.slice(Math.max(0, match.index - 2000), match.index);
    const start = match.index - before.length + before.lastIndexOf("\n") + 1;
    const whole = text.slice(start, match.index + 2000).split("\n", 1)[0] as string;
    const line = program ? withoutRanges(whole) : whole;
    if (line.search(/[\u202a-\u202e\u2066-\u2069]/) !== match.index - start || isNamed(line)) continue;
    const rightToLeft = /[\u0590-\u08ff\ufb1d-\ufefc]/.test(line);
    const override = /[\u202d\u202e]/.test(line);
    if (rightToLeft && (!program || !override) && balanced(line)) continue;
    if (!program && !override) continue;
    if (program && !override && balanced(line)) continue;
    yield { kind: "bidi", start: match.index, end: match.index + 1, says: "", detail: "marks that turn the direction of text" };
  }
}

/** Programs that clean text list these marks: one alone between quotes, or many in a row. */
function isNamed(line: string): boolean {
  return (
    /[\u200b-\u200f\u202a-\u202e\u2066-\u2069]{3}/.test(line) ||
    !/[\u202a-\u202e\u2066-\u2069]/.test(line.replace(/(["'`])[\u202a-\u202e\u2066-\u2069]\1/g, ""))
  );
}

function balanced(line: string): boolean {
  let isolates = 0;
  let embeddings = 0;
  for (const sign of line) {
    if (sign >= "\u2066" && sign <= "\u2068") isolates++;
    else if (sign === "\u2069") isolates--;
    else if (sign === "\u202c") embeddings--;
    else if (sign >= "\u202a" && sign <= "\u202e") embeddings++;
  }
  return isolates === 0 && embeddings === 0;
}

const WIDE = 300;
const TALL = 120;

/** Text pushed out of sight by blanks, to the right or below. */
function* padding(text: string, program: boolean): Iterable<Unseen> {
  const blanks = " ".repeat(WIDE);
  for (let at = text.indexOf(blanks), count = 0; at >= 0 && count < 20; count++) {
    let end = at;
    while (text[end] === " " || text[end] === "\t") end++;
    const before = text.slice(Math.max(0, text.lastIndexOf("\n", at) + 1, at - 200), at).trim();
    const newline = text.indexOf("\n", end);
    const says = text.slice(end, Math.min(newline < 0 ? text.length : newline, end + 2000)).trim();
    if (says.length > 2 && says !== "|" && (before !== "" || program || end - at > 1000))
      yield { kind: "padding", start: end, end: end + says.length, says, detail: `${end - at} spaces before it` };
    at = text.indexOf(blanks, end);
  }
  if (program) return;
  const lines = "\n".repeat(TALL);
  for (let at = text.indexOf(lines), count = 0; at >= 0 && count < 20; count++) {
    let end = at;
    while (text[end] === "\n" || text[end] === " ") end++;
    const says = text.slice(end, end + 2000).trim();
    if (says.length > 2) yield { kind: "padding", start: end, end: end + Math.min(says.length, 200), says, detail: `${end - at} empty lines before it` };
    at = text.indexOf(lines, end);
  }
}

/** Ranges of a character class, as tables of Unicode's categories write them, blanked; the rest of the line may hide something yet. */
function withoutRanges(line: string): string {
  return line.replace(/[^\x00-\x7f]-[^\x00-\x7f]/g, (range) => ((range[0] as string) < (range[2] as string) ? "..." : range));
}
