import type { Block } from "../document/model.ts";
import { type FrameMatch, languagesOf } from "./frames.ts";
import { ENGLISH, type Hit, type Lexicon } from "./lexicon.ts";
import type { Span } from "./sentences.ts";

/**
 * Whether a text tells its reader to do something. described: it says what something does. warned: it forbids it, or warns of it. quoted: it names it as what somebody else
 * says, an example of an attack. told: none of these.
 */
export type Stance = "told" | "described" | "warned" | "quoted";

/** Ideas by which stances are told apart, by their names in rules/agentware/lexicon/stance.yaml. */
export class Stances {
  private readonly ids: Record<"not" | "double" | "guard" | "attack" | "example" | "if" | "reported" | "do" | "but" | "taboo" | "foreign", number>;
  private readonly lexicon: Lexicon;
  private readonly headings = new Map<string, Stance>();
  private readonly leads = new Map<string, Stance>();

  constructor(lexicon: Lexicon) {
    this.lexicon = lexicon;
    const id = (idea: string) => lexicon.id(idea);
    this.ids = {
      ...{ not: id("not"), double: id("double"), guard: id("guard"), attack: id("attack"), example: id("example"), if: id("if") },
      ...{ reported: id("reported"), do: id("do"), but: id("but"), taboo: id("taboo"), foreign: id("foreign") },
    };
  }

  /** The stance of something found in a sentence of a block. `hits` are the sentence's; `text` is the block's, folded. */
  of(block: Block, text: string, sentence: Span, hits: readonly Hit[], match: Pick<FrameMatch, "hits"> & Span): Stance {
    const said = this.inSentence(text, sentence, hits, match, block.kind);
    if (said !== "told") return said;
    return this.around(block);
  }

  /** What the headings above a block, and the sentence before it, make of it. */
  around(block: Block): Stance {
    const listed = block.kind === "item" || block.kind === "code" || block.kind === "quote" || block.kind === "cell";
    const nearest = block.section.length > 1 ? block.section.slice(1) : [];
    for (const title of nearest) {
      const stance = this.ofHeading(title);
      if (stance !== "told") return stance;
    }
    if (!listed) return "told";
    // A document's own title speaks of lists and fences alone: whoever calls a skill "injection guard" still means its prose.
    const title = block.section[0];
    const above = title === undefined ? "told" : this.ofHeading(title);
    return above !== "told" ? above : this.ofLead(block.lead);
  }

  /** The stance of a sentence that points elsewhere: it may name a heading full of dire words, so only what forbids it counts. */
  ofReference(text: string, sentence: Span, hits: readonly Hit[], match: Pick<FrameMatch, "hits"> & Span): Stance {
    const { taboo, attack, guard, example } = this.ids;
    return this.inSentence(
      text,
      sentence,
      hits.filter(({ idea }) => idea !== taboo && idea !== attack && idea !== guard && idea !== example),
      match,
    );
  }

  /** What a comment right above a command of a fence says of it. */
  ofRemark(remark: string): Stance {
    if (/\b(?:bad|wrong|unsafe|insecure|vulnerable|evil|dangerous|malicious)\b\s*[:：!–-]|^\W*(?:bad|wrong)\b/im.test(remark)) return "warned";
    return remark === "" ? "told" : this.ofHeading(remark.slice(0, 400));
  }

  private inSentence(text: string, sentence: Span, hits: readonly Hit[], match: Pick<FrameMatch, "hits"> & Span, kind: Block["kind"] = "prose"): Stance {
    const { ids } = this;
    const own = new Set(match.hits);
    const languages = languagesOf(match.hits);
    const others = hits.filter((hit) => !own.has(hit) && (hit.languages & languages) !== 0);
    const clause = Math.max(sentence.start, text.lastIndexOf("; ", match.start));
    const before = others.filter((hit) => hit.end <= match.start && hit.start >= clause);
    const between = (hit: Hit) => text.slice(hit.end, match.start);
    for (const hit of before) {
      if (
        hit.idea === ids.not &&
        !isDouble(hit, others, ids.double) &&
        !endsWithAnd(hit, text.slice(hit.start, hit.end), between(hit)) &&
        governs(between(hit), text.slice(match.start, match.end + 60), before, hit, ids.but)
      )
        return "warned";
      if ((hit.idea === ids.guard || hit.idea === ids.example) && speaksOf(between(hit))) return "quoted";
      if (hit.idea === ids.attack && speaksOf(between(hit))) return "quoted";
    }
    const conditional = before.some((hit) => hit.idea === ids.if || hit.idea === ids.attack || hit.idea === ids.guard);
    // "wants you to" may share its words with what it wants.
    if (conditional && others.some((hit) => hit.idea === ids.reported && hit.start <= match.start && hit.start >= clause)) return "quoted";
    const after = others.filter((hit) => hit.start >= match.end);
    if (after.some((hit) => hit.idea === ids.taboo)) return "warned";
    const last = Math.max(...match.hits.map((hit) => hit.last), -1);
    if (after.some((hit) => hit.idea === ids.foreign && hit.token - last <= 4)) return "quoted";
    // A row of a table says in one cell what it thinks of another.
    if (kind === "cell" && others.some(({ idea }) => idea === ids.guard || idea === ids.attack || idea === ids.taboo)) return "quoted";
    const quotes = quotedAt(text, { start: match.start, end: match.hits[0]?.end ?? match.end });
    if (!quotes || (kind === "prose" && standsAlone(text, sentence))) return "told";
    const judged = others.some((hit) => hit.idea === ids.guard || hit.idea === ids.attack || hit.idea === ids.example || hit.idea === ids.reported);
    const ordered = before.some((hit) => hit.idea === ids.do && !judged);
    return ordered ? "told" : "quoted";
  }

  private ofHeading(title: string): Stance {
    const known = this.headings.get(title);
    if (known) return known;
    const hits = this.lexicon.read(title.toLowerCase());
    const has = (idea: number) => hits.some((hit) => hit.idea === idea);
    const { ids } = this;
    const stance =
      has(ids.taboo) || /[❌🚫⛔🚩⚠]/u.test(title)
        ? "warned"
        : has(ids.attack) || (has(ids.guard) && has(ids.example))
          ? "quoted"
          : has(ids.not) && !has(ids.double)
            ? "warned"
            : "told";
    if (this.headings.size > 5000) this.headings.clear();
    this.headings.set(title, stance);
    return stance;
  }

  private ofLead(lead: string): Stance {
    if (lead === "") return "told";
    const known = this.leads.get(lead);
    if (known) return known;
    const hits = this.lexicon.read(lead.toLowerCase());
    const has = (idea: number) => hits.some((hit) => hit.idea === idea);
    const { ids } = this;
    const opens = /[:：]\s*$/.test(lead);
    const forbids = opens && hits.some((hit) => hit.idea === ids.not && !isDouble(hit, hits, ids.double));
    const speaks = has(ids.attack) || (opens && has(ids.guard));
    const stance = has(ids.taboo) || forbids ? "warned" : speaks ? "quoted" : "told";
    if (this.leads.size > 5000) this.leads.clear();
    this.leads.set(lead, stance);
    return stance;
  }
}

/** "do not forget to", "never fail to". */
function isDouble(not: Hit, hits: readonly Hit[], double: number): boolean {
  return hits.some((hit) => hit.idea === double && hit.token > not.last && hit.token - not.last <= 2);
}

/** "Ne dis rien … et envoie …": these languages forbid one verb at a time. */
function endsWithAnd(not: Hit, word: string, between: string): boolean {
  return (not.languages & ENGLISH) === 0 && /^(?:ne|n|pas|rien|jamais|no|nunca|nada|nicht|nichts|nie|не)$/.test(word) && /\s(?:et|y|und|и)\s/.test(between);
}

/** A "not" reaches on to the end of its clause, and over a list ("never run, copy or forward"). */
function governs(between: string, rest: string, before: readonly Hit[], not: Hit, but: number): boolean {
  if (/[;:.!?。；：]\s|\s[-–—]\s/.test(between)) return false;
  if (before.some((hit) => hit.idea === but && hit.start >= not.end)) return false;
  const commas = between.split(/[,，、]/).length - 1;
  if (commas === 0) return between.length < 160;
  if (/^\s*[,，]/.test(between)) return commas >= 2 ? between.length < 160 : true;
  // "never send, publish, or delete": a list of what is forbidden, of three at least.
  const list = /^(.*?[,，、]?\s(?:or|nor|oder|ou|ni|или|或)\s)/s.exec(`${between}${rest} `)?.[1];
  return list !== undefined && list.split(/[,，、]/).length > 2;
}

/** "Attackers write: …" speaks of what follows; "to stop attacks, do …" does not. */
function speaksOf(between: string): boolean {
  return between.length < 240 && !/[,，]\s*(?:you (?:must|should)|please|first|now|always)?\s*$/.test(between) && !/[;。；]\s|[.!?]\s/.test(between);
}

const PAIRS: Readonly<Record<string, string>> = { '"': '"', "“": "”", "«": "»", "„": "“", "「": "」", "『": "』", "`": "`", "‘": "’", "'": "'" };

/** Whether a place lies within quotation marks or inline code of its paragraph. */
function quotedAt(text: string, { start, end }: Span): boolean {
  let open: { mark: string; at: number } | null = null;
  for (let at = Math.max(paragraphStart(text, start), start - 400); at < Math.min(text.length, end + 400); at++) {
    const character = text[at] as string;
    if (open) {
      if (character !== open.mark || (character === "'" && isLetter(text[at + 1]))) continue;
      if (open.at < start && at >= end) return true;
      open = null;
    } else if (PAIRS[character] && !(character === "'" && isLetter(text[at - 1]))) open = { mark: PAIRS[character] as string, at };
    if (!open && at >= start) return false;
  }
  return false;
}

/** A paragraph that is nothing but a command in marks of code: nobody speaks about it. */
function standsAlone(text: string, { start, end }: Span): boolean {
  return /^\s*(?:\d{1,3}[.)]\s*)?(`+)[^`]{4,4000}\1[\s.:]*$/.test(text.slice(start, end));
}

/** Quotation marks of another paragraph or item say nothing here. */
function paragraphStart(text: string, at: number): number {
  return Math.max(text.lastIndexOf("\n\n", at), text.lastIndexOf("\n- ", at), 0);
}

function isLetter(character: string | undefined): boolean {
  return character !== undefined && /\p{L}/u.test(character);
}
