/** Characters that change what a reader sees, or reach into a terminal; line ends and tabs aside. */
const UNSEEN =
  /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u00ad\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\p{Variation_Selector}\ufeff\uffa0\ufff0-\ufffc\u{1bca0}-\u{1bca3}\u{1d173}-\u{1d17a}\u{e0000}-\u{e0fff}]|\u034f/gu;

/** A text in which nothing is unseen: `ig<U+200B>nore`. Safe for a terminal; not for HTML, which escapes for itself. */
export function visible(text: string): string {
  return text.replace(UNSEEN, (character) => `<U+${(character.codePointAt(0) as number).toString(16).toUpperCase().padStart(4, "0")}>`);
}

/** One line of it, cut to `most` characters. */
export function inWords(text: string, most = 300): string {
  const line = visible(text.slice(0, most * 3))
    .replace(/\s+/g, " ")
    .trim();
  return line.length > most ? `${line.slice(0, most)}…` : line;
}
