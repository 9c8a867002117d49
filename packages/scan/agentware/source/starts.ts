import type { ScanFile } from "../../analyser.ts";
import type { Block } from "../document/model.ts";
import { type Signal, signalAt } from "../signal.ts";

/** Files that Python runs without being asked: at each start, or as tests are collected. */
const STARTS = /(?:^|\/)(?:sitecustomize|usercustomize|conftest)\.py$|\.pth$/i;
/** Honest ones import their own package there, or `exec` a few plain words to see whether coverage is measured. */
const REACHES =
  /\b(?:urlopen|urlretrieve|requests\.(?:get|post|put)|httpx\.(?:get|post)|socket\.(?:socket|create_connection)|os\.(?:system|popen)|subprocess\.\w{1,20})\s{0,4}\(|\b(?:exec|eval)\s{0,4}\([^\n]{0,400}?(?:b64decode|b85decode|decompress|fromhex|unhexlify|marshal|urlopen|requests|subprocess|socket|os\.system)/;
/** All variables at once, written out to be carried away. */
const WHOLE_ENVIRONMENT =
  /\bJSON\.stringify\(\s{0,4}process\.env\s{0,4}[,)]|\bjson\.dumps\(\s{0,4}(?:dict\(\s{0,4})?os\.environ\b|\b(?:repr|str|urlencode)\(\s{0,4}(?:dict\(\s{0,4})?os\.environ\b|\b(?:json|data|params|body)\s{0,4}[=:]\s{0,4}(?:dict\(\s{0,4})?os\.environ\b(?!\s{0,4}[.[])|\bquerystring\.stringify\(\s{0,4}process\.env\s{0,4}\)/g;
const SENDS =
  /\b(?:requests|httpx|session|client|axios|got|http|https|urllib\.request)\s{0,4}\.\s{0,4}(?:post|put|patch|request|get|Request|urlopen)\s{0,4}\(|\burlopen\s{0,4}\(|\bfetch\s{0,4}\(|\bsendBeacon\s{0,4}\(/;
const NEAR = 300;

/** Whether a file is run without being asked. A `.pth` is a list of folders, of which lines that begin with `import` are run. */
export function startsItself({ path }: Pick<ScanFile, "path">): boolean {
  return STARTS.test(path);
}

/** A file that runs by itself, and reaches out or runs what it carries. */
export function startHooks({ path }: Pick<ScanFile, "path">, whole: Block, text: string): Signal[] {
  if (!STARTS.test(path)) return [];
  const pth = /\.pth$/i.test(path);
  const run = pth ? [...text.matchAll(/^import[ \t;][^\n]{0,4000}/gm)].map((line) => ({ text: line[0], at: line.index })) : topLevel(text);
  for (const part of run) {
    const found = REACHES.exec(part.text);
    if (!found) continue;
    const start = part.at + found.index;
    const traits = [pth ? "pth" : /conftest\.py$/.test(path) ? "tests" : "site"];
    return [
      signalAt("start-hook", whole, -1, { start, end: start + found[0].length }, { detail: `${path.split("/").at(-1)}: ${found[0].slice(0, 80)}`, traits }),
    ];
  }
  return [];
}

/** Lines of a module that run as it is loaded; functions wait to be called. */
function topLevel(text: string): { text: string; at: number }[] {
  return [...text.slice(0, 200_000).matchAll(/^(?!def |class |async |@|#|[ \t]*$)[^\n]{1,2000}(?:\n[ \t]+[^\n]{0,2000}){0,40}/gm)].map((match) => ({
    text: match[0],
    at: match.index,
  }));
}

/** A line of a manifest that carries every variable away. */
export function sendsEnvironment(line: string): boolean {
  return line.search(WHOLE_ENVIRONMENT) >= 0 && SENDS.test(line.replace(/require\(\\?['"](?:node:)?(https?)\\?['"]\)/g, "$1"));
}

/** The whole environment, beside a call that sends: nobody needs every variable of a machine elsewhere. */
export function environmentSent(whole: Block, text: string): Signal[] {
  if (!text.includes("environ") && !text.includes("process.env")) return [];
  const signals: Signal[] = [];
  for (const match of text.matchAll(WHOLE_ENVIRONMENT)) {
    if (signals.length >= 10) break;
    if (!SENDS.test(text.slice(Math.max(0, match.index - NEAR), match.index + NEAR))) continue;
    signals.push(
      signalAt(
        "environment-sent",
        whole,
        -1,
        { start: match.index, end: match.index + match[0].length },
        { detail: "every variable of the environment", traits: ["high-value"] },
      ),
    );
  }
  return signals;
}
