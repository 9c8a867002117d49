/** How far a handler may reach; longer ones are seen up to there. */
const MAX_EXTENT = 40_000;
const MAX_FUNCTIONS = 2000;

/** Offset behind the bracket that shuts the one at `open`. Texts and comments are passed over. */
export function shutOf(text: string, open: number): number {
  const last = Math.min(text.length, open + MAX_EXTENT);
  let depth = 0;
  for (let at = open; at < last; at++) {
    const character = text[at] as string;
    if (character === '"' || character === "'" || character === "`") at = endOfText(text, at, last);
    else if (character === "/" && text[at + 1] === "/") at = lineEnd(text, at);
    else if (character === "/" && text[at + 1] === "*") at = Math.max(at, text.indexOf("*/", at));
    else if (character === "(" || character === "[" || character === "{") depth++;
    else if ((character === ")" || character === "]" || character === "}") && --depth <= 0) return at + 1;
  }
  return last;
}

function endOfText(text: string, from: number, last: number): number {
  const quote = text[from];
  for (let at = from + 1; at < last; at++) {
    if (text[at] === "\\") at++;
    else if (text[at] === quote || (text[at] === "\n" && quote !== "`")) return at;
  }
  return last;
}

function lineEnd(text: string, at: number): number {
  const newline = text.indexOf("\n", at);
  return newline < 0 ? text.length : newline;
}

/** The end of what is indented deeper than the line that begins at `start`: a function's body, a branch. */
export function bodyBelow(text: string, start: number): number {
  const indent = /^[ \t]*/.exec(text.slice(start, start + 200))?.[0].length ?? 0;
  const last = Math.min(text.length, start + MAX_EXTENT);
  // The head may go over several lines: its body begins behind the colon that ends a line.
  const head = /:[ \t]*(?:#[^\n]*)?\n/.exec(text.slice(start, start + 4000));
  let at = head ? start + head.index + head[0].length : lineEnd(text, start) + 1;
  while (at < last) {
    const line = text.slice(at, Math.min(lineEnd(text, at), at + 400));
    if (line.trim() !== "" && (/^[ \t]*/.exec(line) as RegExpExecArray)[0].length <= indent) return at;
    at = lineEnd(text, at) + 1;
  }
  return last;
}

const JS_FUNCTION =
  /\bfunction\s{1,4}(\w{2,80})\s{0,4}\(|\b(?:const|let|var)\s{1,4}(\w{2,80})\s{0,4}=\s{0,4}(?:async\s{0,4})?(?:function\b|\([^()\n]{0,300}\)[^\n=]{0,80}=>|\w{1,40}\s{0,4}=>)|^[ \t]{1,16}(?:(?:private|public|protected|static|async)\s{1,4}){0,3}(\w{2,80})\s{0,4}\([^()\n]{0,300}\)[^\n;{=]{0,120}\{[ \t]*$/gm;
const PYTHON_FUNCTION = /^[ \t]{0,16}(?:async[ \t]{1,4})?def[ \t]{1,4}(\w{2,80})\s{0,4}\(/gm;
const NO_FUNCTION = /^(?:if|for|while|switch|catch|return|with|function)$/;

/** Functions of a file by name, to know what a handler calls. */
export function functionsOf(text: string, language: string): { calledIn(body: string): (readonly [number, number])[] } {
  const known = new Map<string, readonly [number, number]>();
  for (const match of text.matchAll(language === "python" ? PYTHON_FUNCTION : JS_FUNCTION)) {
    const name = match[1] ?? match[2] ?? match[3] ?? "";
    if (known.size >= MAX_FUNCTIONS) break;
    if (name === "" || known.has(name) || NO_FUNCTION.test(name)) continue;
    const brace = text.indexOf("{", match.index + match[0].length - 1);
    const end =
      language === "python"
        ? bodyBelow(text, match.index + (text[match.index] === "\n" ? 1 : 0))
        : brace < 0 || brace - match.index > 1000
          ? lineEnd(text, match.index)
          : shutOf(text, brace);
    known.set(name, [match.index, end]);
  }
  const called = (body: string): (readonly [number, number])[] => {
    const names = new Set([...body.matchAll(/\b(\w{2,80})\s{0,2}\(|,\s{0,20}(\w{2,80})\s{0,20},?\s{0,20}\)$/g)].map((match) => match[1] ?? match[2] ?? ""));
    return [...names]
      .flatMap((name) => {
        const range = known.get(name);
        return range ? [range] : [];
      })
      .slice(0, 50);
  };
  return {
    // Two steps: a handler calls what does it, or what calls that.
    calledIn: (body) => {
      const first = called(body);
      return [...first, ...first.slice(0, 10).flatMap(([start, end]) => called(text.slice(start, end)))].slice(0, 100);
    },
  };
}
