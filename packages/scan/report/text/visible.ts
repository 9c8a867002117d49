/**
 * What a terminal obeys, a reader cannot see, or turns the order of letters around: control characters, format characters (bidirectional
 * marks, zero widths, tags), line and paragraph separators, lone surrogates, private use, and the letters and marks that draw nothing.
 */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Co}\p{Variation_Selector}\u{115f}\u{1160}\u{2800}\u{3164}\u{ffa0}]|\u{034f}|\u{17b4}|\u{17b5}/gu;
/** What makes a symbol of text a picture, where it follows one. */
const PICTURE = /(\p{Extended_Pictographic})\ufe0f/gu;
/** More marks than this on one letter are no script's: they run over the lines above and below. */
const MARKS = /(\p{M}{4})\p{M}+/gu;

/**
 * Text of an artifact, fit to be shown anywhere that obeys characters: on one line, everything that is not seen written as `\u{…}`. The
 * reader of a report about hidden characters sees them.
 */
export function visible(text: string): string {
  return text
    .replace(PICTURE, "$1")
    .replace(UNSEEN, (character) => (character === "\t" ? "  " : `\\u{${(character.codePointAt(0) as number).toString(16)}}`))
    .replace(MARKS, "$1…");
}

/** The same, line by line: `\n` and `\r\n` part lines and nothing else does. */
export function visibleLines(text: string): string[] {
  return text.split(/\r?\n/).map(visible);
}
