/** One step of a glob (contracts/watch.ts; orders/glob.ts has the meaning). Between slashes `deep` may stand for nothing. */
export type GlobToken =
  | { kind: "plain"; character: string }
  | { kind: "one" }
  | { kind: "any" }
  | { kind: "deep" }
  /** Inclusive ranges of characters, never `/`. */
  | { kind: "set"; negated: boolean; ranges: readonly (readonly [from: string, to: string])[] };

/** The steps of a glob, in order. Every text is a glob: what opens a set and closes none is plain. */
export function globTokens(glob: string): GlobToken[] {
  const found = glob.matchAll(/\*\*|\*|\?|\[([\^!]?)([^\]]+)\]|[\s\S]/gu);
  return [...found].map(([text, negation, set]): GlobToken => {
    if (text === "**") return { kind: "deep" };
    if (text === "*") return { kind: "any" };
    if (text === "?") return { kind: "one" };
    if (set !== undefined) return { kind: "set", negated: negation !== "", ranges: rangesOf(set) };
    return { kind: "plain", character: text };
  });
}

function rangesOf(set: string): [string, string][] {
  return [...set.matchAll(/([\s\S])-([\s\S])|([\s\S])/gu)].map(([, from, to, alone]) => [from ?? alone, to ?? alone] as [string, string]);
}

/** `/` `**` `/` at this place: one slash or any names between two. */
export function isDeepBetweenSlashes(tokens: readonly GlobToken[], at: number): boolean {
  return isSlash(tokens[at]) && tokens[at + 1]?.kind === "deep" && isSlash(tokens[at + 2]);
}

const isSlash = (token: GlobToken | undefined): boolean => token?.kind === "plain" && token.character === "/";
