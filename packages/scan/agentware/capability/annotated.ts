import type { Place } from "@plastron/contracts";
import type { ScanFile } from "../../analyser.ts";
import type { AnnotatedTool, Lines } from "./claim.ts";
import { bodyBelow, functionsOf, shutOf } from "./extent.ts";

const HINTS =
  /\b(?:readOnlyHint|read_only_hint)["']?\s{0,4}[:=]\s{0,4}[Tt]rue|\b(?:destructiveHint|openWorldHint|destructive_hint|open_world_hint)["']?\s{0,4}[:=]\s{0,4}[Ff]alse/g;
const REGISTERS = /(?:\bregisterTool|\.tool|\baddTool|\bdefineTool|\bcreateTool)\s{0,4}\(/g;
const DECORATORS = /^[ \t]{0,40}@(?:\w{1,40}\.){0,3}tool\b/gm;
const NAMED = /\bname["']?\s{0,4}[:=]\s{0,4}["'`]([\w.:/-]{1,80})["'`]/g;
const FIRST_TEXT = /^[^"'`{]{0,40}["'`]([\w.:/-]{1,80})["'`]|\bname["']?\s{0,4}[:=]\s{0,4}["'`]([\w.:/-]{1,80})["'`]/;
const MAX_TOOLS = 200;
/** So many calls that still stand open can lie around a hint. */
const MAX_CALLS = 12;
/** So much of a file is looked at. */
const MAX_TEXT = 2_000_000;
/** So far behind a hint its tool's beginning may lie. */
const REACH = 8000;

/** Tools that annotate themselves in source (`readOnlyHint: true`), each with the lines that run for it. */
export function annotatedIn({ language }: Pick<ScanFile, "language">, whole: string, placeOf: (start: number, end: number) => Place): AnnotatedTool[] {
  const text = whole.slice(0, MAX_TEXT);
  if (!/[Hh]int/.test(text) || !["python", "javascript", "typescript"].includes(language)) return [];
  const found = new Map<string, AnnotatedTool>();
  const lines = ([start, end]: readonly [number, number]) => linesOf(start, end, placeOf);
  const functions = functionsOf(text, language);
  for (const hint of [...text.matchAll(HINTS)].slice(0, MAX_TOOLS)) {
    const tool = language === "python" ? (decorated(text, hint.index) ?? listed(text, hint.index)) : (registered(text, hint.index) ?? listed(text, hint.index));
    if (!tool) continue;
    const denies = /read_?only/i.test(hint[0]) ? (["write", "delete"] as const) : /destructive/i.test(hint[0]) ? (["delete"] as const) : (["network"] as const);
    const known = found.get(tool.name);
    found.set(tool.name, {
      name: tool.name,
      denies: [...new Set([...(known?.denies ?? []), ...denies])],
      detail: known ? `${known.detail}, ${hint[0]}` : hint[0],
      own: tool.spans.map(lines),
      called: tool.spans.flatMap(([start, end]) => functions.calledIn(text.slice(start, end))).map(lines),
      place: known?.place ?? placeOf(hint.index, hint.index + hint[0].length),
    });
  }
  return [...found.values()];
}

interface Found {
  readonly name: string;
  readonly spans: readonly (readonly [start: number, end: number])[];
}

function linesOf(start: number, end: number, placeOf: (start: number, end: number) => Place): Lines {
  const { line, end_line } = placeOf(start, end);
  return [line, end_line];
}

/** `server.registerTool("name", {annotations: {…}}, handler)`: the call around the hint. */
function registered(text: string, at: number): Found | null {
  const from = Math.max(0, at - REACH);
  for (const call of [...text.slice(from, at).matchAll(REGISTERS)].slice(-MAX_CALLS).reverse()) {
    const open = from + call.index + call[0].length - 1;
    const end = shutOf(text, open);
    if (end < at) continue;
    const name = FIRST_TEXT.exec(text.slice(open + 1, open + 400));
    return { name: name?.[1] ?? name?.[2] ?? "a tool", spans: [[open, end]] };
  }
  return null;
}

/** `@mcp.tool(annotations=…)` above a function. */
function decorated(text: string, at: number): Found | null {
  const from = Math.max(0, at - REACH);
  const mark = [...text.slice(from, at + 1).matchAll(DECORATORS)].at(-1);
  if (!mark) return null;
  const open = text.indexOf("(", from + mark.index);
  const end = open < 0 ? -1 : shutOf(text, open);
  if (end < at) return null;
  const head = /^\)?[^\n]{0,200}\n(?:[ \t]*@[^\n]{0,500}\n){0,5}[ \t]*(?:async[ \t]+)?def[ \t]+(\w{1,80})/.exec(text.slice(end, end + 3000));
  if (!head) return null;
  const def = end + head[0].length;
  return { name: head[1] as string, spans: [[def, bodyBelow(text, text.lastIndexOf("\n", def) + 1)]] };
}

/** An entry of a list of tools; what runs is told apart by its name further on: `case "name":`, `if name == "name":`. */
function listed(text: string, at: number): Found | null {
  const from = Math.max(0, at - 4000);
  const name = [...text.slice(from, at).matchAll(NAMED)].at(-1)?.[1];
  if (!name) return null;
  const quoted = `["'\`]${RegExp.escape(name)}["'\`]`;
  const branch = new RegExp(`\\bcase\\s{1,4}${quoted}\\s{0,4}:|={2,3}\\s{0,4}${quoted}\\s{0,4}[):]`, "g");
  const spans = [...text.matchAll(branch)].slice(0, 5).map(({ index, 0: whole }): [number, number] => {
    if (/^case/.test(whole)) {
      const next = /\n[ \t]*(?:case\s|default\s*:)/.exec(text.slice(index + whole.length, index + 20_000));
      return [index, index + whole.length + (next?.index ?? 2000)];
    }
    const brace = whole.endsWith(")") ? text.indexOf("{", index) : -1;
    return brace > 0 && brace - index < 200 ? [index, shutOf(text, brace)] : [index, bodyBelow(text, text.lastIndexOf("\n", index) + 1)];
  });
  return { name, spans };
}
