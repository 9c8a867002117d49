/**
 * What a stack shows of a program's memory. The program chooses every byte, and people read it in terminals, logs and pages: what
 * could move a cursor, hide text or turn its direction round is replaced, and so is what is not Unicode.
 */

/** Controls (ESC among them), format characters (bidi, zero width), lone surrogates, private use, unassigned, line separators. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}]/gu;

/** As it may be shown: at most `limit` UTF-16 units, U+FFFD for what is not printable. */
export function printable(text: string, limit: number): string {
  const clean = text.replace(UNPRINTABLE, "\ufffd");
  if (clean.length <= limit) return clean;
  const cut = clean.slice(0, limit - 1);
  return `${isHighSurrogate(cut.charCodeAt(cut.length - 1)) ? cut.slice(0, -1) : cut}…`;
}

function isHighSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdbff;
}
