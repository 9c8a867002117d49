/** All files together: from every place where data comes in to every sink that it reaches. */
import type { MatchInput } from "@plastron/contracts";
import type { LookGap } from "../../analyser.ts";
import type { FileFacts } from "../engine/facts.ts";
import type { Knowledge, KnowledgeByLanguage } from "../engine/knowledge.ts";
import type { RoleOf } from "../role.ts";
import { Graph } from "./graph.ts";
import { Hot } from "./hot.ts";
import { libraryCalls } from "./libraries.ts";
import type { Modules } from "./modules.ts";
import { type Start, startsOf } from "./origins.ts";
import { Resolver } from "./resolve.ts";
import { follow, type Hit } from "./search.ts";
import { type Found, tellFlow } from "./tell.ts";

/** States that the whole search may visit, and one source's part of it. */
const BUDGET = 1_000_000;
const PER_START = 20_000;
/** Of a package's exported functions there are thousands, and most lead the same ways. */
const PER_EXPORT = 2_000;

const CUT: LookGap = { kind: "degraded", reason: "budget", detail: "more ways for data than are followed in one scan", matters: true };
/** Starts are followed gravest first: everything that comes from others was. */
const CUT_OUTSIDE: LookGap = {
  kind: "degraded",
  reason: "budget",
  detail: "all data that comes in was followed, but not all that callers of the exported functions could give",
  matters: false,
};

export interface Linked {
  readonly matches: MatchInput[];
  readonly gaps: LookGap[];
}

/** `role`: what each file is for, as far as is known of all. */
export function link(files: ReadonlyMap<string, FileFacts>, modules: Modules, languages: KnowledgeByLanguage, role: RoleOf): Linked {
  const knowledge = languages.javascript;
  const graph = new Graph(files, new Resolver(files, modules));
  const registered = libraryCalls(graph, files, languages);
  const starts = [...startsOf(files, graph, modules, knowledge), ...registered].sort((a, b) => rank(a) - rank(b));
  const hot = new Hot(graph, sinksOf(files));
  const best = new Map<string, Found>();
  let left = BUDGET;
  let cut = false;
  let outside = false;
  for (const start of starts) {
    if (left <= 0) {
      outside ||= start.origin === "library";
      cut ||= start.origin !== "library";
      break;
    }
    if (!hot.has(start.file, start.port)) continue;
    const budget = { left: Math.min(start.origin === "library" ? PER_EXPORT : PER_START, left) };
    const given = budget.left;
    for (const hit of follow(graph, hot, start, budget)) keep(best, start, hit, graph, knowledge);
    cut ||= budget.left < 0 && start.origin !== "library";
    left -= given - Math.max(0, budget.left);
  }
  const matches = [...best.values()].flatMap((found) => tellFlow(found, files, graph, knowledge, role(found.file)) ?? []);
  return { matches, gaps: cut ? [CUT] : outside ? [CUT_OUTSIDE] : [] };
}

const RANKS = ["request", "tool", "message", "dom", "cli", "environment", "response", "stored", "library"] as const;
function rank({ origin }: Start): number {
  return RANKS.indexOf(origin);
}

function* sinksOf(files: ReadonlyMap<string, FileFacts>): Iterable<string> {
  for (const [file, { flows }] of files) for (const [id] of flows?.sinks ?? []) yield `${file}\0K${id}`;
}

/** One finding a sink and rule: of the gravest origin that the rule speaks of, by the shortest way. */
function keep(best: Map<string, Found>, start: Start, hit: Hit, graph: Graph, knowledge: Knowledge): void {
  const sink = graph.resolver.flows(hit.file)?.sinks.find(([id]) => id === hit.sink);
  if (sink === undefined) return;
  const rule = knowledge.rules[sink[1]];
  const bit = knowledge.kindOf(sink[1]);
  if (rule === undefined || (hit.state.mask & bit) === bit || !speaksOf(rule.taint.origins, start)) return;
  // An object is sent as JSON: only a text is a page.
  if (rule.taint.sinks[sink[2]]?.shape === "text" && !hit.state.part) return;
  if (start.origin === "library" && !toldOfLibrary(hit, rule.taint.sinks[sink[2]]?.dynamic !== undefined)) return;
  // A loop that writes keys writes in several lines, and is mended once.
  const isOfFunction = rule.taint.sinks[sink[2]]?.dynamic !== undefined;
  const key = `${hit.file}\0${rule.id}\0${isOfFunction ? sink[5] : `${sink[3][0]}:${sink[3][1]}`}`;
  const known = best.get(key);
  if (known === undefined || rank(start) < rank(known.start) || (rank(start) === rank(known.start) && hit.state.length < known.state.length))
    best.set(key, { start, state: hit.state, file: hit.file, sink: hit.sink });
}

/**
 * What a package is given is its caller's. Worth a word is text of it in a shell; not what lies deep in its settings, which a developer
 * writes. And keys of an object that it enumerates, not a key that it is given as such.
 */
function toldOfLibrary({ state }: Hit, ofKeys: boolean): boolean {
  return ofKeys ? state.scalar : state.taken <= 1;
}

function speaksOf(origins: Knowledge["rules"][number]["taint"]["origins"], { origin }: Start): boolean {
  return origins === undefined ? rank({ origin } as Start) <= 3 : origins[origin] !== undefined;
}
