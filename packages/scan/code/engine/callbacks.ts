/** Functions that are handed over: to what calls them with data (`xs.map(f)`), and to what calls them with requests (`app.get(path, f)`). */
import type { Call, Expression } from "../ir.ts";
import type { Given } from "./conditions.ts";
import type { Known, KnownPropagator } from "./knowledge.ts";
import type { Run } from "./run.ts";
import { slotValues } from "./slots.ts";
import { everyTaint, fieldOf, joined, NOTHING, tainted, type Value } from "./value.ts";

/** Evaluates a function that is known to be called with data of the same call. */
export function boundArguments(run: Run, callbacks: readonly KnownPropagator[], at: number, node: Expression, given: Given): Value {
  const fn = node.kind === "function" ? run.module.functions[node.id] : undefined;
  if (fn === undefined) return NOTHING;
  const bound: Value[] = [];
  for (const { from, to, mode } of callbacks) {
    if (typeof to !== "object" || !("callback" in to) || to.callback !== at) continue;
    for (const slot of from)
      for (const value of slotValues(slot, given)) {
        const passed = mode === "element" ? elementOf(value) : mode === "copy" ? value : tainted(everyTaint(value));
        bound[to.parameter] = joined(bound[to.parameter] ?? NOTHING, passed);
      }
  }
  if (bound.length === 0) return run.value(node);
  const result = run.inPlace(
    fn,
    Array.from(bound, (value) => value ?? NOTHING),
  );
  return { ...tainted([], run.roots.numbered("function", fn.id)), wraps: [result] };
}

function elementOf(value: Value): Value {
  let element = tainted(value.taints, value.sym?.child("[]") ?? null);
  for (const each of value.fields?.values() ?? []) element = joined(element, each);
  return element;
}

/** Handlers: their parameters are what comes from outside. */
export function handOver(run: Run, node: Call, known: Known, given: Given): void {
  for (const { id, source } of known.callbacks) {
    const wanted =
      source.argument === "any" ? given.values : source.argument === "last" ? given.values.slice(-1) : given.values.slice(source.argument, source.argument + 1);
    const named = source.field === undefined ? [] : [...given.named.values()];
    for (const value of [...wanted, ...named]) handlerIn(run, node, id, source.field === undefined ? value : fieldOf(value, source.field), 0);
  }
}

/** The function itself, one in a list of them, or one in what wraps it. */
function handlerIn(run: Run, node: Call, id: number, value: Value, depth: number): void {
  if (depth > 3) return;
  const source = run.knowledge.sources[id];
  if (source?.from !== "callback") return;
  const { sym } = value;
  if (sym?.root.kind === "function" && sym.depth === 0) {
    for (const field of source.fields)
      run.recorder.seed({ fn: sym.root.id, index: source.parameter, path: field === "" ? "" : `.${field}`, source: id, at: node.at, end: node.end });
    return;
  }
  if (value.fields !== null && sym === null) for (const each of value.fields.values()) handlerIn(run, node, id, each, depth + 1);
  else if (value.wraps.length > 0) for (const each of value.wraps) handlerIn(run, node, id, each, depth + 1);
  else if (sym !== null && sym.root.kind !== "global" && !(sym.root.kind === "module" && run.knowledge.knowsModule(sym.root.module)))
    run.recorder.registrations.push({ callee: sym, source: id });
}
