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

/** What a file offers: a list of tools (`tools/list`), a skill's front matter, a Dify tool, tools that source registers. */
export function offersOf(
  file: Pick<ScanFile, "path" | "language">,
  blocks: readonly Block[],
  text: string,
  pack: Pack,
  placeOf: (start: number, end: number) => Place,
): Offer[] {
  const offer = (kind: Offer["kind"], name: string, description: string, told: string, start: number): Offer => ({
    ...{ kind, name: name.slice(0, 200), description: description.slice(0, 400), hash: createHash("sha256").update(told.normalize("NFC")).digest("hex") },
    ...{ roles: rolesOf(`${name.replace(/[_.-]|(?<=[a-z])(?=[A-Z])/g, " ")} . ${description}`, pack), place: placeOf(start, start + 1) },
  });
  if (file.language === "markdown") {
    if (!/(?:^|\/)SKILL\.md$/i.test(file.path)) return [];
    const value = (key: string) =>
      blocks.find(({ kind, section }) => (kind === "value" || kind === "description") && section.length === 1 && section[0] === key);
    const name = value("name");
    return [offer("skill", name?.text ?? file.path, value("description")?.text ?? "", text, name?.start ?? 0)];
  }
  if (file.language === "json" || file.language === "yaml") return dataOffers(blocks, offer);
  return sourceOffers(text, offer);
}

type Make = (kind: Offer["kind"], name: string, description: string, told: string, start: number) => Offer;

/** Values below `tools.N`, or of a Dify tool's `identity` and `description`. */
function dataOffers(blocks: readonly Block[], offer: Make): Offer[] {
  const tools = new Map<string, Block[]>();
  for (const each of blocks) {
    const at = each.section.findIndex((key, i) => key === "tools" && /^\d+$/.test(each.section[i + 1] ?? ""));
    if (at >= 0) tools.set(each.section.slice(0, at + 2).join("\u0000"), [...(tools.get(each.section.slice(0, at + 2).join("\u0000")) ?? []), each]);
    if (tools.size > MAX_OFFERS) break;
  }
  const offers: Offer[] = [];
  for (const [key, values] of tools) {
    const depth = key.split("\u0000").length;
    const value = (name: string) => values.find(({ section }) => section.length === depth + 1 && section[depth] === name);
    const name = value("name");
    if (name)
      offers.push(
        offer("tool", name.text, value("description")?.text ?? "", JSON.stringify(values.map(({ section, text }) => [section.slice(depth), text])), name.start),
      );
  }
  const identity = blocks.find(({ section }) => section.length === 2 && section[0] === "identity" && section[1] === "name");
  const llm = blocks.find(({ section }) => section[0] === "description" && section.at(-1) === "llm");
  if (identity && llm) offers.push(offer("tool", identity.text, llm.text, JSON.stringify(blocks.map(({ section, text }) => [section, text])), identity.start));
  return offers;
}

const REGISTERED =
  /\.(?:tool|registerTool|addTool)\(\s*(?:\{\s*name\s*:\s*)?["'`]([\w.:/-]{1,80})["'`]\s*,\s*(?:\{\s*(?:title\s*:\s*["'`][^"'`\n]{0,80}["'`]\s*,\s*)?)?(?:description\s*:\s*)?["'`]([^"'`]{0,2000})["'`]/g;
const DECLARED =
  /\bname\s*[:=]\s*["'`]([\w.:/-]{1,80})["'`]\s*,\s*(?:title\s*[:=]\s*["'`][^"'`\n]{0,80}["'`]\s*,\s*)?description\s*[:=]\s*(?:\(?\s*)["'`]([^"'`]{0,2000})["'`]/g;
const DECORATED =
  /@(?:\w{1,40}\.)?(?:tool|function_tool)\b[^\n]{0,200}\n(?:async\s+)?def\s+(\w{1,80})\s*\([^)]{0,1000}\)[^:\n]{0,100}:\s*\n\s*(?:"""|''')((?:(?!"""|''').){0,2000})/gs;

function sourceOffers(text: string, offer: Make): Offer[] {
  if (!/tool/i.test(text.slice(0, 2_000_000))) return [];
  const offers: Offer[] = [];
  const isServer = /inputSchema|input_schema|parameters|McpServer|FastMCP/.test(text);
  for (const pattern of [REGISTERED, ...(isServer ? [DECLARED] : []), DECORATED])
    for (const [whole, name, description] of text.matchAll(pattern)) {
      if (offers.length >= MAX_OFFERS) return offers;
      if (!offers.some((known) => known.name === name))
        offers.push(offer("tool", name as string, description as string, `${name}\n${description}`, text.indexOf(whole)));
    }
  return offers;
}

function rolesOf(text: string, { lexicon }: Pack): Role[] {
  const hits = new Set(lexicon.read(text.toLowerCase()).map((hit) => hit.idea));
  return ROLES.filter((role) => hits.has(lexicon.id(`role-${role}`)));
}
