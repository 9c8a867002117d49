import type { Expression } from "../ir.ts";
import { maskOf } from "../kinds.ts";
import { ask } from "./ask.ts";
import { assignment } from "./bind.ts";
import { callOf } from "./calls.ts";
import { classValue, detachedClass } from "./classes.ts";
import { holds } from "./conditions.ts";
import { memberOf } from "./members.ts";
import type { Run } from "./run.ts";
import { concatenated } from "./text.ts";
import { atomOf, COPY, constantOf, DEEP, everyTaint, joined, moved, NOTHING, stepped, tainted, united, type Value } from "./value.ts";

export function valueOfExpression(run: Run, node: Expression): Value {
  switch (node.kind) {
    case "constant":
      return constantOf(node.value);
    case "regex":
      return { ...tainted([], run.roots.global.child("RegExp")?.call() ?? null), text: `/${node.pattern.slice(0, 280)}/${node.flags}`, closed: true };
    case "variable":
      return variable(run, node.id);
    case "global":
      return globalOf(run, node.name, node);
    case "this":
      return run.guarded(run.thisValue);
    case "super":
      return NOTHING;
    case "import":
      return imported(run, node);
    case "exports":
      return run.exportsValue;
    case "member":
      return memberOf(run, node, true).value;
    case "call":
      return callOf(run, node).value;
    case "function":
      return functionValue(run, node.id);
    case "class":
      return classValue(run, node.id);
    case "object":
      return objectOf(run, node);
    case "array":
      return arrayOf(run, node);
    case "concat":
      return concatenated(
        node.parts.map((part) => run.value(part)),
        node,
      );
    case "assign":
      return assignment(run, node);
    case "conditional": {
      const { yes, no } = ask(run, node.test);
      const one = inBranch(run, yes, () => run.value(node.value));
      return joined(
        one,
        inBranch(run, no, () => run.value(node.otherwise)),
      );
    }
    case "logic": {
      const left = ask(run, node.left);
      const right = inBranch(run, node.op === "and" ? left.yes : node.op === "or" ? left.no : new Map(), () => run.value(node.right));
      return node.op === "and" ? right : joined(left.value, right);
    }
    case "not":
    case "typeof":
      run.value(node.value);
      return NOTHING;
    case "compare":
      ask(run, node);
      return NOTHING;
    case "await":
      return run.value(node.value);
    case "yield":
      if (node.value !== null) run.recorder.returned(run.fn, run.value(node.value));
      return NOTHING;
    case "sequence":
      return node.items.reduce((_, item) => run.value(item), NOTHING);
    case "each":
      return comprehension(run, node);
    case "markup":
      return markup(run, node);
    case "opaque":
      for (const part of node.parts) run.value(part);
      return NOTHING;
  }
}

function inBranch(run: Run, guards: ReadonlyMap<string, number>, work: () => Value): Value {
  let value = NOTHING;
  const { layer } = run.branch(() => {
    run.env.allow(guards);
    value = work();
    return false;
  });
  for (const [id, written] of layer.writes) run.env.write(id, joined(run.env.read(id) ?? NOTHING, written));
  return value;
}

function variable(run: Run, id: number): Value {
  const value = run.read(id);
  const known = run.module.variables[id];
  if (!known?.shared || known.owner === run.fn) return value;
  const atom = { port: `V${id}`, path: "", depth: 0, key: `V${id}` };
  return { ...value, taints: united(value.taints, [{ atom, mode: 0, mask: 0, step: null }]) };
}

function globalOf(run: Run, name: string, node: Expression): Value {
  if (name === "arguments" && run.fn !== 0) return allArguments(run);
  const sym = run.roots.global.child(name);
  const known = run.knowledge.of(sym);
  if (known === null || known.reads.length === 0) return tainted([], sym);
  const taints = known.reads.map(({ id }) => run.source(id, node.at, node.end));
  return tainted(taints, sym);
}

/** JavaScript's `arguments`. */
function allArguments(run: Run): Value {
  const count = Math.max(3, run.module.functions[run.fn]?.parameters.length ?? 0);
  const fields = new Map<string, Value>();
  for (let index = 0; index < Math.min(count, 10); index++)
    fields.set(String(index), tainted([{ atom: atomOf(`P${run.fn}:${index}`), mode: COPY, mask: 0, step: null }]));
  return { ...NOTHING, fields };
}

function imported(run: Run, node: Expression & { kind: "import" }): Value {
  if (node.module === null) {
    const value = node.computed === null ? NOTHING : run.value(node.computed);
    run.outline.imported(typeof value.constant === "string" ? value.constant : "", [], node.at, true);
    run.outline.dynamicImport(value, node.at);
    return typeof value.constant === "string" ? tainted([], run.roots.module(value.constant)) : NOTHING;
  }
  run.outline.imported(node.module, [], node.at, false);
  return tainted([], run.roots.module(node.module));
}

function functionValue(run: Run, id: number): Value {
  const fn = run.module.functions[id];
  if (fn === undefined) return NOTHING;
  const detached = run.detached.get(id);
  if (detached !== undefined) detachedClass(run, detached.classId);
  else if (!run.evaluated.has(id)) {
    run.evaluated.add(id);
    if (run.fn === 0) run.later.push({ fn, env: run.env, thisValue: run.thisValue });
    else run.call(fn, null);
  }
  return tainted([], run.functionSym(id));
}

function objectOf(run: Run, node: Expression & { kind: "object" }): Value {
  const fields = new Map<string, Value>();
  let spread = NOTHING;
  let closed = true;
  for (const { name, computed, value } of node.properties) {
    if (name !== null) {
      run.around.push(name);
      const given = run.value(value);
      fields.set(name, given);
      propertyChecks(run, name, given, value);
      run.around.pop();
      continue;
    }
    if (computed !== null) run.value(computed);
    const given = run.value(value);
    closed &&= computed === null && given.closed;
    spread = { ...spread, taints: united(spread.taints, given.taints) };
    if (computed === null && given.fields !== null) for (const [key, each] of given.fields) fields.set(key, each);
  }
  return { ...NOTHING, taints: spread.taints, fields, closed };
}

/** `{rejectUnauthorized: false}` is wrong wherever it is used. */
function propertyChecks(run: Run, name: string, value: Value, node: Expression): void {
  for (const { checks, receiver } of run.knowledge.writes.get(name) ?? []) {
    if (receiver !== null) continue;
    const given = { values: [value], named: new Map(), receiver: null, open: false, around: [...run.around].reverse(), mentions: () => [] };
    for (const check of checks) if (check.when.every((each) => holds(each, given))) run.tell(check, node, name, node);
  }
}

function arrayOf(run: Run, node: Expression & { kind: "array" }): Value {
  const fields = new Map<string, Value>();
  let taints: Value["taints"] = [];
  let optionsOver = false;
  node.items.forEach(({ value, kind }, index) => {
    const given = run.value(value);
    // Behind `--` a program reads no options.
    const item = optionsOver ? { ...given, taints: moved(given.taints, COPY, OPTION) } : given;
    optionsOver ||= given.constant === "--";
    if (kind === "plain" && index < 100) fields.set(String(index), item);
    else taints = united(taints, kind === "plain" ? everyTaint(item) : item.taints);
    if (kind !== "plain" && item.fields !== null) for (const each of item.fields.values()) taints = united(taints, everyTaint(each));
  });
  return { ...NOTHING, taints, fields, closed: node.items.every(({ kind }) => kind === "plain") };
}

function comprehension(run: Run, node: Expression & { kind: "each" }): Value {
  run.bind(node.target, elementOf(run.value(node.over)));
  const guards = node.test === null ? new Map() : ask(run, node.test).yes;
  const value = inBranch(run, guards, () => run.value(node.value));
  return { ...NOTHING, taints: everyTaint(value) };
}

/** One of a collection. */
export function elementOf(value: Value): Value {
  let element = tainted(value.taints);
  if (value.fields !== null) for (const each of value.fields.values()) element = joined(element, each);
  return element;
}

function markup(run: Run, node: Expression & { kind: "markup" }): Value {
  for (const { name, value } of node.attributes) {
    const given = run.value(value);
    for (const known of (name !== null && run.knowledge.attributes.get(name)) || []) {
      const [slot] = known.sink.arguments;
      const part = slot?.field === undefined ? given : (given.fields?.get(slot.field) ?? NOTHING);
      run.recorder.reaches(known, stepped(part.taints, "passed", name ?? "", value.at, value.end), value, `${node.tag}.${name}`, run.fn);
    }
  }
  let inside: Value["taints"] = [];
  for (const child of node.children) inside = united(inside, run.value(child).taints);
  // Text in markup is escaped by whoever renders it.
  return tainted(moved(inside, DEEP, HTML));
}
const HTML = maskOf(["html"]);
const OPTION = maskOf(["argument"]);
