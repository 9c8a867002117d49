import type { Tree } from "@lezer/common";
import { parser } from "@lezer/python";

/** Where nothing fits, the parser tries for long: it may take so many steps for each character, far above what any real file needs. */
const STEPS = 40;

/**
 * The parser ends by force, as an error, what has 300 parts that start at one place, to keep trees flat; it counts a module's statements among
 * them. It may, but only after so many times 300: what nests deeper than can be followed is noticed where it is followed.
 */
const FLATTENED = 30;

/** The tree of a text that `parseable` gave; null where the parser gave up. */
export function parsePython(text: string): Tree | null {
  const parsing: ReturnType<typeof parser.startParse> & { bigReductionCount?: number } = parser.startParse(text);
  let flattened = 0;
  for (let steps = 1000 + text.length * STEPS; steps > 0; steps--) {
    if ((parsing.bigReductionCount ?? 0) > 300 && flattened++ < FLATTENED) parsing.bigReductionCount = 0;
    const tree = parsing.advance();
    if (tree) return tree;
  }
  return null;
}
