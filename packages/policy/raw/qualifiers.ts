import type { Notes } from "./notes.ts";

export interface Qualified {
  allow: boolean;
  deny: boolean;
  audit: boolean;
}

type Qualifier = keyof Qualified;

/**
 * What a rule's `qualifiers` make of it. Missing ones (upstream's own example 5 has none) and an empty list leave the rule
 * without effect: null, with a row or a fault.
 */
export function qualified(given: readonly string[] | undefined, path: string, known: readonly Qualifier[], notes: Notes): Qualified | null {
  const at = `${path}.qualifiers`;
  if (given === undefined) {
    notes.ignored(at, `is missing, so the rule does nothing: write qualifiers: [${known.at(-1) === "audit" ? "deny, audit" : known.join(", ")}]`);
    return null;
  }
  const words = given.map((word, i) => ({ word: word.trim().toLowerCase(), place: `${at}[${i}]`, given: word }));
  for (const each of words) {
    if (!(known as readonly string[]).includes(each.word)) {
      notes.wrong(each.place, `unknown qualifier ${JSON.stringify(each.given)}; there are ${known.join(", ")}${notes.meant(each.word, known)}`);
    }
  }
  const has = (word: Qualifier) => words.some((each) => each.word === word);
  if (has("allow") && has("deny")) notes.wrong(at, "allow and deny contradict each other");
  if (words.length === 0) {
    notes.row(path, `neither ${known.join(" nor ")} is among its qualifiers: the rule has no effect, as upstream`);
    return null;
  }
  return { allow: has("allow"), deny: has("deny"), audit: has("audit") };
}
