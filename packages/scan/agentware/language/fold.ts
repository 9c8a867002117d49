/** A text as it reads, with the way back to where each of its characters stood. */
export interface Folded {
  readonly text: string;
  /** Offset in the original of each character, and of the end; null where nothing moved. */
  readonly origin: Int32Array | null;
}

const INVISIBLE =
  /[\u00ad\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\p{Variation_Selector}\ufeff\uffa0\u{1bca0}-\u{1bca3}\u{1d173}-\u{1d17a}\u{e0000}-\u{e0fff}]|\u034f/u;
const NEEDS = /[^\u0000-\u00ff\u3000-\u9fff\uff0c\uff1a\uff1b\uff01\uff1f\uac00-\ud7af\u0400-\u045f\u2010-\u2027]|[\u00ad]/;
const CYRILLIC = /[\u0400-\u04ff\u0370-\u03ff]/;
const LATIN = /[a-z]/i;

/**
 * Lower case, without what nobody sees, full-width and mathematical letters as plain ones, and look-alikes of other alphabets as Latin
 * within words that mix alphabets. What readers take it for is what counts: `іgnоre` with Cyrillic letters is `ignore`.
 */
export function fold(text: string, lookalikes: ReadonlyMap<string, string>): Folded {
  const mixed = CYRILLIC.test(text) && LATIN.test(text);
  if (!NEEDS.test(text) && !mixed) return { text: text.toLowerCase(), origin: null };
  const parts: string[] = [];
  const origin: number[] = [];
  for (const word of wordsOf(text)) {
    const foreign = CYRILLIC.test(word.text) && LATIN.test(word.text);
    let offset = word.start;
    for (const character of word.text) {
      const folded = INVISIBLE.test(character) ? "" : foldCharacter(character, foreign ? lookalikes : null);
      for (const unit of folded) for (let i = 0; i < unit.length; i++) origin.push(offset);
      parts.push(folded);
      offset += character.length;
    }
  }
  origin.push(text.length);
  return { text: parts.join(""), origin: Int32Array.from(origin) };
}

function foldCharacter(character: string, lookalikes: ReadonlyMap<string, string> | null): string {
  if (character < "\u0080") return character.toLowerCase();
  const known = lookalikes?.get(character);
  if (known) return known;
  const plain = character.normalize("NFKC");
  return (plain.length <= 4 ? plain : character).toLowerCase();
}

function* wordsOf(text: string): Iterable<{ text: string; start: number }> {
  const space = /\s+/g;
  let at = 0;
  for (let found = space.exec(text); found; found = space.exec(text)) {
    if (found.index > at) yield { text: text.slice(at, found.index), start: at };
    yield { text: found[0], start: found.index };
    at = found.index + found[0].length;
  }
  if (at < text.length) yield { text: text.slice(at), start: at };
}

/** Where a character of the folded text stood. */
export function originOf({ origin }: Folded, offset: number): number {
  return origin ? (origin[Math.min(offset, origin.length - 1)] ?? 0) : offset;
}
