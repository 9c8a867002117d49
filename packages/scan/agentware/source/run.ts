import type { Block } from "../document/model.ts";
import { TRIGGER } from "../shell/commands.ts";

/** Right before a text: a call that would run it. */
const CALLS =
  /(?:\bsystem|\bexec\w{0,20}|\bspawn\w{0,20}|\bpopen|\bPopen|\brun|\bcall|\bcheck_\w{1,20}|\bsh|\bshell|\$)\s{0,4}\(?\s{0,20}(?:\[[^\]\n]{0,160})?[frb]{0,2}["'`]{0,2}$/;
const NAMED = /\b([A-Za-z_]\w{0,60})\s{0,4}(?::\s{0,4}\w{1,40}\s{0,4})?=\s{0,4}[frb]{0,2}["'`]{0,2}$/;
/** Each look for a name goes over the whole file. */
const MAX_NAMES = 40;

/** Tells of a file's text constants which are handed to something that runs them, at once or by a name. All others are words, of no interest to a shell. */
export function runnerOf(text: string): (each: Block) => boolean {
  let names = 0;
  return (each) => {
    if (!/\s/.test(each.text.slice(0, 200).trim()) || !TRIGGER.test(each.text.slice(0, 20_000))) return false;
    const before = text.slice(Math.max(0, each.start - 200), Math.max(0, each.start - 1));
    if (CALLS.test(before)) return true;
    const name = NAMED.exec(before)?.[1];
    if (!name || ++names > MAX_NAMES) return false;
    return new RegExp(`(?:system|exec\\w{0,20}|spawn\\w{0,20}|[pP]open|\\brun|\\bcall|check_\\w{1,20})\\s{0,4}\\([^)\\n]{0,120}\\b${name}\\b`).test(text);
  };
}
