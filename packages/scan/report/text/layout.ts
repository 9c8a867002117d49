const segmenter = new Intl.Segmenter();
/** East_Asian_Width W and F (Unicode TR 11), and what is drawn as a picture. */
const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}]|\p{Emoji_Presentation}/u;
const NONE = /^\p{M}+$/u;

/** Columns of a terminal that visible text takes. */
export function columnsOf(text: string): number {
  if (/^[\x20-\x7e]*$/.test(text)) return text.length;
  let columns = 0;
  for (const { segment } of segmenter.segment(text)) columns += cell(segment);
  return columns;
}

/** Breaks visible text at spaces into lines of at most `columns`; what is longer is cut into parts, never lost. */
export function wrapped(text: string, columns: number): string[] {
  if (columns === Number.POSITIVE_INFINITY) return [text];
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ").flatMap((word) => parts(word, columns))) {
    const longer = line === "" ? word : `${line} ${word}`;
    if (columnsOf(longer) <= columns) line = longer;
    else {
      lines.push(line);
      line = word;
    }
  }
  return [...lines, line].filter((each, _, all) => each !== "" || all.length === 1);
}

/** Cuts visible text to `columns`, and says so with an ellipsis. */
export function cut(text: string, columns: number): string {
  if (columns === Number.POSITIVE_INFINITY || columnsOf(text) <= columns) return text;
  return `${take(text, columns - 1)}…`;
}

export function padded(text: string, columns: number): string {
  return text + " ".repeat(Math.max(0, columns - columnsOf(text)));
}

function parts(word: string, columns: number): string[] {
  const all: string[] = [];
  for (let rest = word; ; ) {
    if (columnsOf(rest) <= columns) return [...all, rest];
    const part = take(rest, columns) || rest.slice(0, 1);
    all.push(part);
    rest = rest.slice(part.length);
  }
}

function take(text: string, columns: number): string {
  let used = 0;
  let length = 0;
  for (const { segment } of segmenter.segment(text)) {
    used += cell(segment);
    if (used > columns) break;
    length += segment.length;
  }
  return text.slice(0, length);
}

const cell = (segment: string): number => (NONE.test(segment) ? 0 : WIDE.test(segment) ? 2 : 1);
