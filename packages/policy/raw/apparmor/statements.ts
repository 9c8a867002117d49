/** One rule of AppArmor text as it was written, without comments; or the head and the end of a block. */
export interface Statement {
  kind: "rule" | "open" | "close" | "include";
  text: string;
  /** 1-based, within the text. */
  line: number;
}

/**
 * Text in AppArmor's profile language → its statements, in one pass. Rules end with a comma; what stands in quotes, (), {} or []
 * is held together, but quotes and brackets of a path never go over the end of a line. Any text may be given: what is no rule
 * comes out as one, for the reader of rules to refuse.
 */
export function statementsOf(text: string): Statement[] {
  const statements: Statement[] = [];
  let line = 1;
  let rule = empty(line);
  const end = (kind: Statement["kind"], words = rule.pieces.join("")) => {
    const clean = words.replace(/\s+/g, " ").trim().replace(/,$/, "");
    if (clean !== "" || kind === "close") statements.push({ kind, text: clean, line: rule.line });
    rule = empty(line);
  };

  for (let at = 0; at < text.length; at++) {
    const character = text[at] as string;
    const next = text[at + 1] ?? "\n";
    const lone = !rule.quoted && !rule.square && rule.round + rule.curly === 0;
    if (rule.blank) rule.line = line;
    if (character === "\n") line++;
    if (character === "\n" && (rule.quoted || rule.square || rule.curly > 0)) end("rule");
    else if (character === "\\" && next !== "\n") take(rule, character + (text[++at] as string));
    else if (character === '"') rule.quoted = take(rule, character) && !rule.quoted;
    else if (rule.quoted) take(rule, character);
    else if (character === "#" && (rule.blank || isBlank(rule.last))) {
      const comment = restOfLine(text, at);
      at += comment.length - 1;
      if (rule.blank && /^#include\s/.test(comment)) end("include", comment.slice(1));
    } else if (lone && rule.blank && character === "i" && /^include\s/.test(text.slice(at, at + 8))) {
      const words = restOfLine(text, at);
      at += words.length - 1;
      end("include", words);
    } else if (lone && character === "," && (isBlank(next) || next === "#")) end("rule");
    else if (lone && character === "{" && isBlank(next) && isBlank(rule.last)) end("open");
    else if (lone && rule.blank && character === "}") end("close");
    else {
      counted(rule, character);
      take(rule, character);
    }
  }
  end("rule");
  return statements;
}

/** What has been read of the rule so far. */
interface Reading {
  pieces: string[];
  line: number;
  blank: boolean;
  last: string;
  quoted: boolean;
  square: boolean;
  round: number;
  curly: number;
}

const empty = (line: number): Reading => ({ pieces: [], line, blank: true, last: "", quoted: false, square: false, round: 0, curly: 0 });
const isBlank = (character: string): boolean => /^\s$/.test(character);

function take(rule: Reading, piece: string): true {
  rule.pieces.push(piece);
  rule.last = piece;
  if (!isBlank(piece)) rule.blank = false;
  return true;
}

function counted(rule: Reading, character: string): void {
  if (character === "(") rule.round++;
  else if (character === ")") rule.round = Math.max(0, rule.round - 1);
  else if (character === "{") rule.curly++;
  else if (character === "}") rule.curly = Math.max(0, rule.curly - 1);
  else if (character === "[") rule.square = true;
  else if (character === "]") rule.square = false;
}

function restOfLine(text: string, from: number): string {
  const stop = text.indexOf("\n", from);
  return text.slice(from, stop < 0 ? text.length : stop);
}

/** Split at spaces, but not within quotes or round brackets. One that never closes is a character like others. */
export function wordsOf(text: string): string[] {
  const words: string[] = [];
  const closing: Readonly<Record<string, string>> = { '"': '"', "(": ")" };
  let [from, at] = [0, 0];
  const cut = () => {
    if (at > from) words.push(text.slice(from, at));
  };
  for (; at < text.length; at++) {
    const character = text[at] as string;
    const close = closing[character];
    if (isBlank(character)) {
      cut();
      from = at + 1;
    } else if (close !== undefined) at = Math.max(at, text.indexOf(close, at + 1));
  }
  cut();
  return words;
}
