/** Letters that make words together, and those of writing without blanks, of which each is a token of its own. */
export const JOINED = 1;
export const SINGLE = 2;

const CLASSES = new Uint8Array(65_536);
for (const [from, to, kind] of [
  ...[[0x30, 0x39, JOINED] as const, [0x61, 0x7a, JOINED] as const, [0x5f, 0x5f, JOINED] as const, [0xc0, 0x24f, JOINED] as const],
  ...[[0x370, 0x3ff, JOINED] as const, [0x400, 0x52f, JOINED] as const, [0x590, 0x6ff, JOINED] as const],
  ...[[0xe00, 0xe7f, SINGLE] as const, [0x3040, 0x30ff, SINGLE] as const, [0x3400, 0x9fff, SINGLE] as const],
  ...[[0xac00, 0xd7af, SINGLE] as const, [0xf900, 0xfaff, SINGLE] as const],
])
  CLASSES.fill(kind, from, to + 1);

export function classOf(code: number): number {
  // Behind the end of a text charCodeAt is NaN, which is no index.
  return CLASSES[code] ?? 0;
}

const TAILS = ["t", "s", "re", "ve", "ll", "m"];

/** Length of what an apostrophe adds to an English word that ends at `at`: `'t`, `'s`. */
export function tailOf(text: string, at: number): number {
  if (text[at] !== "'" && text[at] !== "’") return 0;
  const tail = TAILS.find((each) => text.startsWith(each, at + 1) && classOf(text.charCodeAt(at + 1 + each.length)) !== JOINED);
  return tail === undefined ? 0 : 1 + tail.length;
}

/** Words of a phrase of a lexicon: `stem*` is one word, a `*` that stands alone another. */
export function wordsOf(phrase: string): string[] {
  const words: string[] = [];
  for (let at = 0; at < phrase.length; ) {
    const kind = classOf(phrase.charCodeAt(at));
    const start = at;
    if (kind === JOINED) {
      while (classOf(phrase.charCodeAt(at)) === JOINED) at++;
      at += tailOf(phrase, at);
      if (phrase[at] === "*") at++;
      words.push(phrase.slice(start, at).replace("’", "'"));
    } else {
      at++;
      if (kind === SINGLE) words.push(phrase.slice(start, at));
      else if (phrase[start] === "*") words.push("*");
    }
  }
  return words;
}
