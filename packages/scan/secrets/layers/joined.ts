import type { Language } from "../../analyser.ts";
import { named, type Piece } from "./piece.ts";

const LITERALS_MOST = 64;
const LITERAL_MOST = 2000;
const LIST_MOST = 4000;

/** `"ghp_" + "abc"`, `"ghp_" "abc"` (Python, C), `["ghp_", "abc"].join("")`: texts that only the program puts together. */
export function* joinedIn(text: string, language: Language): Generator<Piece> {
  let past = 0;
  for (const seam of seams(text, language)) {
    if (seam < past) continue;
    const chain = chainAt(text, seam, language);
    if (chain === null) continue;
    past = chain.to;
    yield { text: named(text, chain.from + 1, chain.parts.join("")), layer: "joined", from: chain.from, to: chain.to };
  }
  yield* lists(text);
  yield* codes(text);
}

/** Places at which two literals may meet: the quote that ends the first. */
function* seams(text: string, language: Language): Generator<number> {
  for (let at = text.indexOf("+"); at !== -1; at = text.indexOf("+", at + 1)) {
    const quote = backOverBlanks(text, at);
    if (isQuote(text[quote])) yield quote;
  }
  if (language !== "python") return;
  for (let at = text.search(ADJACENT); at !== -1; ) {
    yield at;
    const next = text.slice(at + 1, at + 1_000_000).search(ADJACENT);
    at = next === -1 ? -1 : at + 1 + next;
  }
}
const ADJACENT = /["'][ \t\r\n\\]{1,40}[frbu]?["']/;

const isQuote = (unit: string | undefined): unit is string => unit === '"' || unit === "'" || unit === "`";

function backOverBlanks(text: string, from: number): number {
  let at = from - 1;
  while (at > from - 40 && at >= 0 && /\s/.test(text[at]!)) at -= 1;
  return at;
}

interface Chain {
  readonly parts: string[];
  readonly from: number;
  readonly to: number;
}

/** All literals that follow one another from the one that ends at `end` on; null if it is only that one. */
function chainAt(text: string, end: number, language: Language): Chain | null {
  const quote = text[end]!;
  const before = text.slice(Math.max(0, end - LITERAL_MOST), end);
  const start = end - before.length + before.lastIndexOf(quote);
  if (!before.includes(quote) || text.slice(start, end).includes("\n")) return null;
  const parts = [text.slice(start + 1, end)];
  let to = end + 1;
  while (parts.length < LITERALS_MOST) {
    const next = nextLiteral(text, to, language);
    if (next === null) break;
    parts.push(next.value);
    to = next.to;
  }
  return parts.length === 1 ? null : { parts, from: start, to };
}

function nextLiteral(text: string, from: number, language: Language): { value: string; to: number } | null {
  const between = text.slice(from, from + 80);
  const seam = (language === "python" ? /^[\s\\]{0,40}\+?[\s\\]{0,40}[rbu]?(?=["'])/ : /^\s{0,40}\+\s{0,40}(?=["'`])/).exec(between);
  if (seam === null) return null;
  return literalAt(text, from + seam[0].length);
}

function literalAt(text: string, start: number): { value: string; to: number } | null {
  const quote = text[start];
  if (!isQuote(quote)) return null;
  const rest = text.slice(start + 1, start + 1 + LITERAL_MOST);
  const end = rest.indexOf(quote);
  const value = rest.slice(0, Math.max(end, 0));
  return end === -1 || value.includes("\n") ? null : { value, to: start + 2 + end };
}

/** `["a", "b"].join("")` and `"".join(["a", "b"])`. */
function* lists(text: string): Generator<Piece> {
  let open = -1;
  let next = text.indexOf("[");
  for (let at = text.indexOf(".join("); at !== -1; at = text.indexOf(".join(", at + 1)) {
    // Each bracket is passed once, however many joins there are.
    for (; next !== -1 && next < at; next = text.indexOf("[", next + 1)) open = next;
    const glue = /^\.join\(\s{0,4}(["'`])([^"'`\n]{0,2})\1\s{0,4}\)/.exec(text.slice(at, at + 20));
    const python = glue === null && next !== -1 && next - at < 12;
    if (!python && (glue === null || open === -1 || at - open > LIST_MOST)) continue;
    const from = python ? next : open;
    const parts = literalsOf(text, from + 1);
    if (parts !== null) yield { text: named(text, from, parts.join(glue?.[2] ?? "")), layer: "joined", from, to: Math.max(at, from + parts.join().length) };
  }
}

function literalsOf(text: string, from: number): string[] | null {
  const parts: string[] = [];
  let at = from;
  while (parts.length < LITERALS_MOST) {
    at += /^[\s,]{0,40}/.exec(text.slice(at, at + 40))![0].length;
    const literal = literalAt(text, at);
    if (literal === null) break;
    parts.push(literal.value);
    at = literal.to;
  }
  return parts.length < 2 ? null : parts;
}

/** `String.fromCharCode(103, 104, …)`, `bytes([103, …])`, `Buffer.from([0x67, …])`. */
function* codes(text: string): Generator<Piece> {
  for (const mark of ["fromCharCode(", "Array([", "from([", "bytes([", "bytearray(["]) {
    for (let at = text.indexOf(mark); at !== -1; at = text.indexOf(mark, at + 1)) {
      const from = at + mark.length;
      const list = /^(?:\s{0,4}(?:0x[0-9a-fA-F]{2}|\d{2,3})\s{0,4},?){12,2000}/.exec(text.slice(from, from + 12_000))?.[0];
      if (list === undefined) continue;
      const decoded = list.split(",").map((each) => String.fromCharCode(Number(each.trim()) & 255));
      yield { text: named(text, at, decoded.join("")), layer: "character codes", from: at, to: from + list.length };
    }
  }
}
