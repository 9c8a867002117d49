import { isText, named, type Piece } from "./piece.ts";

/** Shorter runs are words, and hold no secret that has a name of its own. */
const LEAST = 20;
const MOST = 1 << 20;

/** 1: of base64, standard or for URLs. */
const ALPHABET = Uint8Array.from({ length: 256 }, (_, unit) => (/[A-Za-z0-9+/_-]/.test(String.fromCharCode(unit)) ? 1 : 0));

/**
 * Runs of base64 and of hexadecimal digits that decode to text. To find them, one of every twenty characters is looked at first: where that is of
 * no run, the whole stretch before it is skipped.
 */
export function* encodedIn(text: string): Generator<Piece> {
  let at = 0;
  while (at + LEAST <= text.length) {
    let back = at + LEAST - 1;
    while (back >= at && inRun(text, back)) back -= 1;
    if (back >= at) {
      at = back + 1;
      continue;
    }
    let end = at + LEAST;
    while (end < text.length && inRun(text, end)) end += 1;
    end = overLines(text, at, end);
    yield* decodedRun(text, at, end);
    at = end + 1;
  }
}

const inRun = (text: string, at: number): boolean => {
  const unit = text.charCodeAt(at);
  return unit < 256 && ALPHABET[unit] === 1;
};

/** A run that was broken into lines of one length goes on. */
function overLines(text: string, start: number, first: number): number {
  const width = first - start;
  let end = first;
  while (width >= 60 && width <= 100 && end - start < MOST) {
    const gap = /^(?:\\n|["',\s\\+]){1,40}/.exec(text.slice(end, end + 40))?.[0].length ?? 0;
    if (gap === 0 || !text.slice(end, end + gap).match(/\n|\\n/)) break;
    let next = end + gap;
    while (next < text.length && next - end - gap < width && inRun(text, next)) next += 1;
    if (next === end + gap) break;
    const whole = next - end - gap === width;
    end = next;
    if (!whole) break;
  }
  return end;
}

function* decodedRun(text: string, from: number, to: number): Generator<Piece> {
  if (to - from > MOST) return;
  const run = text.slice(from, to);
  const raw = /[\s"'\\,]/.test(run) ? run.replace(/\\n|["',\s\\]/g, "") : run;
  if (/^(?:[0-9a-f]{2}){12,}$/i.test(raw)) {
    const decoded = Buffer.from(raw, "hex").toString("latin1");
    if (isText(decoded)) yield { text: named(text, from, decoded), layer: "hex", from, to };
    return;
  }
  const head = decode(raw.slice(0, 48));
  if (head === null) return;
  const decoded = decode(raw);
  if (decoded !== null) yield { text: named(text, from, decoded), layer: "base64", from, to: text[to] === "=" ? to + (text[to + 1] === "=" ? 2 : 1) : to };
}

/** Null for what is no text. Every other byte zero is UTF-16, as PowerShell has its commands. */
function decode(raw: string): string | null {
  const decoded = Buffer.from(raw, "base64").toString("latin1");
  if (isText(decoded)) return decoded;
  const narrow = decoded.replace(/([\x09-\x7e])\0/g, "$1");
  return narrow.length <= decoded.length * 0.6 && isText(narrow) ? narrow : null;
}
