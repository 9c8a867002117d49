import { createHash } from "node:crypto";
import type { Place } from "@plastron/contracts";
import type { ScanFile } from "../../analyser.ts";
import type { Block } from "../document/model.ts";
import type { Pack } from "../pack.ts";

/** What an assistant is offered: a tool of a server, or a skill, as it describes itself. */
export interface Offer {
  readonly kind: "tool" | "skill";
  readonly name: string;
  /** Hash of what a model is told of it: name, description, parameters. */
  readonly hash: string;
  readonly description: string;
  readonly roles: readonly Role[];
  readonly place: Place;
}

/**
 * A part of the lethal trifecta: it brings in text of strangers, it reaches what is private, it can carry data out. A tool that has all
 * three, or a set of tools that has, can be made to hand over what it reads.
 */
export type Role = "untrusted" | "private" | "egress";

const ROLES: readonly Role[] = ["untrusted", "private", "egress"];
const MAX_OFFERS = 500;
/** So much of a description, or of a tool's registration in source, is taken for what a model is told. */
const MAX_TOLD = 20_000;

/** `more`: there are others, at which nobody looked. */
export interface Offers {
  readonly offers: readonly Offer[];
  readonly more: boolean;
}

/** What a file offers: a list of tools (`tools/list`), a skill's front matter, a Dify tool, tools that source registers. */
export function offersOf(
  file: Pick<ScanFile, "path" | "language">,
  blocks: readonly Block[],
  text: string,
  pack: Pack,
  placeOf: (start: number, end: number) => Place,
): Offers {
  const offer = (kind: Offer["kind"], name: string, description: string, told: string, start: number): Offer => ({
    ...{ kind, name: name.slice(0, 200), description: description.slice(0, 400), hash: createHash("sha256").update(told.normalize("NFC")).digest("hex") },
    ...{ roles: rolesOf(`${name.replace(/[_.-]|(?<=[a-z])(?=[A-Z])/g, " ")} . ${description}`, pack), place: placeOf(start, start + 1) },
  });
  if (file.language === "markdown") {
    if (!/(?:^|\/)SKILL\.md$/i.test(file.path)) return NONE;
    const value = (key: string) =>
      blocks.find(({ kind, section }) => (kind === "value" || kind === "description") && section.length === 1 && section[0] === key);
    const name = value("name");
    return { offers: [offer("skill", name?.text ?? file.path, value("description")?.text ?? "", text, name?.start ?? 0)], more: false };
  }
  if (file.language === "json" || file.language === "yaml") return dataOffers(blocks, offer);
  return sourceOffers(text, offer);
}

type Make = (kind: Offer["kind"], name: string, description: string, told: string, start: number) => Offer;

const NONE: Offers = { offers: [], more: false };

/** Values below `tools.N`, or of a Dify tool's `identity` and `description`. */
function dataOffers(blocks: readonly Block[], offer: Make): Offers {
  const tools = new Map<string, Block[]>();
  let more = false;
  for (const each of blocks) {
    const at = each.section.findIndex((key, i) => key === "tools" && /^\d+$/.test(each.section[i + 1] ?? ""));
    if (at < 0) continue;
    const key = each.section.slice(0, at + 2).join("\u0000");
    const values = tools.get(key);
    if (values) values.push(each);
    else if (tools.size < MAX_OFFERS) tools.set(key, [each]);
    else more = true;
  }
  const offers: Offer[] = [];
  for (const [key, values] of tools) {
    const depth = key.split("\u0000").length;
    const value = (name: string) => values.find(({ section }) => section.length === depth + 1 && section[depth] === name);
    const name = value("name");
    if (name) offers.push(offer("tool", name.text, value("description")?.text ?? "", inOrder(values, depth), name.start));
  }
  const identity = blocks.find(({ section }) => section.length === 2 && section[0] === "identity" && section[1] === "name");
  const llm = blocks.find(({ section }) => section[0] === "description" && section.at(-1) === "llm");
  if (identity && llm) offers.push(offer("tool", identity.text, llm.text, inOrder(blocks, 0), identity.start));
  return { offers, more };
}

/** All that is said, in an order of its own: keys that changed places say the same. */
function inOrder(values: readonly Block[], depth: number): string {
  return values
    .map(({ section, text }) => JSON.stringify([section.slice(depth), text]))
    .sort()
    .join("\n");
}

const REGISTERED =
  /\.(?:tool|registerTool|addTool)\(\s*(?:\{\s*name\s*:\s*)?["'`]([\w.:/-]{1,80})["'`]\s*,\s*(?:\{\s*(?:title\s*:\s*["'`][^"'`\n]{0,80}["'`]\s*,\s*)?)?(?:description\s*:\s*)?["'`]([^"'`]{0,20000})["'`]/g;
const DECLARED =
  /\bname\s*[:=]\s*["'`]([\w.:/-]{1,80})["'`]\s*,\s*(?:title\s*[:=]\s*["'`][^"'`\n]{0,80}["'`]\s*,\s*)?description\s*[:=]\s*(?:\(?\s*)["'`]([^"'`]{0,20000})["'`]/g;
const DECORATED =
  /@(?:\w{1,40}\.)?(?:tool|function_tool)\b[^\n]{0,200}\n(?:async\s+)?def\s+(\w{1,80})\s*\([^)]{0,1000}\)[^:\n]{0,100}:\s*\n\s*(?:"""|''')((?:(?!"""|''').){0,20000})/gs;

/** A tool whose description is no text here: what leads to it is told instead. */
const UNREAD = /\.(?:tool|registerTool|addTool)\(\s*(?:\{\s*name\s*:\s*)?["'`]([\w.:/-]{1,80})["'`]\s*,/g;

function sourceOffers(text: string, offer: Make): Offers {
  if (!/tool/i.test(text.slice(0, 2_000_000))) return NONE;
  const offers: Offer[] = [];
  const constants = new Constants(text);
  const isServer = /inputSchema|input_schema|parameters|McpServer|FastMCP/.test(text);
  for (const pattern of [REGISTERED, ...(isServer ? [DECLARED] : []), DECORATED, ...(isServer ? [UNREAD] : [])])
    for (const match of text.matchAll(pattern)) {
      const [whole, name, description = ""] = match;
      if (offers.some((known) => known.name === name)) continue;
      if (offers.length >= MAX_OFFERS) return { offers, more: true };
      const told = pattern === DECORATED ? plain(whole) : registered(text, match.index);
      const made = offer("tool", name as string, description, `${name}\n${description}\n${told}\n${constants.in(told)}`, match.index);
      // What a name alone suggests is too little to say that it reaches or sends something.
      offers.push(pattern === UNREAD ? { ...made, roles: [] } : made);
    }
  return { offers, more: false };
}

/** A registration as it is written, schema included, up to what is only run: the rest of an expression says as much as its first text. */
function registered(text: string, start: number): string {
  let depth = 0;
  let end = Math.min(text.length, start + MAX_TOLD);
  let quote = "";
  /** The same without what stands in quotes: words of a description are no code. */
  const code: string[] = [];
  for (let at = start; at < end; at++) {
    const character = text[at] as string;
    code[at - start] = quote === "" ? character : " ";
    if (quote !== "") {
      if (character === "\\") code[++at - start] = " ";
      else if (character === quote) quote = "";
    } else if (character === '"' || character === "'" || character === "`") quote = character;
    else if ("([{".includes(character)) depth++;
    else if (")]}".includes(character) && --depth <= 0) {
      end = at + (depth < 0 ? 0 : 1);
      break;
    }
  }
  const whole = text.slice(start, end);
  const run = code.join("").search(RUN);
  return plain(run < 0 ? whole : whole.slice(0, run));
}

/** What names in a registration stand for, where this file says so. */
class Constants {
  readonly #text: string;
  #places: Map<string, number> | null = null;

  constructor(text: string) {
    this.#text = text;
  }

  in(told: string): string {
    const names = new Set(told.replace(/"(?:[^"\\]|\\.)*"/g, '""').match(/(?<![.\w$])[A-Za-z_$][\w$]{1,80}(?![\w$]*[(:])/g));
    return [...names]
      .slice(0, MOST_CONSTANTS)
      .map((name) => this.#value(name))
      .join("\n");
  }

  #value(name: string): string {
    const at = this.#found().get(name);
    if (at === undefined) return "";
    const rest = this.#text.slice(at, at + MAX_TOLD).split(/;|\n[ \t]*(?:const|let|var|function|export|import|class|async)\b/, 1)[0];
    return plain(rest as string);
  }

  /** One look at the text for all names: the first that says what one is. */
  #found(): Map<string, number> {
    if (this.#places !== null) return this.#places;
    this.#places = new Map();
    for (const { 1: name, index } of this.#text.matchAll(DECLARATION)) if (!this.#places.has(name as string)) this.#places.set(name as string, index);
    return this.#places;
  }
}
const MOST_CONSTANTS = 40;
const DECLARATION = /\b(?:const|let|var)\s{1,20}([A-Za-z_$][\w$]{0,80})\s{0,20}(?::[^=\n]{0,100})?=/g;

/** Where the part begins that is run and not told. */
const RUN = /\basync\b|\bfunction\b|(?:\([^()]{0,500}\)|\b\w{1,80})\s{0,20}=>|\b(?:handler|execute|run|invoke|callback)\s{0,20}[:(]/;

/** Without what a formatter changes. Other white space than blanks stays: it may be there to hide something. */
const plain = (code: string): string =>
  code
    .replace(/[ \t\r\n]+/g, "")
    .replace(/['`]/g, '"')
    .replace(/,(?=[)\]}])|;/g, "");

function rolesOf(text: string, { lexicon }: Pack): Role[] {
  const hits = new Set(lexicon.read(text.toLowerCase()).map((hit) => hit.idea));
  return ROLES.filter((role) => hits.has(lexicon.id(`role-${role}`)));
}
