/** One rule of AppArmor text as it was written, without comments; or the head and the end of a block. */
export interface Statement {
  kind: "rule" | "open" | "close" | "include";
  text: string;
  /** 1-based, within the text. */
  line: number;
}

/**
 * Text in AppArmor's profile language → its statements, in one pass. Rules end with a comma; what stands in quotes, (), {} or []
 * is held together, but brackets of a path never go over the end of a line. Any text may be given: what is no rule comes out as
 * one, for the reader of rules to refuse.
 */
export function statementsOf(text: string): Statement[] {
  const statements: Statement[] = [];
  let [words, began, line] = ["", 1, 1];
  let [quoted, round, curly, square] = [false, 0, 0, false];
  const end = (kind: Statement["kind"]) => {
    const clean = words.replace(/\s+/g, " ").trim().replace(/,$/, "");
    if (clean !== "" || kind === "close") statements.push({ kind, text: clean, line: began });
    [words, round, curly, square, quoted] = ["", 0, 0, false, false];
  };

  for (let at = 0; at < text.length; at++) {
    const character = text[at] as string;
    const blank = words.trim() === "";
    if (blank) began = line;
    if (character === "\n") line++;
    const lone = !quoted && round + curly === 0 && !square;
    if (character === "\n" && (quoted || curly > 0 || square)) end("rule");
    else if (character === "\\" && at + 1 < text.length && text[at + 1] !== "\n") words += character + text[++at];
    else if (character === '"') [quoted, words] = [!quoted, words + character];
    else if (quoted) words += character;
    else if (character === "#" && (blank || /\s/.test(text[at - 1] ?? " "))) {
      const stop = text.indexOf("\n", at);
      const comment = text.slice(at, stop < 0 ? text.length : stop);
      const include = blank && /^#include\s/.test(comment);
      if (include) {
        words = comment.slice(1);
        end("include");
      }
      at += comment.length - 1;
    } else if (lone && blank && /^include\s/.test(text.slice(at, at + 8))) {
      const stop = text.indexOf("\n", at);
      words = text.slice(at, stop < 0 ? text.length : stop);
      at += words.length - 1;
      end("include");
    } else if (lone && character === "," && /^(\s|#|$)/.test(text.slice(at + 1, at + 2))) end("rule");
    else if (lone && character === "{" && /^\s/.test(text.slice(at + 1)) && /\s$/.test(words)) end("open");
    else if (lone && blank && character === "}") end("close");
    else {
      if (character === "(") round++;
      else if (character === ")") round = Math.max(0, round - 1);
      else if (character === "{") curly++;
      else if (character === "}") curly = Math.max(0, curly - 1);
      else if (character === "[") square = true;
      else if (character === "]") square = false;
      words += character;
    }
  }
  end("rule");
  return statements;
}

/** Split at spaces, but not within quotes or round brackets. */
export function wordsOf(text: string): string[] {
  return [...text.matchAll(/(?:"[^"]*"|\([^)]*\)|[^\s"(]|["(])+/g)].map(([word]) => word);
}
