import type { Piece } from "./piece.ts";

/** How a character may be written without it being seen. Each begins with something that is rare, so that it is quickly found. */
const KINDS: readonly { layer: string; mark: string; form: RegExp }[] = [
  { layer: "escapes", mark: "\\x", form: /\\x([0-9a-fA-F]{2})/g },
  { layer: "escapes", mark: "\\u", form: /\\u(?:\{0{0,4}([0-9a-fA-F]{2})\}|00([0-9a-fA-F]{2}))/g },
  { layer: "percent", mark: "%", form: /%([0-9a-fA-F]{2})/g },
  { layer: "entities", mark: "&#", form: /&#(?:[xX]0{0,4}([0-9a-fA-F]{2})|0{0,4}(\d{2,3}));?/g },
];
const OCTAL = /\\([01][0-7]{2})/g;

/** Farther apart, two escaped characters belong to different texts. */
const REACH = 200;

/** Stretches in which letters, digits or what tokens are made of are written as escapes, read as they are meant. */
export function* escapedIn(text: string): Generator<Piece> {
  for (const { layer, mark, form } of KINDS) {
    for (let at = text.indexOf(mark); at !== -1; at = text.indexOf(mark, at)) {
      if (!isPlain(text, at, form)) {
        at += mark.length;
        continue;
      }
      const [from, to] = stretch(text, at, mark);
      yield { text: clear(text.slice(from, to), form, layer), layer, from, to };
      at = to;
    }
  }
}

/** Whether the escape here stands for a character that needs none. */
function isPlain(text: string, at: number, form: RegExp): boolean {
  form.lastIndex = 0;
  const found = form.exec(text.slice(at, at + 12));
  return found !== null && found.index === 0 && /[\w+/=.:@-]/.test(read(found, form));
}

function read(found: RegExpExecArray | string[], form: RegExp): string {
  const decimal = form.source.startsWith("&#") && found[1] === undefined;
  return String.fromCharCode(Number.parseInt(found[1] ?? found[2] ?? "0", decimal ? 10 : 16));
}

/** From the beginning of its word or text to the end of the last escape that is near, and what follows of it. */
function stretch(text: string, at: number, mark: string): [number, number] {
  let last = at;
  for (let next = text.indexOf(mark, last + 2); next !== -1 && next - last < REACH && next - at < 65_536; next = text.indexOf(mark, last + 2)) last = next;
  const before = text.slice(Math.max(0, at - REACH), at);
  const after = text.slice(last, last + REACH);
  const from = at - before.length + Math.max(before.lastIndexOf("\n") + 1, 0);
  const line = after.indexOf("\n");
  return [from, last + (line === -1 ? after.length : line)];
}

function clear(text: string, form: RegExp, layer: string): string {
  const read1 = text.replace(form, (...found) => {
    const character = read(found as string[], form);
    return /[\x20-\x7e\n]/.test(character) ? character : " ";
  });
  return layer === "escapes" ? read1.replace(OCTAL, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8))) : read1;
}
