import type { Block } from "../document/model.ts";
import { type Signal, signalAt } from "../signal.ts";
import type { Stances } from "./stance.ts";

/** Marks by which chat formats part turns; what stands alone at a line's beginning is the same in words. */
const TOKENS =
  /<\|(?:im_start|im_end|system|user|assistant|endoftext|start_header_id|eot_id)\|>|\[\/?INST\]|<<\/?SYS>>|<start_of_turn>|\[\/?SYSTEM(?: MESSAGE| PROMPT)?\]/g;
const TAGS =
  /<\/?(?:system|system[-_]prompt|system[-_]reminder|system[-_]message|assistant|tool_result|tool_response|function_results?|function_calls?|instructions|user_message|human|important|admin|secret)\s*>/gi;
const LINES =
  /(?:^|\n)[ \t>#*_-]{0,8}(?:system(?: message| prompt| notice| override| update)?|assistant|human|user|tool result|function result|admin(?:istrator)?|developer message|系统|系统提示|系统消息)[*_]{0,2}[ \t]*[:：][*_]{0,2}[ \t]*\S/gi;
/** Without one of these there is no mark. */
const MARKS = /<[|/<a-z]|\[\/?(?:INST|SYS)|(?:^|\n)[ \t>#*_-]{0,8}(?:sys|ass|hum|user|tool r|func|admin|dev|系统)/i;
const MAX = 50;
const MAX_PARAGRAPH = 50_000;

/** Places where a text poses as a turn of the conversation. Inline code and fences show such marks; they do not use them. */
export function turnsOf(block: Block, number: number, stances: Stances): Signal[] {
  if (block.kind === "code" || block.kind === "remark" || block.kind === "string" || block.kind === "value" || !MARKS.test(block.text)) return [];
  const signals: Signal[] = [];
  for (const [pattern, trait] of [
    [TOKENS, "special-token"],
    [TAGS, "tag"],
    [LINES, "line"],
  ] as const)
    for (const match of block.text.matchAll(pattern)) {
      if (signals.length >= MAX) return signals;
      // From the paragraph's beginning: a window that begins within code would take each mark for its contrary.
      const paragraph = Math.max(0, block.text.lastIndexOf("\n\n", match.index), match.index - MAX_PARAGRAPH);
      const ticks = block.text.slice(paragraph, match.index).split("`").length;
      const stance = ticks % 2 === 0 ? "quoted" : stances.around(block);
      signals.push(
        signalAt(
          "fake-turn",
          block,
          number,
          { start: match.index, end: match.index + match[0].length },
          { stance, detail: block.text.slice(match.index, match.index + 120).trim(), traits: [trait] },
        ),
      );
    }
  return signals;
}
