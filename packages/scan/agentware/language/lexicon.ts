import { z } from "zod";

/** Words of many languages for one idea: `rules/agentware/lexicon/*.yaml`. */
export const lexiconSchema = z.strictObject({
  lexicon: z.string(),
  /** idea → language → words; several words are a phrase, `stem*` stands for every word that begins so. */
  ideas: z.record(z.string(), z.record(z.string(), z.array(z.string()))),
});
export type LexiconDocument = z.infer<typeof lexiconSchema>;

interface Node {
  readonly next: Map<string, Node>;
  /** Which ideas end here, and in which languages (a bit each). */
  readonly ideas: Map<number, number>;
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

/** Signs between words that part what belongs together: they count as tokens of their own, and bear no idea. */
const WORDS =
  /[a-z0-9\u00c0-\u024f\u0370-\u03ff\u0400-\u052f\u0590-\u06ff_]+(?:['’](?:t|s|re|ve|ll|m)(?![a-z]))?|[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff]/g;
const MAX_HITS = 4000;
const NOTHING: readonly Node[] = [];
/** Words that a `*` of a phrase may stand for. */
const MAX_GAP = 4;

interface Begun {
  readonly node: Node;
  readonly gap: number;
  readonly token: number;
  readonly start: number;
}

/** An idea at a place, found by other means than words. */
export type Known = Pick<Hit, "idea" | "languages" | "start" | "end">;

export class Lexicon {
  private readonly ids = new Map<string, number>();
  private readonly root: Node = { next: new Map(), ideas: new Map() };
  /** Stems by their first two letters. */
  private readonly stems = new Map<string, [string, Node][]>();
  private readonly cache = new Map<string, readonly Node[]>();

  constructor(documents: readonly LexiconDocument[]) {
    for (const { ideas } of documents)
      for (const [idea, byLanguage] of Object.entries(ideas))
        for (const [language, words] of Object.entries(byLanguage)) {
          const bit = language === "any" ? EVERY_LANGUAGE : 1 << LANGUAGES.indexOf(language);
          for (const word of words) this.add(this.id(idea), bit, word);
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

  /** Every idea of a text, in order. `text` is lower case and folded; `known` are ideas that somebody else has found in it, in order. */
  read(text: string, known: readonly Known[] = []): Hit[] {
    const hits: Hit[] = [];
    /** Phrases that have begun; `gap` words may still be passed over. */
    let open: Begun[] = [];
    let token = 0;
    let next = 0;
    WORDS.lastIndex = 0;
    for (let found = WORDS.exec(text); found && hits.length < MAX_HITS; found = WORDS.exec(text), token++) {
      const end = found.index + found[0].length;
      for (; next < known.length && (known[next] as Known).start < end; next++) hits.push({ ...(known[next] as Known), token, last: token });
      const steps = this.stepsOf(found[0]);
      if (steps.length === 0 && open.length === 0) continue;
      const still: Begun[] = [];
      const go = (node: Node, from: { token: number; start: number }): void => {
        for (const [idea, languages] of node.ideas) hits.push({ idea, languages, token: from.token, last: token, start: from.start, end });
        if (node.next.size > 0) still.push({ ...from, node, gap: 0 });
        const skipping = node.next.get("*");
        if (skipping) still.push({ ...from, node: skipping, gap: MAX_GAP });
      };
      for (const begun of open) {
        for (const node of this.follow(begun.node, found[0])) go(node, begun);
        if (begun.gap > 0) still.push({ ...begun, gap: begun.gap - 1 });
      }
      for (const node of steps) go(node, { token, start: found.index });
      open = still.length > 64 ? still.slice(-64) : still;
    }
    return hits;
  }

  private add(idea: number, language: number, phrase: string): void {
    const words = phrase.toLowerCase().match(new RegExp(`(?:${WORDS.source})\\*?|\\*`, "g")) ?? [];
    let node = this.root;
    for (const word of words) {
      const next: Node = node.next.get(word) ?? { next: new Map(), ideas: new Map() };
      node.next.set(word, next);
      node = next;
    }
    if (words.length > 0) node.ideas.set(idea, (node.ideas.get(idea) ?? 0) | language);
    const first = words[0];
    if (!first || first.length < 2 || !first.endsWith("*")) return;
    const stem = first.slice(0, -1);
    const alike = this.stems.get(stem.slice(0, 2)) ?? [];
    this.stems.set(stem.slice(0, 2), alike);
    if (!alike.some(([known]) => known === stem)) alike.push([stem, this.root.next.get(first) as Node]);
  }

  /** Words come again and again: what begins with one is looked up once. */
  private stepsOf(word: string): readonly Node[] {
    const known = this.cache.get(word);
    if (known) return known;
    const exact = this.root.next.get(word);
    const stems = word.length > 60 ? [] : (this.stems.get(word.slice(0, 2)) ?? []).filter(([stem]) => word.startsWith(stem)).map(([, node]) => node);
    const steps = exact ? [exact, ...stems] : stems.length === 0 ? NOTHING : stems;
    if (this.cache.size > 100_000) this.cache.clear();
    if (word.length <= 60) this.cache.set(word, steps);
    return steps;
  }

  private follow(node: Node, word: string): Node[] {
    const found: Node[] = [];
    for (const [key, next] of node.next) if (key === word || (key.length > 1 && key.endsWith("*") && word.startsWith(key.slice(0, -1)))) found.push(next);
    return found;
  }
}
