import type { Block } from "../document/model.ts";
import { base64, hex, isText } from "../shell/decode.ts";

/** Spellings of text, each with what it cannot be without: a look for that is cheap. */
const SPELLINGS: readonly (readonly [needs: string, pattern: RegExp])[] = [
  ["", /[A-Za-z0-9+/_-]{32,20000}={0,2}/g],
  ["&#", /(?:&#x?[0-9a-fA-F]{2,6};){8,2000}/g],
  ["%", /(?:%[0-9a-fA-F]{2}){8,4000}/g],
  ["\\u00", /(?:\\u00[0-9a-fA-F]{2}){8,4000}/g],
  ["\\x", /(?:\\x[0-9a-fA-F]{2}){8,4000}/g],
];
/** What has so many is a flood, and the rest of it is not decoded. */
export const MAX_DECODED = 200;
const SPACED = /(^|[\s"'(])((?:[\p{L}\p{N}][._*-]){3,60}[\p{L}\p{N}]|(?:[\p{L}\p{N}] {1,3}){5,200}[\p{L}\p{N}])(?=[\s"').,!]|$)/gu;

/** Texts that blocks hold in another spelling: base64, hexadecimal, entities, letters with gaps. Each is a block, hidden where people cannot read it. */
export function encodedBlocks(blocks: readonly Block[]): Block[] {
  const found: Block[] = [];
  for (const each of blocks) {
    if (each.text.length < 16) continue;
    if (each.kind !== "string" || each.text.length < 100_000) {
      for (const [needs, pattern] of SPELLINGS) {
        if (needs === "" ? !hasLongWord(each.text) : !each.text.includes(needs)) continue;
        for (const match of each.text.matchAll(pattern)) {
          if (found.length >= MAX_DECODED) return found;
          const decoded = decode(match[0]);
          if (decoded) found.push(inner(each, decoded.text, match.index, decoded.layer));
        }
      }
    }
    if (each.kind === "code" || each.kind === "string" || each.kind === "value" || each.kind === "remark") continue;
    // Both spellings are short words or signs among letters, which few texts have.
    if (!/\S[ ._*-]\S[ ._*-]\S[ ._*-]\S/.test(each.text) && !mayBeLeet(each.text)) continue;
    if (mayBeLeet(each.text) && LEET.test(each.text) && found.length < MAX_DECODED) found.push(inner(each, unleet(each.text), 0, "leetspeak"));
    const plain = unspaced(each.text);
    if (plain !== null && found.length < MAX_DECODED) found.push(inner(each, plain, 0, "spaced-letters"));
  }
  return found;
}

/** Whether 32 letters of base64 follow each other: one look at each character. */
function hasLongWord(text: string): boolean {
  let run = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    const part =
      (code >= 0x61 && code <= 0x7a) || (code >= 0x41 && code <= 0x5a) || (code >= 0x2f && code <= 0x39) || code === 0x2b || code === 0x5f || code === 0x2d;
    if (!part) run = 0;
    else if (++run >= 32) return true;
  }
  return false;
}

function inner(each: Block, text: string, at: number, layer: string): Block {
  return {
    ...each,
    text,
    start: each.exact ? each.start + at : each.start,
    exact: false,
    hidden: each.hidden ?? `an encoding (${layer})`,
    layers: [...each.layers, layer],
  };
}

function decode(blob: string): { text: string; layer: string } | null {
  if (blob.startsWith("&#"))
    return text(
      blob.replace(/&#(x?)([0-9a-fA-F]+);/g, (_, x, code) => character(Number.parseInt(code, x ? 16 : 10))),
      "entities",
    );
  if (blob.startsWith("%")) return text(Buffer.from(blob.replaceAll("%", ""), "hex").toString("utf8"), "percent");
  if (blob.startsWith("\\"))
    return text(
      blob.replace(/\\(?:u00|x)([0-9a-fA-F]{2})/g, (_, code) => character(Number.parseInt(code, 16))),
      "escapes",
    );
  const bytes = hex(blob);
  if (bytes !== null) return text(bytes, "hex");
  return /[a-z]/.test(blob) && /[A-Z]/.test(blob) ? text(base64(blob) ?? "", "base64") : null;
}

/** Only what has words is a text that somebody wrote. */
function text(decoded: string, layer: string): { text: string; layer: string } | null {
  return isText(decoded) && /\p{L}{2,}[\s/:_.-]+\p{L}{2,}|[\u3400-\u9fff]{4}/u.test(decoded) ? { text: decoded, layer } : null;
}

function character(code: number): string {
  return code > 0 && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff) ? String.fromCodePoint(code) : "\ufffd";
}

/** `i g n o r e  a l l` and `i.g.n.o.r.e all`: the text with such words joined; null where there are none. One gap parts letters, two part words. */
function unspaced(text: string): string | null {
  let changed = false;
  const plain = text.slice(0, 20_000).replace(SPACED, (whole, first: string, spaced: string) => {
    changed = true;
    const gap = /[ ._*-]/.exec(spaced)?.[0] ?? " ";
    const words = gap === " " ? spaced.split(/ {2,}/) : spaced.split(" ");
    return `${first}${words.map((word) => word.replaceAll(gap, "")).join(" ")}${whole.slice(first.length + spaced.length)}`;
  });
  return changed ? plain : null;
}

/** Three words in a row, each with a digit among its letters. */
const LEET = /(?:(?<![\w-])(?=[a-z]*\d)(?=\d*[a-z])[a-z\d@$]{3,20}(?![\w-])[ \t]+){2}(?=[a-z]*\d)(?=\d*[a-z])[a-z\d@$]{3,20}/i;
const LEET_LETTERS: Readonly<Record<string, string>> = { "0": "o", "1": "i", "3": "e", "4": "a", "5": "s", "7": "t", "@": "a", $: "s" };

/** Two words next to each other with a digit beside a letter: cheap to look for. */
function mayBeLeet(text: string): boolean {
  return /[a-z]\d\w{0,20}[ \t]+\w{0,20}(?:[a-z]\d|\d[a-z])/i.test(text);
}

function unleet(text: string): string {
  return text
    .slice(0, 20_000)
    .replace(/[a-z\d@$]*[a-z][a-z\d@$]*/gi, (word) => (/\d/.test(word) ? word.replace(/[013457@$]/g, (sign) => LEET_LETTERS[sign] as string) : word));
}
