/** A flow, in the words and with the places that a reader needs. */
import type { FlowStep, MatchInput, Place, Severity } from "@plastron/contracts";
import { SEVERITIES } from "@plastron/contracts";
import type { FileFacts, Spot } from "../engine/facts.ts";
import type { Knowledge } from "../engine/knowledge.ts";
import type { Role } from "../role.ts";
import { type Confidence, matchOf } from "../tell.ts";
import type { Graph } from "./graph.ts";
import type { Start } from "./origins.ts";
import type { State } from "./search.ts";

export interface Found {
  readonly start: Start;
  readonly state: State;
  readonly file: string;
  readonly sink: number;
}

/** Null where the rule does not speak of data of this origin, or not in such a file. */
export function tellFlow(found: Found, files: ReadonlyMap<string, FileFacts>, graph: Graph, knowledge: Knowledge, role: Role): MatchInput | null {
  const { start, state, file } = found;
  const sink = graph.resolver.flows(file)?.sinks.find(([id]) => id === found.sink);
  if (sink === undefined) return null;
  const [, ruleId, sinkId, spot, name, fn] = sink;
  const rule = knowledge.rules[ruleId];
  const specification = rule?.taint.sinks[sinkId];
  if (rule === undefined || specification === undefined) return null;
  const told = saidOf(rule.taint.origins, start.origin, rule);
  if (told === null || (role === "test" && rule.taint.quiet_in_tests)) return null;
  const confidence = lowest(told.confidence, specification.confidence ?? "high", start.sure);
  const places = new Places(files);
  const sourceSpot = start.spot ?? functionSpot(graph, start);
  const steps: FlowStep[] = [
    { ...places.of(start.file, sourceSpot), kind: "source", message: `${start.words} comes in` },
    ...stepsOf(state, graph, places),
    { ...places.of(file, spot), kind: "sink", message: `reaches ${specification.words ?? `\`${name}\``}` },
  ];
  return matchOf(rule, {
    place: places.of(file, spot),
    severity: role === "code" ? told.severity : lower(told.severity),
    confidence,
    flow: compact(steps),
    source: start.words,
    sink: specification.words ?? `\`${name}\``,
    anchor: `${graph.resolver.fn(file, fn)?.[1] ?? ""}|${name}|${places.of(file, spot).snippet}`,
  });
}

function saidOf(
  origins: NonNullable<Knowledge["rules"][number]>["taint"]["origins"],
  origin: Start["origin"],
  rule: { severity: Severity; confidence: Confidence },
) {
  if (origins === undefined) return ["request", "message", "tool", "dom"].includes(origin) ? rule : null;
  const said = origins[origin];
  return said === undefined ? null : said === "as-rule" ? rule : said;
}

const ORDER: readonly Confidence[] = ["low", "medium", "high"];
function lowest(...all: Confidence[]): Confidence {
  return ORDER[Math.min(...all.map((each) => ORDER.indexOf(each)))] as Confidence;
}

function lower(severity: Severity): Severity {
  return SEVERITIES[Math.min(SEVERITIES.indexOf(severity) + 1, SEVERITIES.length - 1)] as Severity;
}

/** An exported function is where its first step is; without one, its sink. */
function functionSpot(graph: Graph, start: Start): Spot | null {
  const [edge] = graph.edges(start.file, start.port);
  return edge?.fact[6][0]?.[2] ?? null;
}

class Places {
  readonly #files: ReadonlyMap<string, FileFacts>;

  constructor(files: ReadonlyMap<string, FileFacts>) {
    this.#files = files;
  }

  of(file: string, spot: Spot | null): Required<Place> {
    const [line, column, end_line, end_column] = spot ?? [1, 1, 1, 2];
    const parts = file.split("!/");
    const [, snippet, snippet_column] = this.#files.get(file)?.flows?.lines.find(([each]) => each === line) ?? [line, "", 1];
    return { path: parts.at(-1) ?? file, layers: parts.slice(0, -1), line, column, end_line, end_column, snippet: snippet.slice(0, 300), snippet_column };
  }
}

function stepsOf(last: State, graph: Graph, places: Places): FlowStep[] {
  const steps: FlowStep[] = [];
  const chain: State[] = [];
  for (let state: State | null = last; state !== null; state = state.before) chain.push(state);
  for (const state of chain.reverse()) {
    if (state.edge !== null) {
      const { file, fact } = state.edge;
      for (const [what, name, spot] of fact[6]) steps.push({ ...places.of(file, spot), kind: "step", message: wordsOf(what, name) });
      continue;
    }
    const from = state.before;
    if (from === null) continue;
    const site = from.port.startsWith("A") ? graph.sites.get(`${from.file}\0${Number.parseInt(from.port.slice(1), 10)}`) : undefined;
    if (site !== undefined) {
      const called = graph.resolver.fn(state.file, Number.parseInt(state.port.slice(1), 10))?.[1];
      steps.push({ ...places.of(from.file, site.spot), kind: "call", message: called ? `given to \`${called}\`` : "given to a function" });
    } else if (state.port.startsWith("R")) {
      const back = graph.sites.get(`${state.file}\0${state.port.slice(1)}`);
      if (back !== undefined) steps.push({ ...places.of(state.file, back.spot), kind: "return", message: "comes back from the call" });
    }
  }
  return steps;
}

function wordsOf(what: "a" | "j" | "p", name: string): string {
  if (what === "a") return `kept in \`${name}\``;
  return what === "j" ? "put into a text" : `passed through \`${name}\``;
}

/** Steps that say the same line twice are one; a long flow keeps its beginning and its end. */
function compact(steps: readonly FlowStep[]): FlowStep[] {
  const out: FlowStep[] = [];
  for (const [index, step] of steps.entries()) {
    const before = out.at(-1);
    const isSink = index === steps.length - 1;
    if (before !== undefined && before.path === step.path && before.line === step.line && before.kind === "step" && (step.kind === "step" || isSink)) out.pop();
    out.push(step);
  }
  return out.length <= 24 ? out : [...out.slice(0, 12), ...out.slice(-12)];
}
