import { Unreadable } from "../facts.ts";

/** One element: its name without a prefix, its attributes, what stands in it. */
export interface Element {
  readonly name: string;
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: Element[];
  text: string;
}

const DEEPEST = 100;
const MOST_ELEMENTS = 3_000_000;
const MOST_TEXT = 10_000;

/**
 * As much of XML as bills of materials are written in, in one pass: no document type, and so no entities but the five that everybody knows; names
 * lose their prefixes. Throws `Unreadable`.
 */
export function readXml(source: string): Element {
  const root: Element = { name: "", attributes: new Map(), children: [], text: "" };
  const open: Element[] = [root];
  let elements = 0;
  for (let at = 0; at < source.length; ) {
    const next = source.indexOf("<", at);
    const stop = next < 0 ? source.length : next;
    addText(open.at(-1) as Element, source, at, stop, true);
    if (next < 0) break;
    at = skipped(source, next, open.at(-1) as Element);
    if (at > next) continue;
    const end = tagEnd(source, next);
    const tag = source.slice(next + 1, end);
    at = end + 1;
    if (tag.startsWith("/")) {
      const closed = open.pop();
      if (open.length === 0 || closed?.name !== local(tag.slice(1).trim())) throw broken("an element is closed that is not the one that is open");
      continue;
    }
    if (++elements > MOST_ELEMENTS) throw new Unreadable("too_many", `it has more than ${MOST_ELEMENTS} elements`);
    const empty = tag.endsWith("/");
    const element = elementOf(empty ? tag.slice(0, -1) : tag);
    (open.at(-1) as Element).children.push(element);
    if (!empty && open.push(element) > DEEPEST) throw new Unreadable("depth", "it is nested too deeply");
  }
  const [only] = root.children;
  if (open.length > 1 || only === undefined) throw broken("it ends before its elements do");
  return only;
}

export function child(element: Element, name: string): Element | undefined {
  return element.children.find((each) => each.name === name);
}

export function childText(element: Element | undefined, name: string): string {
  return (element && child(element, name)?.text.trim()) ?? "";
}

/** Behind a comment, an instruction or a piece of literal text that begins here; where it begins, if none does. */
function skipped(source: string, at: number, open: Element): number {
  const behind = (mark: string, from: number) => {
    const end = source.indexOf(mark, from);
    if (end < 0) throw broken("it ends in the middle of a comment or an instruction");
    return end + mark.length;
  };
  if (source.startsWith("<!--", at)) return behind("-->", at + 4);
  if (source.startsWith("<?", at)) return behind("?>", at + 2);
  if (source.startsWith("<![CDATA[", at)) {
    const end = behind("]]>", at + 9);
    addText(open, source, at + 9, end - 3, false);
    return end;
  }
  if (source.startsWith("<!", at)) throw new Unreadable("unsupported", "it declares a document type, which no bill of materials does");
  return at;
}

/** The `>` that ends a tag: not one in an attribute. */
function tagEnd(source: string, start: number): number {
  for (let at = start + 1; at < source.length; at++) {
    const char = source[at];
    if (char === ">") return at;
    if (char === "<") break;
    if (char !== '"' && char !== "'") continue;
    at = source.indexOf(char, at + 1);
    if (at < 0) break;
  }
  throw broken("a tag does not end");
}

function elementOf(tag: string): Element {
  const name = /^[^\s/=]{1,200}/.exec(tag)?.[0] ?? "";
  if (name === "") throw broken("a tag has no name");
  const attributes = new Map<string, string>();
  for (const [, key = "", quoted = ""] of tag.slice(name.length, name.length + 100_000).matchAll(/([^\s=<>"'/]{1,200})\s{0,20}=\s{0,20}("[^"]*"|'[^']*')/g))
    attributes.set(key, plain(quoted.slice(1, -1)));
  return { name: local(name), attributes, children: [], text: "" };
}

function local(name: string): string {
  return name.slice(name.indexOf(":") + 1);
}

function addText(element: Element, source: string, from: number, to: number, marked: boolean): void {
  const left = MOST_TEXT - element.text.length;
  if (to <= from || left <= 0) return;
  const text = source.slice(from, Math.min(to, from + left));
  element.text += marked ? plain(text) : text;
}

const NAMED: Readonly<Record<string, string>> = { lt: "<", gt: ">", amp: "&", quot: '"', apos: "'" };

function plain(text: string): string {
  if (!text.includes("&")) return text;
  return text.replace(/&(?:(lt|gt|amp|quot|apos)|#(\d{1,7})|#x([0-9a-fA-F]{1,6}));/g, (whole, name?: string, decimal?: string, hexadecimal?: string) => {
    if (name !== undefined) return NAMED[name] as string;
    const code = decimal === undefined ? Number.parseInt(hexadecimal as string, 16) : Number(decimal);
    return code <= 0x10ffff ? String.fromCodePoint(code) : whole;
  });
}

function broken(detail: string): Unreadable {
  return new Unreadable("syntax_error", `not XML: ${detail}`);
}
