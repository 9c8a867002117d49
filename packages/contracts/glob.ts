/**
 * Whether `path` is one that `glob` names: `*` within a name, `**` across names, `?` one character but `/`, `[a-z]` and `[^a-z]`
 * one character of a set. Between two slashes `**` may stand for nothing, and one slash remains: upstream's prefixes and
 * suffixes may overlap. The same language as native/glob.c. Linear in the product of the lengths, whatever the glob.
 */
export function globMatches(glob: string, path: string): boolean {
  return globMatcher(glob)(path);
}

/** The same, for one glob and many paths. */
export function globMatcher(glob: string): (path: string) => boolean {
  const tokens = tokensOf(glob);
  const first = /[*?[]/.exec(glob);
  if (!first) return (path) => path === glob;
  /* Most paths do not begin and end as the glob does. */
  const [head, tail] = [glob.slice(0, first.index), glob.slice(/[^*?[\]]*$/.exec(glob)?.index)];
  return (path) => path.startsWith(head) && path.endsWith(tail) && accepts(tokens, path);
}

function accepts(tokens: readonly Token[], path: string): boolean {
  let states = new Set<number>([0]);
  const close = (from: Set<number>): Set<number> => {
    const all = new Set(from);
    for (const at of all) if (tokens[at]?.kind === "any" || tokens[at]?.kind === "deep") all.add(at + 1);
    return all;
  };
  states = close(states);
  for (const character of path) {
    const next = new Set<number>();
    for (const at of states) {
      const token = tokens[at];
      if (!token || !takes(token, character)) continue;
      next.add(token.kind === "one" ? at + 1 : at);
      /* Each double star between two slashes may stand for nothing, however many there are. */
      for (let over = at; isSlash(tokens[over]) && tokens[over + 1]?.kind === "deep" && isSlash(tokens[over + 2]); over += 2) next.add(over + 3);
    }
    if (next.size === 0) return false;
    states = close(next);
  }
  return states.has(tokens.length);
}

type Token = { kind: "any" } | { kind: "deep" } | { kind: "one"; fits(character: string): boolean };

const isSlash = (token: Token | undefined): boolean => token?.kind === "one" && token.fits("/");

function takes(token: Token, character: string): boolean {
  return token.kind === "deep" || (token.kind === "any" ? character !== "/" : token.fits(character));
}

function tokensOf(glob: string): Token[] {
  const tokens: Token[] = [];
  for (let at = 0; at < glob.length; at++) {
    const rest = glob.slice(at);
    const set = /^\[(\^|!)?([^\]]+)\]/.exec(rest);
    if (rest.startsWith("**")) {
      tokens.push({ kind: "deep" });
      at++;
    } else if (rest.startsWith("*")) tokens.push({ kind: "any" });
    else if (rest.startsWith("?")) tokens.push({ kind: "one", fits: (character) => character !== "/" });
    else if (set) {
      const fits = inSet(set[2] as string);
      const wanted = set[1] === undefined;
      tokens.push({ kind: "one", fits: (character) => character !== "/" && fits(character) === wanted });
      at += set[0].length - 1;
    } else {
      const plain = String.fromCodePoint(glob.codePointAt(at) as number);
      tokens.push({ kind: "one", fits: (character) => character === plain });
      at += plain.length - 1;
    }
  }
  return tokens;
}

function inSet(text: string): (character: string) => boolean {
  const ranges = [...text.matchAll(/(.)-(.)|(.)/gsu)].map(([, from, to, alone]) => [from ?? alone, to ?? alone] as [string, string]);
  return (character) => ranges.some(([from, to]) => character >= from && character <= to);
}
