import { ENGLISH, type Hit, type Lexicon } from "./lexicon.ts";

/** A thought of several ideas that stand close together in one sentence, as rules write it: `[disregard, prior, guidance]`. */
export interface FrameSpec {
  readonly ideas: readonly string[];
  /** Most words between its first and its last. */
  readonly within?: number;
  /** Only in this order. */
  readonly ordered?: boolean;
  /** Ideas that must not stand anywhere in the sentence. */
  readonly unless?: readonly string[];
  /** Only for languages that put the verb last; English would say something else by it. */
  readonly not_english?: boolean;
}

export interface Frame {
  readonly signal: string;
  readonly groups: readonly ReadonlySet<number>[];
  readonly within: number;
  readonly ordered: boolean;
  readonly unless: ReadonlySet<number>;
  readonly notEnglish: boolean;
  /** Bits of each group's ideas, to dismiss a sentence by one look. */
  readonly bits: readonly Bits[];
}

/** Which ideas there are, by their numbers modulo 64: a set bit may mean another one, an unset bit is certain. */
export type Bits = readonly [low: number, high: number];

export function bitsOf(hits: Iterable<Pick<Hit, "idea">>): Bits {
  let low = 0;
  let high = 0;
  for (const { idea } of hits) {
    if (idea % 64 < 32) low |= 1 << (idea % 32);
    else high |= 1 << (idea % 32);
  }
  return [low, high];
}

/** Where a frame was found: its hits in the order of the text. */
export interface FrameMatch {
  readonly frame: Frame;
  readonly hits: readonly Hit[];
}

const CLOSE = 9;
const MAX_STARTS = 64;

export function frameOf(signal: string, { ideas, within = CLOSE, ordered = false, unless = [], not_english = false }: FrameSpec, lexicon: Lexicon): Frame {
  const numbers = (text: string) => new Set(text.split("|").map((idea) => lexicon.id(idea.trim())));
  const groups = ideas.map(numbers);
  return {
    signal,
    groups,
    bits: groups.map((group) => bitsOf([...group].map((idea) => ({ idea })))),
    within,
    ordered,
    unless: new Set(unless.flatMap((text) => [...numbers(text)])),
    notEnglish: not_english,
  };
}

/** Whether a text with these ideas can hold a frame: false is certain. */
export function canHold({ bits }: Frame, [low, high]: Bits): boolean {
  for (const group of bits) if ((group[0] & low) === 0 && (group[1] & high) === 0) return false;
  return true;
}

/** The closest place of a sentence's hits where all ideas of a frame stand together. */
export function findFrame(frame: Frame, hits: readonly Hit[], bits: Bits): FrameMatch | null {
  if (!canHold(frame, bits)) return null;
  if (frame.unless.size > 0 && hits.some((hit) => frame.unless.has(hit.idea))) return null;
  const [first, ...rest] = frame.groups;
  if (!first || rest.some((group) => !hits.some((hit) => group.has(hit.idea)))) return null;
  let best: Hit[] | null = null;
  let starts = 0;
  for (const hit of hits) {
    if (!first.has(hit.idea) || (frame.notEnglish && (hit.languages & ENGLISH) !== 0) || ++starts > MAX_STARTS) continue;
    const chosen = complete(frame, rest, [hit], near(hits, hit, frame));
    if (chosen && (!best || span(chosen) < span(best))) best = chosen;
  }
  return best ? { frame, hits: best.sort((a, b) => a.start - b.start) } : null;
}

/** Hits that a frame with this one could reach. */
function near(hits: readonly Hit[], hit: Hit, { within, groups }: Frame): readonly Hit[] {
  // Words of the hits themselves do not count towards the width.
  const reach = within + groups.length * 6;
  return hits.length < 40 ? hits : hits.filter((other) => Math.abs(other.token - hit.token) <= reach);
}

/** Takes of each further group the hit that is nearest, and shares no word with one that is taken. */
function complete(frame: Frame, groups: readonly ReadonlySet<number>[], chosen: Hit[], hits: readonly Hit[]): Hit[] | null {
  for (const group of groups) {
    let best: Hit | null = null;
    for (const hit of hits) {
      if (!group.has(hit.idea) || chosen.some((taken) => hit.token <= taken.last && taken.token <= hit.last)) continue;
      if (frame.ordered && hit.token <= (chosen.at(-1) as Hit).last) continue;
      if ((languagesOf(chosen) & hit.languages) === 0) continue;
      if (span([...chosen, hit]) > frame.within) continue;
      if (!best || span([...chosen, hit]) < span([...chosen, best])) best = hit;
    }
    if (!best) return null;
    chosen.push(best);
  }
  return chosen;
}

/** Words that are no part of a hit: the width of what lies between. */
function span(chosen: readonly Hit[]): number {
  const width = Math.max(...chosen.map((each) => each.last)) - Math.min(...chosen.map((each) => each.token)) + 1;
  return width - chosen.reduce((sum, each) => sum + each.last - each.token + 1, 0);
}

/** Languages in which all of them are words: `still` says nothing of secrecy in an English sentence. */
export function languagesOf(hits: readonly Hit[]): number {
  return hits.reduce((all, hit) => all & hit.languages, -1);
}
