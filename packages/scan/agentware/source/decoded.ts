import type { Block } from "../document/model.ts";
import type { Pack } from "../pack.ts";
import { isText } from "../shell/decode.ts";
import { deedsIn } from "../shell/read.ts";
import { type Signal, signalAt } from "../signal.ts";

/** A program's text that is decoded and run: Python's exec, JavaScript's eval and Function, a shell's command line. */
const RUNS = "(?:\\bexec|\\beval|\\bcompile|\\bFunction|\\bsystem|\\bpopen|\\bexecSync|\\bspawnSync|\\brunInThisContext|\\bcheck_output|\\bcall|\\brun)\\s*\\(";
const LITERAL = new RegExp(
  `${RUNS}[^\\n;]{0,160}(?:b64decode|atob|a85decode|fromhex|unhexlify|decompress|Buffer\\.from|decode64)\\s*\\(\\s*(?:[^"'\`\\n]{0,60}\\(\\s*)?b?["'\`]([A-Za-z0-9+/=_-]{12,})["'\`]`,
  "g",
);
const VARIABLE = new RegExp(`${RUNS}[^\\n;]{0,120}(?:b64decode|atob|Buffer\\.from|unhexlify|fromhex)\\s*\\(\\s*(\\w{1,60})`, "g");
/** Without one of these there is nothing of the kind: a tenth of the cost of a look. */
const DECODES = /decode|atob|fromhex|unhexlify|decompress|Buffer\.from/;
const RUNS_TEXT = /exec|eval|Function/;
const FETCHES = /requests\.get|urlopen|httpx\.get|fetch|axios\.get/;
const FETCHED =
  /(?:\bexec|\beval|\bnew\s+Function|\bFunction)\s*\([^\n;]{0,120}(?:requests\.get|urlopen|httpx\.get|await\s+\(?\s*(?:await\s+)?fetch|axios\.get)\s*\(\s*[frub]{0,2}(["'`])(https?:[^"'`\n]{4,300})\1/g;

export function decodedCode(whole: Block, text: string, pack: Pack): Signal[] {
  const decodes = DECODES.test(text);
  const fetches = RUNS_TEXT.test(text) && FETCHES.test(text);
  if (!decodes && !fetches) return [];
  const signals: Signal[] = [];
  const reverses = /\[\s{0,4}:\s{0,4}:\s{0,4}-1\s{0,4}\]|\.reverse\(\)/.test(text);
  const add = (start: number, end: number, blob: string): void => {
    const says = decode(blob) ?? (reverses ? decode([...blob].reverse().join("")) : null);
    const place = { start, end };
    if (says === null) signals.push(signalAt("encoded-run", whole, -1, place, { detail: "", traits: ["undecoded"] }));
    else {
      signals.push(signalAt("encoded-run", whole, -1, place, { detail: says, layers: ["base64"] }));
      for (const deed of deedsIn(says, pack))
        signals.push(signalAt(deed.name, whole, -1, place, { detail: deed.detail, traits: deed.traits, layers: ["base64", ...deed.layers] }));
    }
  };
  for (const match of decodes ? text.matchAll(LITERAL) : []) if (signals.length < 40) add(match.index, match.index + match[0].length, match[1] as string);
  let looks = 0;
  for (const match of decodes ? text.matchAll(VARIABLE) : []) {
    // Each look goes over the whole file.
    if (++looks > 20) break;
    const value = new RegExp(`\\b${match[1]}\\s*=\\s*b?["'\`]([A-Za-z0-9+/=_-]{12,100000})["'\`]`).exec(text)?.[1];
    if (value && signals.length < 40) add(match.index, match.index + match[0].length, value);
  }
  for (const match of fetches ? text.matchAll(FETCHED) : [])
    if (signals.length < 40)
      signals.push(signalAt("download-run", whole, -1, { start: match.index, end: match.index + match[0].length }, { detail: match[2] as string }));
  return signals;
}

function decode(blob: string): string | null {
  const hexadecimal = /^(?:[0-9a-f]{2})+$/i.test(blob) ? Buffer.from(blob, "hex").toString("utf8") : "";
  const text = isText(hexadecimal) ? hexadecimal : Buffer.from(blob, "base64").toString("utf8");
  return isText(text) ? text.slice(0, 20_000) : null;
}
