/** A sentence's place within its block. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** Whatever has no end is cut here; what matters stands within a few words. */
const LONGEST = 1200;
const ENDS = /[.!?](?=[\s"'”’)*_`]|$)|[。！？；]|\n[ \t]*\n|\n(?=[ \t]*(?:[-*+•]|\d{1,3}[.)])[ \t])/g;
/** A dot behind these ends nothing. */
const ABBREVIATION = /(?:\b(?:e\.g|i\.e|etc|vs|cf|mr|mrs|dr|no|approx|incl|z\.b|bzw)|\b[a-z])$/i;

/** Sentences of a text, in one pass, none longer than a screen. */
export function* sentencesOf(text: string): Iterable<Span> {
  let start = 0;
  ENDS.lastIndex = 0;
  for (let found = ENDS.exec(text); found; found = ENDS.exec(text)) {
    const end = found.index + found[0].length;
    if (found[0] === "." && ABBREVIATION.test(text.slice(Math.max(0, found.index - 8), found.index))) continue;
    yield* pieces(start, end);
    start = end;
  }
  yield* pieces(start, text.length);
}

function* pieces(start: number, end: number): Iterable<Span> {
  // Pieces overlap by half, so that what a cut would part stands whole in one of them.
  for (let at = start; at < end; at += LONGEST / 2) {
    yield { start: at, end: Math.min(end, at + LONGEST) };
    if (at + LONGEST >= end) return;
  }
}
