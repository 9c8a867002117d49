import type { Block } from "../document/model.ts";
import { traitsOf } from "../hosts.ts";
import type { Pack } from "../pack.ts";
import { secretOf } from "../shell/secret.ts";
import { type Signal, signalAt } from "../signal.ts";
import { type Folded, fold, originOf } from "./fold.ts";
import { bitsOf, canHold, type Frame, findFrame } from "./frames.ts";
import { EVERY_LANGUAGE, type Hit, type Known } from "./lexicon.ts";
import { isOrder } from "./mood.ts";
import { type Span, sentencesOf } from "./sentences.ts";

export interface Thoughts {
  readonly signals: readonly Signal[];
  /** It has the name of a program that commands of note begin with. */
  readonly command: boolean;
}
const SILENT: Thoughts = { signals: [], command: false };
const COMMAND: Thoughts = { signals: [], command: true };

/** What the sentences of a block say that rules ask for, each with its stance. */
export function thoughtsOf(block: Block, number: number, pack: Pack): Thoughts {
  if (block.text.length > PIECE) {
    const pieces = piecesOf(block).map((piece) => thoughtsOf(piece, number, pack));
    return { signals: pieces.flatMap((piece) => piece.signals), command: pieces.some((piece) => piece.command) };
  }
  const folded = fold(block.text, pack.lookalikes);
  const hits = withKnown(folded.text, pack.lexicon.read(folded.text), pack);
  if (hits.length === 0) return SILENT;
  const command = hits.some((hit) => hit.idea === pack.commandWord);
  const whole = bitsOf(hits);
  const frames = pack.frames.filter((frame) => canHold(frame, whole));
  if (frames.length === 0) return command ? COMMAND : SILENT;
  const signals: Signal[] = [];
  let from = 0;
  for (const sentence of sentencesOf(folded.text)) {
    while (from < hits.length && (hits[from] as Hit).start < sentence.start) from++;
    const within: Hit[] = [];
    for (let i = from; i < hits.length && (hits[i] as Hit).start < sentence.end && within.length < MAX_HITS; i++)
      if ((hits[i] as Hit).end <= sentence.end) within.push(hits[i] as Hit);
    if (within.length > 0) signals.push(...inSentence(block, number, folded, sentence, within, frames, pack));
  }
  return { signals, command };
}

/** A sentence has no more hits than that, unless it was made to have. */
const MAX_HITS = 600;
/** Longer blocks are read in pieces, each a little into the next. */
const PIECE = 32_768;
const MAX_KNOWN = 500;

function piecesOf(block: Block): Block[] {
  const pieces: Block[] = [];
  for (let at = 0; at < block.text.length; at += PIECE - 1000)
    pieces.push({ ...block, text: block.text.slice(at, at + PIECE), start: block.exact ? block.start + at : block.start });
  return pieces;
}

/** Places of secrets and addresses are ideas too: "read ~/.ssh/id_rsa" takes what is private. A word of theirs tells where to look for them. */
function withKnown(text: string, hits: Hit[], pack: Pack): Hit[] {
  const secrets = pack.lexicon.id("secret-word");
  const recipients = pack.lexicon.id("recipient");
  const places = text.includes("://") || hits.some((hit) => hit.idea === secrets);
  const mail = text.includes("@") && hits.some((hit) => hit.idea === recipients);
  if (!places && !mail) return hits;
  const known = knownIn(text, places, mail, pack);
  if (known.length === 0) return hits;
  // Words within an address are no words of the sentence.
  const link = pack.lexicon.id("link");
  const links = known.filter(({ idea }) => idea === link);
  let at = 0;
  const own = hits.filter((hit) => {
    while (at < links.length && (links[at] as Known).end <= hit.start) at++;
    return !(at < links.length && (links[at] as Known).start < hit.end && hit.start >= (links[at] as Known).start);
  });
  return pack.lexicon.withKnown(own, known);
}

function knownIn(text: string, places: boolean, mail: boolean, { lexicon, lists }: Pack): Known[] {
  const known: Known[] = [];
  const add = (idea: string, pattern: RegExp): void => {
    for (const match of text.matchAll(pattern))
      if (known.length < MAX_KNOWN) known.push({ idea: lexicon.id(idea), languages: EVERY_LANGUAGE, start: match.index, end: match.index + match[0].length });
  };
  if (text.includes("://")) add("link", /\b(?:https?|wss?|ftp):\/\/[^\s"'<>)]{3,300}/g);
  if (mail) add("mailbox", /\b[\w.+-]{1,64}@[a-z0-9-]{1,60}(?:\.[a-z0-9-]{1,60}){1,4}\b/g);
  if (places) add("private", lists.everywhere("secret_places"));
  return known.sort((a, b) => a.start - b.start);
}

function* inSentence(
  block: Block,
  number: number,
  folded: Folded,
  sentence: Span,
  hits: readonly Hit[],
  frames: readonly Frame[],
  pack: Pack,
): Iterable<Signal> {
  const bits = bitsOf(hits);
  const sweeping = pack.lexicon.id("sweeping");
  for (const frame of frames) {
    const match = findFrame(frame, hits, bits);
    if (!match) continue;
    const span = { start: (match.hits[0] as Hit).start, end: Math.max(...match.hits.map((hit) => hit.end)) };
    const found = { hits: match.hits, ...span };
    const refers = frame.signal === "refer" || frame.signal === "unwarn";
    const stance = refers ? pack.stances.ofReference(folded.text, sentence, hits, found) : pack.stances.of(block, folded.text, sentence, hits, found);
    const ordered = stance !== "told" || isOrder(folded.text, sentence, match, hits, pack.acts, block.surface);
    const place = { start: originOf(folded, span.start), end: originOf(folded, span.end) };
    const raw = block.text.slice(place.start, place.end);
    const whole = block.text.slice(originOf(folded, sentence.start), originOf(folded, sentence.end));
    const first = (match.hits[0] as Hit).token;
    const last = (match.hits.at(-1) as Hit).last;
    const traits = sentenceTraits(block, whole, hits, pack);
    if (hits.some((hit) => hit.idea === sweeping && hit.start >= span.start - 12 && hit.end <= span.end)) traits.push("sweeping");
    for (const direction of ["up", "down"])
      if (hits.some(({ idea, token }) => idea === pack.lexicon.id(direction) && token >= first - 3 && token <= last + 3)) traits.push(`points-${direction}`);
    if (block.kind === "description") traits.push("tool-text");
    if (block.kind === "remark" && hits.some(({ idea }) => idea === pack.lexicon.id("addressed"))) traits.push("remark");
    if (folded.origin && isDisguised(raw, folded.text.slice(span.start, span.end))) traits.push("disguised");
    yield signalAt(frame.signal, block, number, place, { stance: ordered ? stance : "described", detail: whole.trim().slice(0, 400), traits });
  }
}

const PASSWORD_LITERAL =
  /(?:password|passcode|passphrase|\bpass\b|\bpwd\b|密码|口令|парол\w*|passwort|kennwort|contraseña|mot de passe)\s*(?:is|:|=|：|为|是|lautet|est|es)?\s*[`"'“「(]{0,2}(?:[a-z]*\d[\w!@#$-]*|(?<=[`"'“「])[\w!@#$-]{3,}|(?<=(?:is|[:=：为是])\s{0,2})[\w!@#$-]{3,})/i;

/** What else the sentence speaks of, which rules may ask for. */
function sentenceTraits(block: Block, sentence: string, hits: readonly Hit[], { lexicon, lists }: Pack): string[] {
  const traits: string[] = [];
  const has = (idea: string) => hits.some((hit) => hit.idea === lexicon.id(idea));
  if (has("agent")) traits.push("to-agent");
  if (has("private-high")) traits.push("high-private");
  if (block.kind === "description" && block.section.some((key) => key === "properties")) traits.push("parameter");
  if (has("own-case")) traits.push("own-case");
  if (has("urgent")) traits.push("urgent");
  if (secretOf(sentence, lists)) traits.push("secret-place");
  if (/\b0x[0-9a-f]{40}\b|\bbc1[a-z0-9]{25,60}\b|\b[13][1-9A-HJ-NP-Za-km-z]{25,34}\b/i.test(sentence)) traits.push("wallet-literal");
  if (PASSWORD_LITERAL.test(sentence)) traits.push("password-literal");
  const url = /https?:\/\/[^\s"')`>]+/i.exec(sentence)?.[0].replace(/[.,:;!?]+$/, "");
  if (url) traits.push("url", ...traitsOf(url, lists));
  return traits;
}

/** Look-alikes or signs without width within what was found; typographic quotes and full-width commas are none. */
function isDisguised(raw: string, folded: string): boolean {
  return (
    raw.toLowerCase().replace(/\s+/g, "") !== folded.replace(/\s+/g, "") &&
    /[\u0370-\u04ff\u200b-\u200f\u2060-\u2064\u00ad\ufeff\uff21-\uff5a\u{1d400}-\u{1d7ff}\u{e0000}-\u{e0fff}]/u.test(raw)
  );
}
