import type { Surface } from "../document/model.ts";
import type { FrameMatch } from "./frames.ts";
import { languagesOf } from "./frames.ts";
import { ENGLISH, type Hit } from "./lexicon.ts";
import type { Span } from "./sentences.ts";

/** Words that may stand before an order's verb and leave it one: "please then quietly send". */
const LEADS = new Set(
  "please now then and or but also first next finally always never silently quietly secretly immediately just simply instead only kindly from on onwards forward going do not don't don’t dont once again therefore so thus step important note must should shall will covertly discreetly carefully automatically ever directly additionally afterwards lastly second third both either proceed go ahead hereby henceforth completely entirely fully totally simply early otherwise when done yes ok okay assistant claude agent ai model hey dear everyone gpt all attention urgent critical mandatory required warning system update notice".split(
    " ",
  ),
);
const MODAL =
  /(?:\b(?:you|assistant|agent|agents|model|claude|ai|llm|gpt|it|bot)(?:'ll|’ll)?\s+(?:now\s+|also\s+|always\s+)?(?:must|should|shall|will|need to|needs to|have to|has to|are to|is to|can|may|ought to|are required to|is required to|are instructed to|are expected to|are asked to|are going to|are free to|would|could)|\b(?:make sure to|be sure to|remember to|you to|task is to|job is to|goal is to|step is to|required to|instructed to|necessary to|important to|proceed to|go ahead and|go and|let's|let us|let’s|feel free to|start by|begin by|must|need to|want to|in order to|mission is to|continue to|not forget to|is to|never fail to|do well to|best to|advisable to|helpful to|kindly|able to|permitted to|allowed to|authorized to|authorised to|duty to|obliged to))\s+(?:(?:\w+ly|also|always|never|first|then|not|now|just)\s+){0,3}$/i;
/** The same in the passive: "must be sent", "should not be mentioned". */
const PASSIVE =
  /\b(?:must|should|shall|is to|are to|needs? to|has to|have to|may|can)\s+(?:(?:\w+ly|also|always|never|first|then|not|now|just)\s+){0,2}be\s+(?:\w+ly\s+)?$/i;
const AGENT_SUBJECT =
  /\b(?:you|the (?:assistant|agent|model|llm|ai|bot)|claude|assistant|agent|this skill)\s+(?:(?:\w+ly|also|always|then|first|will|now|must|next)\s+){0,3}(?:\w+(?:s|es)?\s+(?:[^,;.]{0,80})\s+and\s+(?:then\s+)?)?$/i;
const SUBORDINATE =
  /^\s*(?:when|whenever|before|after|once|while|if|for each|for every|as soon as|every time|each time|on every|at the (?:start|end|beginning))\b/i;
/** No order's verb stands behind these. */
const BARRED =
  /\b(?:the|a|an|to|of|that|which|who|this|these|those|its|their|his|her|your|our|my|can|could|may|might|would|will|still|does|did|is|are|was|were|be|been|for|in|on|with|no|as|from|by|any|each|every|some|than)\s+$/i;

/**
 * Whether an English sentence orders what a frame says, or describes that somebody does it: where the verb stands tells. `acts` are
 * the ideas that are verbs. Other languages have forms of their own for orders, which the lexica list.
 */
export function isOrder(text: string, sentence: Span, match: FrameMatch, hits: readonly Hit[], acts: ReadonlySet<number>, surface: Surface): boolean {
  if ((languagesOf(match.hits) & ENGLISH) === 0) return true;
  if (!match.hits.some((hit) => acts.has(hit.idea))) return true;
  // Of two verbs for one idea the frame takes the closest; the order may stand in the other.
  const { groups, within } = match.frame;
  const from = (match.hits[0] as Hit).token - within;
  const to = (match.hits.at(-1) as Hit).last + within;
  const verbs = hits.filter((hit) => acts.has(hit.idea) && hit.token >= from && hit.token <= to && groups.some((group) => group.has(hit.idea)));
  return verbs.some((verb) => ordersBy(text, sentence, verb, hits, acts, surface, 0));
}

function ordersBy(text: string, sentence: Span, verb: Hit, hits: readonly Hit[], acts: ReadonlySet<number>, surface: Surface, depth: number): boolean {
  const before = text.slice(Math.max(sentence.start, verb.start - 300), verb.start);
  const word = text.slice(verb.start, verb.end);
  const clause = before.slice(
    Math.max(
      ...[", ", "; ", ": ", "：", "—", "– ", " - ", "(", '"', "“", "\n\n", "`", ">", "]", ". ", "| "].map((mark) =>
        before.lastIndexOf(mark) < 0 ? 0 : before.lastIndexOf(mark) + mark.length,
      ),
    ),
  );
  // "From here on you play …": what is said of its reader is said to it.
  if (surface === "agent" && /^(?:you|you're)\s/.test(word)) return true;
  const words = clause.match(/[\p{L}'’]+/gu) ?? [];
  if (!/(?:ing|[^s]s|ed)$/.test(word.split(/\s/)[0] as string) || /^(?:address|process|access|pass|bypass|dismiss|suppress|discuss|embed|feed)/.test(word)) {
    if (words.every((each) => LEADS.has(each)) || MODAL.test(before)) return true;
    if (surface === "agent" && SUBORDINATE.test(clause) && !BARRED.test(before)) return true;
    // "Read it and send it": the second verb is as much an order as the first.
    if (depth < 3 && /\b(?:and|then|or)\s+(?:(?:\w+ly|then|also|finally|never|not|do not|don.t|always)\s+)*$/.test(before)) {
      const earlier = hits.findLast((hit) => acts.has(hit.idea) && hit.end < verb.start && (hit.languages & ENGLISH) !== 0);
      if (earlier && ordersBy(text, sentence, earlier, hits, acts, surface, depth + 1)) return true;
    }
  } else if (/ing$/.test(word) && /\b(?:by|start|begin|without|continue|keep|before)\s+$/.test(before))
    return depth > 0 || words.length <= 3 || surface === "agent";
  if (PASSIVE.test(before)) return true;
  return surface === "agent" && AGENT_SUBJECT.test(before);
}
