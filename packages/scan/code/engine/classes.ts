/** Classes: the constructor first, as it fills what the methods read. */
import type { Class } from "../ir.ts";
import { seed } from "./functions.ts";
import type { Run } from "./run.ts";
import { NOTHING, tainted, type Value } from "./value.ts";

export function classValue(run: Run, id: number): Value {
  const node = run.module.classes[id];
  if (node === undefined) return NOTHING;
  if (!run.classes.has(id)) {
    run.classes.set(id, []);
    run.classes.set(
      id,
      node.bases.map((base) => run.value(base)),
    );
    for (const decorator of node.decorators) run.value(decorator);
    fields(run, node);
    if (run.fn === 0) run.laterClasses.push({ id, env: run.env });
    else evaluateMethods(run, id);
  }
  return tainted([], run.roots.numbered("class", id));
}

/** A class that is made of functions: its methods wait until all that is written to its prototype is known. */
export function detachedClass(run: Run, id: number): void {
  if (run.classes.has(id)) return;
  run.classes.set(id, []);
  run.laterClasses.push({ id, env: run.env });
}

function fields(run: Run, node: Class): void {
  const outer = run.thisValue;
  run.thisValue = tainted([], run.roots.numbered("this", node.id));
  for (const { name, value, type } of node.fields) {
    run.around.push(name);
    const given = value === null ? NOTHING : run.value(value);
    run.around.pop();
    const instance = type === null ? null : run.value(type).sym;
    const sym = given.sym ?? (instance === null || instance.root.kind === "global" ? null : instance.call());
    run.heap.set(`${node.id}:${name}`, { ...given, taints: [], via: [], sym });
    run.recorder.flowsWhole(given, `T${node.id}:${name.slice(0, 60)}`);
  }
  run.thisValue = outer;
}

export function evaluateMethods(run: Run, id: number): void {
  const node = run.module.classes[id];
  if (node === undefined) return;
  const bases = run.classes.get(id) ?? [];
  const known = bases.flatMap(({ sym }) => run.knowledge.of(sym)?.methods ?? []);
  const methods = [...node.methods].sort((a, b) => Number(b.name === "constructor") - Number(a.name === "constructor"));
  run.around.push(node.name);
  for (const { name, fn } of methods) {
    const body = run.module.functions[fn];
    if (body === undefined || run.evaluated.has(fn)) continue;
    run.evaluated.add(fn);
    run.call(body, null);
    for (const {
      id: source,
      source: { methods: wanted, parameters, fields: parts },
    } of known) {
      if (!wanted.includes(name)) continue;
      const indices = parameters === "all" ? body.parameters.map((_, index) => index) : parameters;
      for (const index of indices) seed(run, body, index, source, parts);
    }
  }
  run.around.pop();
}
