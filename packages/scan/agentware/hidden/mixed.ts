import type { Unseen } from "./unicode.ts";

const MIXED =
  /[A-Za-z0-9_$]*(?:[A-Za-z][\u0370-\u03ff\u0400-\u04ff\u0501-\u052f\u0585\u03f2]|[\u0370-\u03ff\u0400-\u04ff\u0501-\u052f\u0585\u03f2][A-Za-z])[A-Za-z0-9_$\u0370-\u052f]*/g;

/** Names of a program that mix Latin letters with those of another alphabet that look like them: `аdmin` is not `admin`. */
export function mixedNames(text: string, lookalikes: ReadonlyMap<string, string>): Unseen[] {
  if (!/[\u0370-\u052f]/.test(text)) return [];
  const found: Unseen[] = [];
  for (const match of text.matchAll(MIXED)) {
    const letters = [...match[0]];
    const foreign = letters.filter((letter) => letter > "\u036f");
    // A word of Russian with a Latin letter is a slip; a Latin word with others is a trick. Letters that look like nothing else are names of quantities.
    if (
      letters.length < 4 ||
      foreign.length > letters.length / 2 ||
      !foreign.every((letter) => lookalikes.has(letter)) ||
      found.length > 50 ||
      isPacked(text, match.index)
    )
      continue;
    const plain = letters.map((letter) => lookalikes.get(letter) ?? letter).join("");
    found.push({
      kind: "mixed-script",
      start: match.index,
      end: match.index + match[0].length,
      says: "",
      detail: `${plain} with letters of another alphabet (${foreign.map((letter) => `U+${letter.codePointAt(0)?.toString(16).toUpperCase().padStart(4, "0")}`).join(" ")})`,
    });
  }
  return found;
}

/** Lines that no person writes hold tables of letters next to each other, which are no names. */
function isPacked(text: string, at: number): boolean {
  const start = text.lastIndexOf("\n", at);
  const end = text.indexOf("\n", at);
  return (end < 0 ? text.length : end) - start > 2000;
}
