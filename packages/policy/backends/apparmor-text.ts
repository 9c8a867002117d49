import { type GlobToken, globTokens, isDeepBetweenSlashes } from "./glob.ts";

/**
 * A glob as a quoted AppArmor expression. What a policy's author writes in a glob can never end the quotes, add a rule or name
 * a variable: plain characters are letters, digits and `/._-+=:~%@`, or else escaped (octal in UTF-8 for what has no escape).
 * Throws RangeError for a glob that matches no path: a NUL, a set of nothing but the slash.
 *
 * AppArmor names directories with a slash at the end: `directories` lets the expression match those too.
 */
export function appArmorGlob(glob: string, directories: boolean): string {
  const tokens = globTokens(glob);
  let text = "";
  for (let at = 0; at < tokens.length; at++) {
    if (isDeepBetweenSlashes(tokens, at)) {
      // `/**/x` of AppArmor does not match `/x`; ours does.
      text += "/{**/,}";
      at += 2;
    } else text += expression(tokens[at] as GlobToken);
  }
  const open = directories && tokens.at(-1)?.kind !== "deep" && !glob.endsWith("/");
  return `"${text}${open ? "{,/}" : ""}"`;
}

function expression(token: GlobToken): string {
  switch (token.kind) {
    case "deep":
      return "**";
    case "any":
      return "*";
    case "one":
      return "?";
    case "plain":
      return plain(token.character);
    case "set":
      return set(token);
  }
}

function plain(character: string): string {
  if (/^[A-Za-z0-9/._+=:~%@-]$/.test(character)) return character;
  if (/^[*?[\]{}^,\\]$/.test(character)) return `\\${character}`;
  if (character === "\0") throw new RangeError("a NUL is in no path");
  return [...Buffer.from(character, "utf8")].map((byte) => `\\${byte.toString(8).padStart(3, "0")}`).join("");
}

/** Sets of letters and digits stay sets. Others are written out; of a large or negated one any character: a little stricter. */
function set({ negated, ranges }: Extract<GlobToken, { kind: "set" }>): string {
  const simple = ranges.every(([from, to]) => /^[A-Za-z0-9_.]$/.test(from) && /^[A-Za-z0-9_.]$/.test(to) && from <= to);
  if (simple && negated) return `[^${written(ranges)}/]`;
  if (simple) return `[${written(ranges.flatMap(withoutSlash))}]`;
  if (negated || ranges.some(([from, to]) => width(from, to) > 256)) return "?";
  const characters = [...new Set(ranges.flatMap(([from, to]) => between(from, to)))].filter((character) => character !== "/" && character !== "\0");
  if (characters.length === 0) throw new RangeError("a set of nothing but the slash is in no name");
  return characters.length === 1 ? plain(characters[0] as string) : `{${characters.map(plain).join(",")}}`;
}

const written = (ranges: Extract<GlobToken, { kind: "set" }>["ranges"]): string => ranges.map(([from, to]) => (from === to ? from : `${from}-${to}`)).join("");

/** `.-A` holds the slash. */
function withoutSlash([from, to]: readonly [string, string]): [string, string][] {
  if (from > "/" || to < "/") return [[from, to]];
  return [...(from < "/" ? [[from, "."] as [string, string]] : []), ...(to > "/" ? [["0", to] as [string, string]] : [])];
}

const width = (from: string, to: string): number => (to.codePointAt(0) as number) - (from.codePointAt(0) as number) + 1;

function between(from: string, to: string): string[] {
  return Array.from({ length: Math.max(0, width(from, to)) }, (_, i) => String.fromCodePoint((from.codePointAt(0) as number) + i));
}
