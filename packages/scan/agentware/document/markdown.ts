import { hiddenRanges, type Range } from "./hidden-html.ts";
import { type AgentDocument, type Block, type BlockKind, block, MAX_BLOCKS, type Surface } from "./model.ts";

/**
 * Blocks of a Markdown text, in one pass over its lines: an assistant reads the source, not what it would look like, so what counts is
 * where a text stands (fence, list, quote, comment, below which heading). Linear whatever comes: nesting is counted, never followed.
 * mdast-util-from-markdown reads real documents to the same blocks (markdown.test.ts), a tenth as fast and in quadratic time at worst.
 */
export function markdownBlocks(text: string, surface: Surface): AgentDocument {
  const reader = new Reader(text, surface);
  reader.read(frontMatterEnd(text));
  const hidden = hiddenRanges(text, reader.codes);
  return {
    surface,
    blocks: withHidden(reader.blocks, hidden),
    degraded: reader.full ? [{ reason: "too_many", detail: `more than ${MAX_BLOCKS} blocks of text` }] : [],
  };
}

/** Offset behind the closing line of front matter, 0 where there is none. */
export function frontMatterEnd(text: string): number {
  const open = /^\uFEFF?---[ \t]*\r?\n/.exec(text);
  if (!open) return 0;
  const close = /^(?:---|\.\.\.)[ \t]*$/gm;
  close.lastIndex = open[0].length;
  const end = close.exec(text.length > 65_536 ? text.slice(0, 65_536) : text);
  return end ? end.index + end[0].length : 0;
}

const MAX_LINE_PREFIX = 256;
const MAX_LEAD = 300;

class Reader {
  readonly blocks: Block[] = [];
  /** Where HTML means nothing. */
  readonly codes: Range[] = [];
  full = false;
  private headings: { level: number; title: string }[] = [];
  private section: readonly string[] = [];
  private open: { kind: BlockKind; start: number; end: number } | null = null;
  private lead = "";
  private fence: { mark: string; size: number; lang: string; start: number; from: number } | null = null;
  private readonly text: string;
  private readonly surface: Surface;

  constructor(text: string, surface: Surface) {
    this.text = text;
    this.surface = surface;
  }

  read(from: number): void {
    const { text } = this;
    for (let at = from; at < text.length && !this.full; ) {
      const newline = text.indexOf("\n", at);
      const end = newline < 0 ? text.length : newline;
      const next = this.comment(at, end);
      if (next > end) at = next;
      else {
        this.line(at, end);
        at = end + 1;
      }
    }
    if (this.fence) this.closeFence(text.length);
    this.close();
  }

  /** A comment that begins a line goes to its end, over lines. Returns where to read on, or `at`. */
  private comment(at: number, end: number): number {
    if (this.fence) return at;
    const begin = skipBlanks(this.text, at, end);
    if (!this.text.startsWith("<!--", begin)) return at;
    this.close();
    const shut = this.text.indexOf("-->", begin + 4);
    const stop = shut < 0 ? this.text.length : shut;
    this.push("comment", begin + 4, stop, { hidden: "an HTML comment" });
    const after = shut < 0 ? this.text.length : shut + 3;
    const newline = this.text.indexOf("\n", after);
    const rest = newline < 0 ? this.text.length : newline;
    this.line(after, rest);
    return Math.max(rest + 1, end + 1);
  }

  private line(at: number, end: number): void {
    const { text } = this;
    let begin = skipBlanks(text, at, end);
    const indent = begin - at;
    let quoted = false;
    while (text.charCodeAt(begin) === 0x3e && begin < end && begin - at < MAX_LINE_PREFIX) {
      quoted = true;
      begin = skipBlanks(text, begin + 1, end);
    }
    if (this.fence) this.inFence(at, begin, end);
    else if (begin >= end || (begin === end - 1 && text[begin] === "\r")) this.close();
    else this.content(begin, end, indent, quoted);
  }

  private content(begin: number, end: number, indent: number, quoted: boolean): void {
    const { text } = this;
    const first = text.charCodeAt(begin);
    if ((first === 0x60 || first === 0x7e) && this.opensFence(begin, end)) return;
    if (first === 0x23 && this.heading(begin, end)) return;
    if (
      (first === 0x3d || first === 0x2d) &&
      this.open?.kind === "prose" &&
      /^(?:=+|-+)[ \t\r]*$/.test(text.slice(begin, Math.min(end, begin + MAX_LINE_PREFIX)))
    ) {
      this.setext(first === 0x3d ? 1 : 2);
      return;
    }
    if (first === 0x5b && this.definition(begin, end)) return;
    const item = itemStart(text, begin, end);
    if (item > begin) {
      this.close();
      this.open = { kind: quoted ? "quote" : "item", start: item, end };
      // `- ```sh` opens a fence within its item.
      const mark = text.charCodeAt(item);
      if ((mark === 0x60 || mark === 0x7e) && /^(?:```|~~~)/.test(text.slice(item, item + 3))) this.opensFence(item, end);
      return;
    }
    if (first === 0x7c) this.single("cell", begin, end);
    else if (indent >= 4 && !this.open) this.single("code", begin, end);
    else this.extend(quoted ? "quote" : "prose", begin, end);
  }

  private extend(kind: BlockKind, begin: number, end: number): void {
    if (this.open && (this.open.kind === kind || (this.open.kind === "item" && kind === "prose") || (this.open.kind === "quote" && kind === "prose")))
      this.open.end = end;
    else {
      this.close();
      this.open = { kind, start: begin, end };
    }
  }

  private single(kind: BlockKind, begin: number, end: number): void {
    this.close();
    this.push(kind, begin, end);
  }

  private opensFence(begin: number, end: number): boolean {
    const mark = this.text[begin] as string;
    let size = 0;
    while (this.text[begin + size] === mark && size < MAX_LINE_PREFIX) size++;
    if (size < 3) return false;
    const info = this.text.slice(begin + size, Math.min(end, begin + size + 100)).trim();
    if (mark === "`" && info.includes("`")) return false;
    this.close();
    this.fence = { mark, size, lang: (info.split(/[\s,{]/, 1)[0] ?? "").toLowerCase(), start: Math.min(end + 1, this.text.length), from: begin };
    return true;
  }

  private inFence(at: number, begin: number, end: number): void {
    const { mark, size } = this.fence as NonNullable<typeof this.fence>;
    let count = 0;
    while (this.text[begin + count] === mark && begin + count < end) count++;
    if (count >= size && this.text.slice(begin + count, Math.min(end, begin + count + 100)).trim() === "") this.closeFence(at);
  }

  private closeFence(end: number): void {
    const { lang, start, from } = this.fence as NonNullable<typeof this.fence>;
    this.fence = null;
    this.codes.push({ start: from, end });
    this.push("code", start, Math.max(start, end), { lang });
  }

  private heading(begin: number, end: number): boolean {
    let level = 0;
    while (this.text.charCodeAt(begin + level) === 0x23) level++;
    const after = this.text[begin + level];
    if (level > 6 || (after !== " " && after !== "\t" && begin + level < end)) return false;
    this.close();
    this.enter(level, begin + level, end);
    return true;
  }

  private setext(level: number): void {
    const { start, end } = this.open as NonNullable<typeof this.open>;
    this.open = null;
    this.enter(level, start, end);
  }

  private enter(level: number, start: number, end: number): void {
    const title = this.text
      .slice(start, Math.min(end, start + MAX_LEAD))
      .replace(/#+\s*$/, "")
      .trim();
    this.headings = [...this.headings.filter((heading) => heading.level < level), { level, title }];
    this.push("heading", start, end);
    this.section = this.headings.map((heading) => heading.title);
    this.lead = "";
  }

  /** `[//]: # (text)` and `[x]: <> "text"` show nothing: people use them as comments. */
  private definition(begin: number, end: number): boolean {
    const head = /^\[[^\]\n]{1,200}\]:[ \t]*(?:<[^>\n]{0,200}>|\S{1,500})[ \t]+["'(]/.exec(this.text.slice(begin, Math.min(end, begin + 1000)));
    if (!head) return false;
    this.close();
    this.push("comment", begin + head[0].length, end, { hidden: "a link definition, which shows nothing" });
    return true;
  }

  private close(): void {
    if (this.open) this.push(this.open.kind, this.open.start, this.open.end);
    this.open = null;
  }

  private push(kind: BlockKind, start: number, end: number, more: Partial<Block> = {}): void {
    if (this.blocks.length >= MAX_BLOCKS) this.full = true;
    else if (end > start) this.blocks.push(block(kind, this.text.slice(start, end), start, this.surface, { section: this.section, lead: this.lead, ...more }));
    if (kind === "prose") this.lead = lastSentence(this.text, start, end);
  }
}

/** Where an item's text begins behind `- `, `* `, `+ `, `1. ` or `1) `; `begin` where it is none. */
function itemStart(text: string, begin: number, end: number): number {
  let at = begin;
  const first = text.charCodeAt(at);
  if (first === 0x2d || first === 0x2a || first === 0x2b) at++;
  else {
    while (at - begin < 9 && text.charCodeAt(at) >= 0x30 && text.charCodeAt(at) <= 0x39) at++;
    if (at === begin || (text[at] !== "." && text[at] !== ")")) return begin;
    at++;
  }
  if (text[at] !== " " && text[at] !== "\t") return begin;
  return skipBlanks(text, at, end);
}

function skipBlanks(text: string, at: number, end: number): number {
  let begin = at;
  while (begin < end && (text.charCodeAt(begin) === 0x20 || text.charCodeAt(begin) === 0x09)) begin++;
  return begin;
}

/** What a list or a fence is introduced by. */
function lastSentence(text: string, start: number, end: number): string {
  const tail = text.slice(Math.max(start, end - MAX_LEAD), end).trimEnd();
  const cut = Math.max(tail.lastIndexOf(". ", tail.length - 2), tail.lastIndexOf("。", tail.length - 2));
  return cut < 0 ? tail : tail.slice(cut + 1).trim();
}

/** What is hidden becomes a block of its own; what stays is read as if it were not there, at the same offsets. */
function withHidden(blocks: Block[], ranges: readonly Range[]): readonly Block[] {
  if (ranges.length === 0) return blocks;
  let at = 0;
  return blocks.flatMap((each) => {
    const end = each.start + each.text.length;
    while (at < ranges.length && (ranges[at] as Range).end <= each.start) at++;
    if (each.kind === "code" || each.hidden !== null) return [each];
    const parts: Block[] = [];
    let seen = each.text;
    for (let i = at; i < ranges.length && (ranges[i] as Range).start < end && parts.length < 1000; i++) {
      const from = Math.max((ranges[i] as Range).start, each.start) - each.start;
      const to = Math.min((ranges[i] as Range).end, end) - each.start;
      parts.push({ ...each, text: each.text.slice(from, to), start: each.start + from, hidden: ranges[i]?.why ?? null });
      seen = seen.slice(0, from) + " ".repeat(to - from) + seen.slice(to);
    }
    if (parts.length === 0) return [each];
    return seen.trim() === "" ? parts : [{ ...each, text: seen }, ...parts];
  });
}
