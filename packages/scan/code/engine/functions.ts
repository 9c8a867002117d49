/** One function: its parameters, its body, what it gives back. */
import type { Expression, Fn, Parameter } from "../ir.ts";
import { Environment } from "./environment.ts";
import type { Known } from "./knowledge.ts";
import { lastName, receiverNames } from "./names.ts";
import type { Run } from "./run.ts";
import { atomOf, COPY, everyTaint, joined, NOTHING, tainted, type Value } from "./value.ts";

export function evaluateFunction(run: Run, fn: Fn, given: readonly Value[] | null): Value {
  if (run.depth > 80) return NOTHING;
  const { env, fn: outerFn, thisValue, returned, hoisted, looping, again } = run;
  const layer = new Environment(env);
  Object.assign(run, { env: layer, fn: fn.id, returned: NOTHING, hoisted: [], looping: 0, again: false });
  run.thisValue = thisOf(run, fn, thisValue);
  run.around.push(fn.name);
  run.depth++;
  parameters(run, fn, given);
  run.statements(fn.body);
  for (const inner of run.hoisted) if (!run.evaluated.has(inner.id)) declared(run, inner);
  const result = run.returned;
  run.depth--;
  run.around.pop();
  Object.assign(run, { env, fn: outerFn, thisValue, returned, hoisted, looping, again });
  captured(run, fn, layer);
  return result;
}

export function declared(run: Run, fn: Fn): void {
  run.evaluated.add(fn.id);
  run.call(fn, null);
}

/** What a closure writes around itself may have been written, or not yet. */
function captured(run: Run, fn: Fn, layer: Environment): void {
  for (const [id, value] of layer.writes) {
    if (run.module.variables[id]?.owner === fn.id) continue;
    run.env.write(id, joined(run.env.read(id) ?? NOTHING, value));
  }
}

function thisOf(run: Run, fn: Fn, outer: Value): Value {
  const taint = { atom: atomOf(`P${fn.id}:-1`), mode: COPY, mask: 0, step: null };
  if (fn.owner !== null) return tainted([taint], run.roots.numbered("this", fn.owner));
  return outer.sym === null ? tainted([taint]) : outer;
}

function parameters(run: Run, fn: Fn, given: readonly Value[] | null): void {
  const decorated = fn.decorators.flatMap((each) => knownDecorator(run, each)?.decorated ?? []);
  fn.parameters.forEach((parameter, index) => {
    const known = given?.[index];
    let value = known === undefined ? (given === null ? unknownArgument(run, fn, parameter, index) : NOTHING) : known;
    if (parameter.kind === "rest" && given !== null) value = { ...NOTHING, taints: given.slice(index).flatMap((each) => everyTaint(each)) };
    if (parameter.default !== null) value = joined(value, run.value(parameter.default));
    run.bind(parameter.target, value);
    if (!handedIn(run, parameter))
      for (const { id, source } of decorated) if (source.parameters === "all" || source.parameters.includes(index)) seed(run, fn, index, id, source.fields);
    for (const each of parameter.decorators)
      for (const { id, source } of knownDecorator(run, each)?.parameterDecorators ?? []) seed(run, fn, index, id, source.fields);
  });
  // Where Python says what its first parameter is, the type decides and not the name: a client's `request` is no server's.
  const typed = run.module.language === "python" && fn.parameters.some(({ type }) => type !== null);
  for (const { id, source } of typed ? [] : run.knowledge.names)
    if (source.names.every((spellings, index) => spellings.includes(fn.parameters[index]?.name ?? ""))) seed(run, fn, source.parameter, id, source.fields);
}

function unknownArgument(run: Run, fn: Fn, parameter: Parameter, index: number): Value {
  const type = parameter.type === null ? null : run.value(parameter.type).sym;
  // Nothing that is a number or one of a few words does harm; who breaks his own types is not told of.
  if (type?.root.kind === "global" && type.depth === 1 && /^(number|boolean|literal|int|float|bool)$/.test(type.segment)) return NOTHING;
  for (const { id, source } of run.knowledge.of(type)?.types ?? []) seed(run, fn, index, id, source.fields);
  const instance = type !== null && type.root.kind !== "global" ? type.call() : null;
  const taint = { atom: atomOf(`P${fn.id}:${index}`), mode: COPY, mask: 0, step: null };
  return tainted([taint], instance ?? run.roots.parameter(fn.id, index));
}

/** What a framework gives to a handler of its own: a session of the database (`Depends(get_db)`), or a type of which is known what comes in by it. */
function handedIn(run: Run, { default: given, type }: Parameter): boolean {
  const injects = (node: Expression | null) => node?.kind === "call" && /^(Depends|Security|Provide|Inject)$/.test(lastName(run, node.callee));
  if (injects(given) || injects(type)) return true;
  return type !== null && (run.knowledge.of(run.value(type).sym)?.types.length ?? 0) > 0;
}

/** A decorator is named, or called. */
function knownDecorator(run: Run, node: Expression): Known | null {
  const named = node.kind === "call" ? node.callee : node;
  const known = run.knowledge.of(run.value(named).sym);
  if (known !== null || named.kind !== "member") return known;
  return run.knowledge.method(named.name ?? "", receiverNames(run, named.object));
}

export function seed(run: Run, fn: Fn, index: number, source: number, fields: readonly string[]): void {
  for (const field of fields) run.recorder.seed({ fn: fn.id, index, path: field === "" ? "" : `.${field}`, source, at: fn.at, end: fn.end });
}
