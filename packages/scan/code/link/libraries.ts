/**
 * Calls that only another file's exports tell to be a library's: `import { db } from "./db"; db.query(text)`. What the engine does in one
 * file where it knows the library, done once more where it learns of it late: sinks, and handlers that are handed over.
 */
import { type CompiledCondition, type Given, holds } from "../engine/conditions.ts";
import type { FileFacts } from "../engine/facts.ts";
import type { KnowledgeByLanguage, Known } from "../engine/knowledge.ts";
import { Roots, type Sym } from "../engine/sym.ts";
import { NOTHING, tainted } from "../engine/value.ts";
import type { External, Graph } from "./graph.ts";
import { registered, type Start } from "./origins.ts";

export function libraryCalls(graph: Graph, files: ReadonlyMap<string, FileFacts>, languages: KnowledgeByLanguage): Start[] {
  const roots = { javascript: new Roots(), python: new Roots() };
  const starts: Start[] = [];
  for (const external of graph.externals) {
    const language = files.get(external.file)?.outline.language === "python" ? "python" : "javascript";
    const knowledge = languages[language];
    const known = knowledge.of(symOf(roots[language], external));
    if (known === null) continue;
    sinks(graph, external, known);
    for (const { id, source } of known.callbacks)
      for (const [index, ref] of external.site.given)
        if (source.argument === "any" || source.argument === "last" || source.argument === index)
          registered(starts, knowledge, graph.resolver.resolve(external.file, ref), id, graph.resolver, 0);
  }
  return starts;
}

function symOf(roots: Roots, { module, path }: External): Sym | null {
  let sym: Sym | null = roots.module(module);
  for (const segment of path) sym = sym?.child(segment) ?? null;
  return sym;
}

/** Of what was asked of the arguments in their own file only constant text is still known. */
function sinks(graph: Graph, { file, id, site }: External, known: Known): void {
  const values = Array.from({ length: 8 }, (_, index) => {
    const text = site.texts.find(([position]) => position === index)?.[1];
    return text === undefined ? NOTHING : tainted([], null, text);
  });
  const given: Given = { values, named: new Map(), receiver: null, open: true, around: [], mentions: () => [] };
  for (const sink of known.sinks) {
    if (!sink.when.every((each: CompiledCondition) => holds(each, given))) continue;
    for (const slot of sink.sink.arguments) {
      if (typeof slot.argument !== "number") continue;
      const to = graph.addSink(file, sink.rule, sink.index, site);
      graph.addEdge(file, [`A${id}:${slot.argument}`, slot.field === undefined ? "" : `.${slot.field}`, to, "", sink.sink.deep ? 2 : 1, 0, []]);
    }
  }
}
