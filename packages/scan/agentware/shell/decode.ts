import type { Command } from "./lex.ts";
import { program } from "./program.ts";

/** What a pipeline's first commands give to the shell behind them, where one of them decodes. `text` null: it cannot be known here. */
export interface Decoded {
  readonly text: string | null;
  readonly layer: string;
}

const MAX = 65_536;

export function decodedOf(pipeline: readonly Command[]): Decoded | null {
  const words = pipeline.flatMap((command) => command.words);
  const names = new Set([...pipeline.map((command) => program(command).name), ...words.map((word) => word.split("/").at(-1) ?? "")]);
  const has = (name: string) => names.has(name);
  const flag = (pattern: RegExp) => words.some((word) => pattern.test(word));
  if ((has("base64") || has("gbase64")) && flag(/^(?:-d|-D|--decode|-di|-id)$/)) return { text: fromWords(words, base64), layer: "base64" };
  if (has("base32") && flag(/^(?:-d|--decode)$/)) return { text: null, layer: "base32" };
  if (has("openssl") && flag(/^-d$/)) return { text: has("base64") || flag(/^-(?:base64|a)$/) ? fromWords(words, base64) : null, layer: "base64" };
  if (has("xxd") && flag(/^-\w*r/)) return { text: fromWords(words, hex), layer: "hex" };
  if (has("rev")) return { text: fromWords(words, (word) => (/[\s/]/.test(word) ? [...word].reverse().join("") : null)), layer: "reversed" };
  if (has("tr") && flag(/^[A-Za-z]-[A-Za-z][A-Za-z-]*$/) && flag(/n-z|N-Z/i))
    return { text: fromWords(words, (word) => (/[\s/]/.test(word) ? rot13(word) : null)), layer: "rot13" };
  if (has("printf") || has("echo")) {
    const escaped = words.find((word) => /(?:\\x[0-9a-f]{2}|\\[0-7]{3}){6,}/i.test(word));
    if (escaped) return { text: unescaped(escaped), layer: "escapes" };
  }
  return null;
}

/** The longest word that decodes to text. */
function fromWords(words: readonly string[], decode: (word: string) => string | null): string | null {
  for (const word of [...words].sort((a, b) => b.length - a.length).slice(0, 5)) {
    const text = word.length <= MAX ? decode(word) : null;
    if (text !== null && isText(text)) return text;
  }
  return null;
}

export function base64(word: string): string | null {
  const plain = word.replace(/\s/g, "");
  if (plain.length < 8 || !/^[A-Za-z0-9+/_-]+={0,2}$/.test(plain)) return null;
  return Buffer.from(plain, "base64").toString("utf8");
}

export function hex(word: string): string | null {
  return word.length >= 8 && /^(?:[0-9a-f]{2})+$/i.test(word) ? Buffer.from(word, "hex").toString("utf8") : null;
}

export function rot13(text: string): string {
  return text.replace(/[a-z]/gi, (letter) => String.fromCharCode(letter.charCodeAt(0) + (letter.toLowerCase() < "n" ? 13 : -13)));
}

function unescaped(word: string): string {
  return word.replace(/\\x([0-9a-f]{2})|\\([0-7]{3})|\\n/gi, (_, hexadecimal, octal) =>
    hexadecimal ? String.fromCharCode(Number.parseInt(hexadecimal, 16)) : octal ? String.fromCharCode(Number.parseInt(octal, 8)) : "\n",
  );
}

/** What decodes to letters was meant to be read; noise was not. */
export function isText(text: string): boolean {
  if (text.length < 4) return false;
  let odd = 0;
  for (const character of text.slice(0, 2000))
    if (character < "\t" || (character > "\r" && character < " ") || character === "\ufffd" || (character >= "\u007f" && character < "\u00a0")) odd++;
  return odd === 0;
}
