/**
 * How deep a text nests, told before a native parser recurses into it: oxc overflows its stack, and takes the process with it, between
 * five and twenty thousand levels. Brackets nest, and so do prefix chains (`!!!!x`, `a=>b=>c`, `a?b:c?d:e`, `else if`) that hold no
 * bracket. One pass over the characters, told apart from strings and comments only roughly: a slip costs a needless refusal, never more.
 */

/** oxc and its reader in JavaScript are safe to about four times this. */
export const MAX_NESTING = 1000;

const OPENS: ReadonlyMap<number, number> = new Map([
  [0x28, 0x29],
  [0x5b, 0x5d],
  [0x7b, 0x7d],
]);

export function nestsTooDeep(text: string, limit = MAX_NESTING): boolean {
  const stack: number[] = [];
  let chain = 0;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    switch (code) {
      case 0x28: // (
      case 0x5b: // [
      case 0x7b: // {
        stack.push(OPENS.get(code) as number);
        if (stack.length > limit) return true;
        break;
      case 0x29:
      case 0x5d:
      case 0x7d:
        // A bracket inside a regular expression or a text is no bracket: what closes something further out ends what is left open in it.
        close(stack, code);
        if (code === 0x7d) chain = followedByElse(text, index + 1) ? chain + 1 : 0;
        break;
      case 0x3b: // ;
      case 0x2c: // ,
        chain = followedByElse(text, index + 1) ? chain + 1 : 0;
        break;
      case 0x22: // "
      case 0x27: // '
        index = endOfText(text, index, code);
        break;
      case 0x2f: // /
        index = endOfComment(text, index);
        break;
      case 0x21: // !
      case 0x3d: // =
      case 0x3f: // ?
      case 0x7e: // ~
      case 0x2b: // +
      case 0x2d: // -
      case 0x3a: // :
      case 0x3c: // <
      case 0x26: // &
      case 0x7c: // |
      case 0x2a: // *
      case 0x2e: // .
      case 0x60: // `
      case 0x20: // a word follows: new, await, typeof
        if (code !== 0x20 || isWordBefore(text, index)) chain++;
        if (chain > limit * 4) return true;
        break;
      case 0x0a:
        if (endsStatement(text, index)) chain = 0;
        break;
    }
  }
  return false;
}

function close(stack: number[], code: number): void {
  for (let depth = stack.length - 1, floor = Math.max(0, depth - 8); depth >= floor; depth--) {
    if (stack[depth] === code) {
      stack.length = depth;
      return;
    }
  }
}

function followedByElse(text: string, index: number): boolean {
  let at = index;
  while (text.charCodeAt(at) <= 0x20 && at - index < 200) at++;
  return text.startsWith("else", at);
}

const LAST_LETTERS: ReadonlySet<number> = new Set([..."wtfden"].map((letter) => letter.charCodeAt(0)));

/** `new new x`, `typeof typeof x`: a keyword of letters right before the space. */
function isWordBefore(text: string, index: number): boolean {
  if (!LAST_LETTERS.has(text.charCodeAt(index - 1))) return false;
  const tail = text.slice(Math.max(0, index - 7), index);
  return /(^|\W)(new|await|typeof|void|delete|keyof|yield|in|of|else)$/.test(tail);
}

function endsStatement(text: string, index: number): boolean {
  const before = text.charCodeAt(index - 1);
  const after = text.charCodeAt(index + 1);
  // A line that starts at its margin, after one that ended in a word or a closing bracket.
  return after > 0x20 && after !== 0x2e && after !== 0x3f && after !== 0x3a && (before === 0x29 || before === 0x7d || isWordCode(before));
}

function isWordCode(code: number): boolean {
  return (code >= 0x30 && code <= 0x39) || (code >= 0x41 && code <= 0x5a) || (code >= 0x61 && code <= 0x7a) || code === 0x5f;
}

function endOfText(text: string, start: number, quote: number): number {
  for (let index = start + 1; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code === 0x5c) index++;
    else if (code === quote) return index;
    else if (code === 0x0a) return start; // an apostrophe in a comment or in markup
  }
  return start;
}

function endOfComment(text: string, start: number): number {
  const next = text.charCodeAt(start + 1);
  if (next === 0x2f) {
    const end = text.indexOf("\n", start);
    return end < 0 ? text.length : end - 1;
  }
  if (next !== 0x2a) return start;
  const end = text.indexOf("*/", start + 2);
  return end < 0 ? start + 1 : end + 1;
}
