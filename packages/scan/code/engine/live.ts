/** Which of the ways that data takes in a file lead from somewhere to somewhere: the rest is nobody's business, and most of it is rest. */
import type { FlowFacts, Ref } from "./facts.ts";
import type { Edge, Site } from "./recorder.ts";
import { refOf, refOfSym } from "./refs.ts";
import type { Run } from "./run.ts";
import type { Sym } from "./sym.ts";

type Given = readonly { readonly site: Site; readonly given: readonly (readonly [number, Ref])[] }[];

export function liveEdges(run: Run, exports: FlowFacts["exports"], classes: FlowFacts["classes"], sites: Given): Edge[] {
  const graph = new Graph();
  const edges = [...run.recorder.edges.values()];
  for (const { port, to } of edges) graph.link(port, to);
  const escaping = escapingFunctions(run, exports, classes, sites);
  const ins: string[] = [...run.recorder.sources.values()].map(({ id }) => `S${id}`);
  const outs: string[] = [...run.recorder.sinks.values()].map(({ id }) => `K${id}`);
  for (const { fn, index } of run.recorder.seeds.values()) ins.push(`P${fn}:${index}`);
  for (const { site } of sites) {
    const local = localCallee(run, site.callee);
    const prefix = `A${site.id}:`;
    if (local === null) {
      ins.push(`R${site.id}`);
      for (const port of graph.begins(prefix)) outs.push(port);
      continue;
    }
    const parameters = run.module.functions[local]?.parameters ?? [];
    const rest = parameters.findIndex(({ kind }) => kind === "rest");
    const keywords = parameters.findIndex(({ kind }) => kind === "keywords");
    for (const port of graph.begins(prefix)) {
      const slot = port.slice(prefix.length);
      const numbered = /^-?\d+$/.test(slot);
      const index = numbered ? Number(slot) : parameters.findIndex(({ name }) => name === slot);
      graph.link(port, `P${local}:${numbered ? (rest >= 0 && index > rest ? rest : index) : index < 0 ? keywords : index}`);
    }
    graph.link(`Q${local}`, `R${site.id}`);
  }
  for (const fn of escaping) {
    outs.push(`Q${fn}`);
    for (const port of graph.begins(`P${fn}:`)) ins.push(port);
  }
  // Classes are used from anywhere.
  for (const port of graph.begins("T")) {
    if (graph.isTarget(port)) ins.push(port);
    outs.push(port);
  }
  const forward = graph.reach(ins, false);
  const backward = graph.reach(outs, true);
  return edges.filter(({ port, to }) => forward.has(port) && backward.has(to));
}

/** The function of this file that a call surely reaches; null for all others. */
function localCallee(run: Run, { root, depth, segment }: Sym): number | null {
  if (root.kind === "function" && depth === 0) return root.id;
  if (root.kind !== "this" || depth !== 1) return null;
  return run.module.classes[root.id]?.methods.find(({ name }) => name === segment)?.fn ?? null;
}

/** Functions that something else than a direct call in this file may call. */
function escapingFunctions(run: Run, exports: FlowFacts["exports"], classes: FlowFacts["classes"], sites: Given): Set<number> {
  const out = new Set<number>();
  const add = (ref: Ref | null): void => {
    if (ref === null) return;
    if (ref[0] === "f") out.add(ref[1]);
    else if (ref[0] === "o") for (const [, inner] of ref[1]) add(inner);
  };
  for (const [, ref] of exports) add(ref);
  for (const { methods, fields } of classes) {
    for (const [, fn] of methods) out.add(fn);
    for (const [, ref] of fields) add(ref);
  }
  for (const { given } of sites) for (const [, ref] of given) add(ref);
  for (const value of run.recorder.returns.values()) add(refOf(value));
  for (const { callee } of run.recorder.registrations) add(refOfSym(callee));
  return out;
}

class Graph {
  readonly #next = new Map<string, string[]>();
  readonly #before = new Map<string, string[]>();
  #byPrefix: Map<string, string[]> | null = null;

  link(from: string, to: string): void {
    push(this.#next, from, to);
    push(this.#before, to, from);
  }

  isTarget(port: string): boolean {
    return this.#before.has(port);
  }

  /** Ports that begin so: `A7:`, `P3:`, `T`. */
  begins(prefix: string): readonly string[] {
    if (this.#byPrefix === null) {
      this.#byPrefix = new Map();
      for (const port of new Set([...this.#next.keys(), ...this.#before.keys()])) {
        const colon = port.indexOf(":");
        if (colon > 0) push(this.#byPrefix, port[0] === "T" ? "T" : port.slice(0, colon + 1), port);
      }
    }
    return this.#byPrefix.get(prefix) ?? [];
  }

  reach(from: readonly string[], backwards: boolean): Set<string> {
    const links = backwards ? this.#before : this.#next;
    const seen = new Set(from);
    const queue = [...seen];
    for (let port = queue.pop(); port !== undefined; port = queue.pop())
      for (const next of links.get(port) ?? [])
        if (!seen.has(next)) {
          seen.add(next);
          queue.push(next);
        }
    return seen;
  }
}

function push(map: Map<string, string[]>, key: string, value: string): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [value]);
  else list.push(value);
}
