/**
 * Finds many literal words in one pass over a text. For each character three table look-ups tell whether the last three characters are the
 * rarest three of some word; only then is the word itself compared. Letters of ASCII are equal in either case.
 */
export class KeywordScanner {
  private readonly words: readonly string[];
  /** Hash of three characters → 1 + number of the list of words, 0 where there is none. */
  private readonly table = new Uint16Array(TABLE);
  private readonly buckets: { word: number; back: number; text: string }[][] = [];

  constructor(words: readonly string[]) {
    this.words = words.map((word) => word.toLowerCase());
    this.words.forEach((text, word) => {
      const offset = rarest(text);
      const slot = hash(code(text, offset), code(text, offset + 1), code(text, offset + 2));
      if (this.table[slot] === 0) this.table[slot] = this.buckets.push([]);
      this.buckets[this.table[slot]! - 1]!.push({ word, back: offset + 2, text });
    });
  }

  /** `hit` gets the number of the word and where it begins, in the order in which the rare characters stand. False stops. */
  scan(text: string, hit: (word: number, start: number) => boolean): void {
    const { table } = this;
    const length = text.length;
    let first = 0;
    let second = 0;
    for (let at = 0; at < length; at += 1) {
      const unit = text.charCodeAt(at);
      const third = unit < 256 ? FOLD[unit]! : 0;
      const bucket = table[((first << 10) ^ (second << 5) ^ third) & (TABLE - 1)]!;
      if (bucket !== 0 && !this.compare(text, at, bucket, hit)) return;
      first = second;
      second = third;
    }
  }

  private compare(text: string, at: number, bucket: number, hit: (word: number, start: number) => boolean): boolean {
    for (const each of this.buckets[bucket - 1]!) {
      const start = at - each.back;
      if (start >= 0 && equals(text, start, each.text) && !hit(each.word, start)) return false;
    }
    return true;
  }
}

const TABLE = 1 << 16;
const FOLD = Uint8Array.from({ length: 256 }, (_, unit) => (unit >= 65 && unit <= 90 ? unit + 32 : unit));

const hash = (first: number, second: number, third: number): number => ((first << 10) ^ (second << 5) ^ third) & (TABLE - 1);
const code = (text: string, at: number): number => FOLD[text.charCodeAt(at) & 255]!;

function equals(text: string, start: number, word: string): boolean {
  if (start + word.length > text.length) return false;
  for (let i = 0; i < word.length; i += 1) {
    const unit = text.charCodeAt(start + i);
    if (unit >= 256 || FOLD[unit]! !== word.charCodeAt(i)) return false;
  }
  return true;
}

/** How often letters stand in programs, roughly: the more to the front the more often. Digits, signs and what is not named are rare. */
const COMMON = "etaornislcdupmfhgybvkwxjqz";

/** Where the three characters of a word begin that are least likely to stand in other words. */
function rarest(word: string): number {
  let best = 0;
  let least = Number.POSITIVE_INFINITY;
  for (let offset = 0; offset + 3 <= word.length; offset += 1) {
    let commonness = 0;
    for (const letter of word.slice(offset, offset + 3)) {
      const rank = COMMON.indexOf(letter);
      commonness += rank === -1 ? 2 : 26 - rank;
    }
    if (commonness < least) [best, least] = [offset, commonness];
  }
  return best;
}
