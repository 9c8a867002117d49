import type { Block } from "../document/model.ts";
import { traitsOf } from "../hosts.ts";
import type { Pack } from "../pack.ts";
import { type Signal, signalAt } from "../signal.ts";

/** Runs a value by its name: `eval(code)`, `exec(compile(code, …))`, `new Function(code)()`. */
const RUNS_NAME =
  /(?<![.\w])(?:exec|eval|execfile|(?:new\s{1,4})?Function|vm\.run\w{2,20}|runInThisContext)\s{0,4}\(\s{0,4}(?:compile\s{0,4}\(\s{0,4})?([A-Za-z_$][\w$]{0,60})\b(?:\.decode\(\)|\.text\b|\.content\b|\.toString\(\))?\s{0,4}[,)]/g;
const FETCHES =
  /(?:\brequests\.get|\burlopen|\bhttpx\.get|\bfetch|\baxios(?:\.get)?|\bgot(?:\.get)?|\bhttps?\.get|\burlretrieve)\s{0,4}\(\s{0,4}(?:[\w.]{1,40}\(\s{0,4})?[frub]{0,2}(["'`])(https?:[^"'`\n]{4,300})\1/g;
/** So far apart they are still one thought; a bundle has both somewhere. */
const APART = 1200;
const MOST = 20;

/** What is fetched into a name, and run by that name a few lines on. */
export function fetchedAndRun(whole: Block, text: string, { lists }: Pack): Signal[] {
  if (!/\b(?:exec|eval|Function|vm\.run)/.test(text)) return [];
  const runs = [...text.matchAll(RUNS_NAME)].slice(0, 200);
  if (runs.length === 0) return [];
  const signals: Signal[] = [];
  for (const fetch of text.matchAll(FETCHES)) {
    if (signals.length >= MOST) break;
    const run = runs.find(({ index }) => index > fetch.index && index - fetch.index < APART);
    if (!run || !leadsTo(text.slice(Math.max(0, fetch.index - 120), run.index), run[1] as string)) continue;
    const url = fetch[2] as string;
    signals.push(signalAt("download-run", whole, -1, { start: fetch.index, end: run.index + run[0].length }, { detail: url, traits: traitsOf(url, lists) }));
  }
  return signals;
}

/** Whether the text between gives the name a value: `code = …`, `(code) => …`, `code += chunk`. */
function leadsTo(between: string, name: string): boolean {
  const plain = RegExp.escape(name);
  return new RegExp(`(?<![.\\w$])${plain}\\s{0,4}(?:\\+?=(?!=)|=>)|\\(\\s{0,4}${plain}\\s{0,4}\\)\\s{0,4}(?:=>|\\{)|\\bas\\s+${plain}\\b`).test(between);
}
