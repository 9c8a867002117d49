import { domainToUnicode } from "node:url";

/**
 * Whether the names that a sandbox asks for carry something: many that were never asked before, under one parent, with labels that
 * are long and look coded. What is allowed by a wildcard, or by default, is asked of a nameserver outside when it is connected to,
 * and whoever owns the parent reads the questions.
 *
 * All is measured as a bucket that leaks: what comes slowly enough never adds up. Few names, however long, are no tunnel; nor are
 * many that are words, or short, as those of content networks are, until they are so many that their number alone carries something.
 */
export type Carried = "nothing" | "suspicious" | "too-much";

interface Parent {
  at: number;
  /** Characters of coded labels, and names with such labels, that have not leaked away. */
  coded: number;
  codedNames: number;
  names: number;
}

const LIMITS = { coded: 1500, codedNames: 16, names: 400 };
/** A second. A name of a web site's needs none of it after the first time. */
const LEAKS = { coded: 8, codedNames: 0.2, names: 2 };
/** Beyond so many times the limits, nothing new under that parent is answered. */
const STOP = 4;
const KEPT_NAMES = 8192;
const KEPT_PARENTS = 256;

export class TunnelWatch {
  readonly #seen = new Set<string>();
  readonly #parents = new Map<string, Parent>();

  /** Counts a question. A name or label that was asked before carries nothing new. `now`: milliseconds. */
  ask(name: string, now: number): Carried {
    const labels = name.split(".");
    const parent = this.#parentOf(labels.slice(-2).join("."), now);
    const isNew = this.#isNew(name);
    if (isNew && labels.length > 2) {
      const coded = labels.slice(0, -2).filter((label, i) => looksCoded(label) && this.#isNew(`${i}.${label}`));
      parent.names++;
      parent.coded += coded.reduce((sum, label) => sum + label.length, 0);
      if (coded.length > 0) parent.codedNames++;
    }
    if (exceeds(parent, STOP)) return isNew ? "too-much" : "suspicious";
    return exceeds(parent, 1) ? "suspicious" : "nothing";
  }

  #isNew(text: string): boolean {
    if (this.#seen.has(text)) return false;
    if (this.#seen.size < KEPT_NAMES) this.#seen.add(text); // more than that is a flood, in which everything is new
    return true;
  }

  #parentOf(name: string, now: number): Parent {
    const key = this.#parents.has(name) || this.#parents.size < KEPT_PARENTS ? name : "";
    const parent = this.#parents.get(key) ?? { at: now, coded: 0, codedNames: 0, names: 0 };
    const seconds = Math.max(0, now - parent.at) / 1000;
    for (const what of ["coded", "codedNames", "names"] as const) parent[what] = Math.max(0, parent[what] - LEAKS[what] * seconds);
    parent.at = now;
    this.#parents.set(key, parent);
    return parent;
  }
}

function exceeds({ coded, codedNames, names }: Parent, times: number): boolean {
  return (coded >= LIMITS.coded * times && codedNames >= LIMITS.codedNames) || names >= LIMITS.names * times;
}

const MIN_CODED = 12;
/** Bits a character. Random hexadecimal of twelve characters has 3 in the mean, base32 3.4; a repeated letter has none. */
const MIN_ENTROPY = 2.5;

/** Long, of many different characters, and not as words are: with digits in between, or with hardly a vowel. */
export function looksCoded(label: string): boolean {
  if (label.length < MIN_CODED || entropy(label) < MIN_ENTROPY || isForeignWord(label)) return false;
  const digits = label.replace(/[^0-9]/g, "").length;
  const letters = label.replace(/[^a-z]/g, "");
  const vowels = letters.replace(/[^aeiou]/g, "").length;
  return digits / label.length >= 0.12 || vowels / Math.max(1, letters.length) < 0.24;
}

const SCRIPTS = [
  /^[\p{Script=Latin}\p{Script=Common}]+$/u,
  /^[\p{Script=Cyrillic}\p{Script=Common}]+$/u,
  /^[\p{Script=Greek}\p{Script=Common}]+$/u,
  /^[\p{Script=Arabic}\p{Script=Common}]+$/u,
  /^[\p{Script=Hebrew}\p{Script=Common}]+$/u,
  /^[\p{Script=Devanagari}\p{Script=Common}]+$/u,
  /^[\p{Script=Thai}\p{Script=Common}]+$/u,
  /^[\p{Script=Hangul}\p{Script=Common}]+$/u,
  /^[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Common}]+$/u,
];

/** Bytes that are read as such a coding give ever longer rows of signs that lie near each other. */
const MAX_WORD = 16;

/** A word in another script looks coded (RFC 3492). What only begins as one is none, or one of all scripts at once. */
function isForeignWord(label: string): boolean {
  if (!label.startsWith("xn--")) return false;
  const word = domainToUnicode(label);
  return word !== "" && word.length <= MAX_WORD && !word.startsWith("xn--") && SCRIPTS.some((script) => script.test(word));
}

/** Shannon's, over the label's own characters, in bits. */
export function entropy(text: string): number {
  const counts = new Map<string, number>();
  for (const one of text) counts.set(one, (counts.get(one) ?? 0) + 1);
  return [...counts.values()].reduce((sum, count) => sum - (count / text.length) * Math.log2(count / text.length), 0);
}
