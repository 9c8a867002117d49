/** Evaluates one module: everything that its values, its functions and its calls say of where data goes. */
import type { Fn, Module } from "../ir.ts";
import { bindPattern } from "./bind.ts";
import { sinkTaints } from "./calls.ts";
import { evaluateMethods } from "./classes.ts";
import { holds } from "./conditions.ts";
import { valueOfExpression } from "./expressions.ts";
import { declared, evaluateFunction, seed } from "./functions.ts";
import type { Knowledge, KnownSink } from "./knowledge.ts";
import type { OutlineMaker } from "./outline.ts";
import { type Parts, Run } from "./run.ts";
import { runStatements } from "./statements.ts";
import type { Value } from "./value.ts";

const PARTS: Parts = { expression: valueOfExpression, statements: runStatements, bind: bindPattern, fn: evaluateFunction };

export function evaluate(module: Module, knowledge: Knowledge, outline: OutlineMaker, path: string): Run {
  const run = new Run(PARTS, module, knowledge, outline, path);
  const body = module.functions[0];
  if (body === undefined) return run;
  if (knowledge.files.some(({ source, path }) => knowledge.returned.has(source.name ?? "") && path.test(run.path))) run.answers = new Map();
  run.statements(body.body);
  afterwards(run);
  if (module.exportsEverything) exportVariables(run);
  handlersByFile(run);
  return run;
}

/** Functions see the module as it is when it is loaded. */
function afterwards(run: Run): void {
  const root = run.env;
  methods(run);
  for (const fn of run.hoisted.splice(0)) if (!run.evaluated.has(fn.id)) declared(run, fn);
  for (const { fn, env, thisValue } of run.later.splice(0)) {
    run.env = env;
    run.thisValue = thisValue;
    run.call(fn, null);
  }
  // Of classes that functions made inside of themselves.
  methods(run);
  run.env = root;
}

function methods(run: Run): void {
  const root = run.env;
  for (let round = 0; run.laterClasses.length > 0 && round < 20; round++)
    for (const { id, env } of run.laterClasses.splice(0)) {
      run.env = env;
      evaluateMethods(run, id);
    }
  run.env = root;
}

function exportVariables(run: Run): void {
  run.module.variables.forEach(({ name, owner }, id) => {
    const value = owner === 0 ? run.env.read(id) : undefined;
    if (value !== undefined && !run.exported.has(name)) run.exported.set(name, value);
  });
}

/** Files that a framework finds by their path. */
function handlersByFile(run: Run): void {
  for (const { id, source, path } of run.knowledge.files) {
    if (!path.test(run.path)) continue;
    for (const name of source.exports) {
      const root = (run.exported.get(name) ?? (name === "default" ? run.exportsValue : undefined))?.sym?.root;
      const fn = root?.kind === "function" ? run.module.functions[root.id] : undefined;
      if (fn === undefined) continue;
      seed(run, fn, source.parameter, id, source.fields);
      for (const sink of run.knowledge.returned.get(source.name ?? "") ?? []) answered(run, fn, sink);
    }
  }
}

/** What a framework does with what its handler gives back. */
function answered(run: Run, fn: Fn, sink: KnownSink): void {
  for (const { value, node } of run.answers?.get(fn.id) ?? []) {
    const given = { values: [value], named: new Map(), receiver: null, open: false, around: [], mentions: () => [] };
    const taints = sink.when.every((each) => holds(each, given)) ? sinkTaints(sink, given) : [];
    if (taints.length > 0) run.recorder.reaches(sink, taints, node, "return", fn.id);
  }
}

export type { Run, Value };
