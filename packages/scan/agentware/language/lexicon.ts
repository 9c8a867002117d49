import { z } from "zod";
import { classOf, JOINED, SINGLE, tailOf, wordsOf } from "./words.ts";

/** Words of many languages for one idea: `rules/agentware/lexicon/*.yaml`. */
export const lexiconSchema = z.strictObject({
  lexicon: z.string(),
  /** idea → language → words; several words are a phrase, `stem*` stands for every word that begins so, `*` for up to four words. */
  ideas: z.record(z.string(), z.record(z.string(), z.array(z.string()))),
});
export type LexiconDocument = z.infer<typeof lexiconSchema>;

/** A word of phrases: which ideas end with it (and in which languages, a bit each), which words go on from it. */
interface Node {
  readonly next: Map<string, Node>;
  readonly ideas: Map<number, number>;
  /** One of `next` is a stem. */
  stems: boolean;
}

/** A letter of first words. Most words of a text leave this tree after two letters, and cost no more. */
interface Letter {
  /** By code; those of ASCII in an array, which is three times as fast. */
  readonly near: (Letter | undefined)[];
  readonly far: Map<number, Letter>;
  word: Node | null;
  stem: Node | null;
}

/** English tells orders from descriptions by the place of the verb (mood.ts); other languages by the word itself. */
export const ENGLISH = 1;
/** What is no word of any language: an address, a path, the name of a file. */
export const EVERY_LANGUAGE = -1;
const LANGUAGES = ["en", "zh", "de", "fr", "es", "ru", "ja", "ko", "pt", "it"];

/** Where an idea stands in a text: token numbers, and offsets of its words. */
export interface Hit {
  readonly idea: number;
  readonly languages: number;
  readonly token: number;
  readonly last: number;
  readonly start: number;
  readonly end: number;
}

/** An idea at a place, found by other means than words. */
export type Known = Pick<Hit, "idea" | "languages" | "start" | "end">;

interface Begun {
  readonly node: Node;
  readonly gap: number;
  readonly token: number;
  readonly start: number;
}

const MAX_HITS = 100_000;
const MAX_BEGUN = 64;
/** Words that a `*` of a phrase may stand for. */
const MAX_GAP = 4;

export class Lexicon {
  private readonly ids = new Map<string, number>();
  private readonly root: Letter = letterOf();
  /** By the first three letters of a word, whether any of ours begins so: most words of a text are done with after this. */
  private readonly starts = new Uint8Array(32_768);
  /** Where the tokens of the text that was read last end. */
  private ends = new Int32Array(8192);
  private tokens = 0;

  /** `acts`: ideas that are verbs, whose English words also come as `sends` and `sending`. */
  constructor(documents: readonly LexiconDocument[], acts: ReadonlySet<string> = new Set()) {
    for (const { ideas } of documents)
      for (const [idea, byLanguage] of Object.entries(ideas))
        for (const [language, words] of Object.entries(byLanguage)) {
          const bit = language === "any" ? EVERY_LANGUAGE : 1 << LANGUAGES.indexOf(language);
          for (const word of words) for (const form of bit === ENGLISH && acts.has(idea) ? formsOf(word) : [word]) this.add(this.id(idea), bit, form);
        }
  }

  /** The number of an idea; a name that no lexicon has gets one that never occurs. */
  id(idea: string): number {
    const known = this.ids.get(idea);
    if (known !== undefined) return known;
    this.ids.set(idea, this.ids.size);
    return this.ids.size - 1;
  }

  has(idea: string): boolean {
    return this.ids.has(idea);
  }

  /** Every idea of a text, in order. `text` is lower case and folded. */
  read(text: string): Hit[] {
    const hits: Hit[] = [];
    /** Phrases that have begun; `gap` words may still be passed over. */
    let open: Begun[] = [];
    let token = -1;
    for (let at = 0; at < text.length && hits.length < MAX_HITS; ) {
      const kind = classOf(text.charCodeAt(at));
      if (kind !== JOINED && kind !== SINGLE) {
        at++;
        continue;
      }
      const start = at;
      let begins = NOTHING;
      if (kind === JOINED && this.starts[startOf(text, at)] === 0) at = wordEnd(text, at);
      else {
        begins = [];
        at = this.word(text, start, kind, begins);
      }
      if (++token >= this.ends.length) this.ends = grown(this.ends);
      this.ends[token] = at;
      if (begins.length === 0 && open.length === 0) continue;
      const still: Begun[] = [];
      if (open.length > 0) {
        const word = text.slice(start, Math.min(at, start + 80)).replace("’", "'");
        for (const begun of open) {
          for (const node of follow(begun.node, word)) go(node, begun, token, at, hits, still);
          if (begun.gap > 0) still.push({ ...begun, gap: begun.gap - 1 });
        }
      }
      for (const node of begins) go(node, { token, start }, token, at, hits, still);
      open = still.length > MAX_BEGUN ? still.slice(-MAX_BEGUN) : still;
    }
    this.tokens = token + 1;
    return hits;
  }

  /** Adds what somebody else has found in the text that was read last. */
  withKnown(hits: readonly Hit[], known: readonly Known[]): Hit[] {
    const found = known.map((each) => {
      const token = this.tokenAt(each.start);
      return { ...each, token, last: token };
    });
    return [...hits, ...found].sort((a, b) => a.start - b.start);
  }

  /** The first token that ends behind an offset. */
  private tokenAt(offset: number): number {
    let low = 0;
    let high = this.tokens;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.ends[middle] as number) > offset) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  /** Walks one word through the letters. Returns its end, and puts into `begins` what begins with it. */
  private word(text: string, start: number, kind: number, begins: Node[]): number {
    let letter: Letter | undefined = this.root;
    let at = start;
    if (kind === SINGLE) {
      letter = step(letter, text.charCodeAt(at));
      at++;
    } else {
      for (; at < text.length && classOf(text.charCodeAt(at)) === JOINED; at++) {
        if (!letter) continue;
        letter = step(letter, text.charCodeAt(at));
        if (letter?.stem) begins.push(letter.stem);
      }
      for (const end = at + tailOf(text, at); at < end; at++) letter = letter && step(letter, text[at] === "’" ? 0x27 : text.charCodeAt(at));
    }
    if (letter?.word) begins.push(letter.word);
    return at;
  }

  private add(idea: number, language: number, phrase: string): void {
    const words = wordsOf(phrase.toLowerCase());
    const [first, ...rest] = words;
    if (first === undefined) return;
    let letter = this.root;
    const isStem = first.length > 1 && first.endsWith("*");
    const begin = isStem ? first.slice(0, -1) : first;
    if (isStem && begin.length < 3) this.starts.fill(1);
    this.starts[startOf(begin, 0)] = 1;
    for (const character of begin) {
      const code = character.charCodeAt(0);
      const next: Letter = step(letter, code) ?? letterOf();
      if (code < 128) letter.near[code] = next;
      else letter.far.set(code, next);
      letter = next;
    }
    let node: Node = (isStem ? letter.stem : letter.word) ?? { next: new Map(), ideas: new Map(), stems: false };
    if (isStem) letter.stem = node;
    else letter.word = node;
    for (const word of rest) {
      const next: Node = node.next.get(word) ?? { next: new Map(), ideas: new Map(), stems: false };
      node.next.set(word, next);
      node.stems ||= word.length > 1 && word.endsWith("*");
      node = next;
    }
    node.ideas.set(idea, (node.ideas.get(idea) ?? 0) | language);
  }
}

const NOTHING: Node[] = [];

/** Five bits of each of the first three letters of a word; what is not of ASCII shares a place with something. */
function startOf(text: string, at: number): number {
  const one = text.charCodeAt(at);
  const two = text.charCodeAt(at + 1);
  if (classOf(two) !== JOINED) return (one & 31) << 10;
  const three = text.charCodeAt(at + 2);
  return ((one & 31) << 10) | ((two & 31) << 5) | (classOf(three) === JOINED ? three & 31 : 0);
}

function wordEnd(text: string, from: number): number {
  let at = from + 1;
  while (classOf(text.charCodeAt(at)) === JOINED) at++;
  return at + tailOf(text, at);
}

function letterOf(): Letter {
  return { near: new Array<Letter | undefined>(128).fill(undefined), far: new Map(), word: null, stem: null };
}

function step(letter: Letter, code: number): Letter | undefined {
  return code < 128 ? letter.near[code] : letter.far.get(code);
}

function grown(ends: Int32Array): Int32Array<ArrayBuffer> {
  const more = new Int32Array(ends.length * 2);
  more.set(ends);
  return more;
}

/** `send it` → `sends it`, `sending it`. A form that is no word harms nobody. */
function formsOf(phrase: string): string[] {
  const [first = "", ...rest] = phrase.split(" ");
  if (!/^[a-z]{3,}$/.test(first) || /(?:ing|ed|ly|[^s]s)$/.test(first)) return [phrase];
  const third = /(?:s|x|z|ch|sh|o)$/.test(first) ? `${first}es` : /[^aeiou]y$/.test(first) ? `${first.slice(0, -1)}ies` : `${first}s`;
  const going = /[^aeiou]e$/.test(first) || /[^eo]e$/.test(first) ? `${first.slice(0, -1)}ing` : `${first}ing`;
  return [phrase, [third, ...rest].join(" "), [going, ...rest].join(" ")];
}

function go(node: Node, from: { readonly token: number; readonly start: number }, token: number, end: number, hits: Hit[], still: Begun[]): void {
  for (const [idea, languages] of node.ideas) hits.push({ idea, languages, token: from.token, last: token, start: from.start, end });
  if (node.next.size > 0) still.push({ node, gap: 0, token: from.token, start: from.start });
  const skipping = node.next.get("*");
  if (skipping) still.push({ node: skipping, gap: MAX_GAP, token: from.token, start: from.start });
}

function follow(node: Node, word: string): Node[] {
  const exact = node.next.get(word);
  if (!node.stems) return exact ? [exact] : NOTHING;
  const found: Node[] = exact ? [exact] : [];
  for (const [key, next] of node.next) if (key.length > 1 && key.endsWith("*") && word.startsWith(key.slice(0, -1))) found.push(next);
  return found;
}
