import { html, Token, type TokenHandler, Tokenizer } from "parse5";

export interface Range {
  readonly start: number;
  readonly end: number;
  readonly why?: string;
}

/** Only a text with one of these can hide a part of itself by HTML. */
const HIDING = /<!--|<[a-z][^>]{0,400}(?:style|hidden|display|size|color|aria-hidden)\s*[=\s>]|<(?:template|noscript|details)\b/i;
const HIDING_STYLE =
  /display\s*:\s*none|visibility\s*:\s*hidden|(?:^|[;\s])opacity\s*:\s*(?:0*\.?0+(?:[;\s%]|$)|\.0\d)|font-size\s*:\s*(?:0|1px|0?\.\d)|(?:max-)?(?:height|width)\s*:\s*[01](?:px)?\s*(?:;|$)|text-indent\s*:\s*-\d{3,}|(?:left|top)\s*:\s*-\d{3,}|clip\s*:\s*rect\(\s*0|color\s*:\s*transparent/i;
const MAX_DEPTH = 10_000;
const MAX_RANGES = 20_000;
const VOID = new Set(["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"]);

/**
 * What of a text HTML hides from people: comments, elements that styles or attributes make invisible. In order, not overlapping. The
 * tokenizer alone runs, no tree is built: a million open elements cost what a million words cost. `codes` are places where nothing is HTML.
 */
export function hiddenRanges(text: string, codes: readonly Range[]): readonly Range[] {
  if (!HIDING.test(text)) return [];
  const ranges: Range[] = [];
  /** Open elements that hide: their name, where they begin, and how many of that name are open within. */
  let hiding: { name: string; depth: number; start: number; why: string } | null = null;
  const isCode = within(codes);
  const add = (start: number, end: number, why: string): void => {
    if (ranges.length < MAX_RANGES && end > start && start >= (ranges.at(-1)?.end ?? 0)) ranges.push({ start, end, why });
  };
  const handler: TokenHandler = {
    onComment(token) {
      if (token.location && !hiding && !isCode(token.location.startOffset)) add(token.location.startOffset, token.location.endOffset, "an HTML comment");
    },
    onStartTag(token) {
      const { location, tagName } = token;
      if (!location || VOID.has(tagName) || token.selfClosing || isCode(location.startOffset)) return;
      if (hiding) {
        if (hiding.name === tagName) hiding.depth = Math.min(hiding.depth + 1, MAX_DEPTH);
        return;
      }
      const why = whyHidden(token);
      if (why) hiding = { name: tagName, depth: 1, start: location.endOffset, why };
    },
    onEndTag(token) {
      if (!hiding || hiding.name !== token.tagName || !token.location || --hiding.depth > 0) return;
      add(hiding.start, token.location.startOffset, hiding.why);
      hiding = null;
    },
    onEof() {},
    onDoctype() {},
    onCharacter() {},
    onNullCharacter() {},
    onWhitespaceCharacter() {},
  };
  new Tokenizer({ sourceCodeLocationInfo: true }, handler).write(text, true);
  const open = hiding as { start: number; why: string } | null;
  if (open) add(open.start, text.length, open.why);
  return ranges;
}

function whyHidden(token: Token.TagToken): string | null {
  if (token.tagID === html.TAG_ID.TEMPLATE) return "a template element, which shows nothing";
  const attribute = (name: string) => Token.getTokenAttr(token, name);
  const style = attribute("style") ?? "";
  if (attribute("hidden") !== null) return "an element with the attribute hidden";
  if (style.length < 4000 && HIDING_STYLE.test(style)) return "an element that its style makes invisible";
  return sameColours(style, attribute("color"), attribute("bgcolor")) ? "text in the colour of its ground" : null;
}

/** White on white, whether said by a style or by <font>. */
function sameColours(style: string, color: string | null, ground: string | null): boolean {
  const styled = /(?:^|[;\s])color\s*:\s*([^;]{1,40})/i.exec(style)?.[1] ?? color;
  const behind = /background(?:-color)?\s*:\s*([^;]{1,40})/i.exec(style)?.[1] ?? ground;
  if (styled === undefined || styled === null) return false;
  const front = colour(styled);
  return behind ? front === colour(behind) : front === "white";
}

function colour(text: string): string {
  const word = text.toLowerCase().replace(/\s|!important/g, "");
  return /^(?:#f{3}(?:f)?|#f{6}(?:ff)?|white|rgba?\(255,255,255(?:,[\d.]+)?\)|snow|#fefefe|#fdfdfd|ghostwhite)$/.test(word) ? "white" : word;
}

/** Asked with growing offsets. */
function within(codes: readonly Range[]): (offset: number) => boolean {
  let at = 0;
  return (offset) => {
    while (at < codes.length && (codes[at] as Range).end <= offset) at++;
    return at < codes.length && (codes[at] as Range).start <= offset;
  };
}
