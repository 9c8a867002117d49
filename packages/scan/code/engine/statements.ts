import type { Statement } from "../ir.ts";
import { EVERY_KIND } from "../kinds.ts";
import { ask } from "./ask.ts";
import { classValue, detachedClass } from "./classes.ts";
import { Environment } from "./environment.ts";
import { elementOf } from "./expressions.ts";
import type { Run } from "./run.ts";
import { everyTaint, joined, moved, NOTHING, TEXT, tainted, type Value } from "./value.ts";

/** Whether what follows is not reached. What is not reached is still looked at: a guess about what ends must cost no finding. */
export function runStatements(run: Run, list: readonly Statement[]): boolean {
  for (const statement of list)
    if (statement.kind === "function") {
      run.env.write(statement.variable, tainted([], run.functionSym(statement.id)));
      const fn = run.module.functions[statement.id];
      const detached = run.detached.get(statement.id);
      if (detached !== undefined) detachedClass(run, detached.classId);
      else if (fn !== undefined && !run.again) run.hoisted.push(fn);
    }
  let ends = false;
  for (const statement of list) {
    if (run.exhausted) return ends;
    ends = runStatement(run, statement) || ends;
  }
  return ends;
}

function runStatement(run: Run, node: Statement): boolean {
  switch (node.kind) {
    case "expression":
      run.value(node.value);
      return run.left === node.value;
    case "import": {
      if (node.erased && node.bindings.length === 0) return false;
      const root = run.roots.module(node.module);
      if (!node.erased)
        run.outline.imported(
          node.module,
          node.bindings.map(({ member }) => member ?? "*"),
          node.at,
          false,
        );
      for (const { member, variable } of node.bindings) run.env.write(variable, tainted([], member === null ? root : root.child(member)));
      return false;
    }
    case "export":
      run.exported.set(node.name, run.value(node.value));
      return false;
    case "export-all":
      run.stars.push(node.module);
      run.outline.imported(node.module, ["*"], node.at, false);
      return false;
    case "if":
      return runIf(run, node);
    case "loop":
      runLoop(run, node);
      return false;
    case "switch":
      return runSwitch(run, node);
    case "try":
      return runTry(run, node);
    case "return": {
      const value = node.value === null ? NOTHING : run.value(node.value);
      run.returned = joined(run.returned, value);
      run.recorder.returned(run.fn, value);
      run.answers?.set(run.fn, [...(run.answers.get(run.fn) ?? []).slice(-20), { value, node }]);
      return true;
    }
    case "throw":
      if (node.value !== null) run.value(node.value);
      return true;
    case "leave":
      return true;
    case "block":
      return run.statements(node.body);
    case "function":
      return false;
    case "class":
      run.env.write(node.variable, classValue(run, node.id));
      return false;
  }
}

function runIf(run: Run, node: Statement & { kind: "if" }): boolean {
  const { yes, no } = ask(run, node.test);
  const one = run.branch(() => {
    run.env.allow(yes);
    return run.statements(node.body);
  });
  const other = run.branch(() => {
    run.env.allow(no);
    return run.statements(node.otherwise);
  });
  merge(run.env, one, other);
  return one.ends && other.ends;
}

interface Branch {
  readonly layer: Environment;
  readonly ends: boolean;
}

function merge(env: Environment, one: Branch, other: Branch): void {
  if (one.ends && !other.ends) env.absorb(other.layer);
  else if (other.ends && !one.ends) env.absorb(one.layer);
  else env.absorbEither(one.layer, other.layer);
}

/** Twice, so that what the end of a body writes reaches its beginning; but loops in loops are not run four times. */
function runLoop(run: Run, node: Statement & { kind: "loop" }): void {
  const over = node.each === null ? NOTHING : run.value(node.each.over);
  const once = () => {
    const { layer } = run.branch(() => {
      if (node.each !== null) run.bind(node.each.target, node.each.keys ? keysOf(over) : elementOf(over));
      if (node.test !== null) run.env.allow(ask(run, node.test).yes);
      return run.statements(node.body);
    });
    layer.guards.clear();
    run.env.absorbEither(layer, new Environment(run.env));
  };
  run.looping++;
  once();
  if (run.looping === 1 && !run.again) {
    run.again = true;
    once();
    run.again = false;
  }
  run.looping--;
}

function keysOf(over: Value): Value {
  return tainted(moved(over.taints, TEXT));
}

function runSwitch(run: Run, node: Statement & { kind: "switch" }): boolean {
  const { value } = ask(run, node.value);
  const guards = new Map(everyTaint(value).map(({ atom }) => [atom.key, EVERY_KIND]));
  const branches = node.cases.map(({ tests, body }) => {
    const chosen = tests.length > 0 && tests.every((test) => run.value(test).constant !== undefined);
    return run.branch(() => {
      if (chosen) run.env.allow(guards);
      return run.statements(body);
    });
  });
  const whole = node.cases.some(({ tests }) => tests.length === 0);
  let rest: Branch = { layer: new Environment(run.env), ends: whole && branches.every(({ ends }) => ends) };
  for (const branch of branches.reverse()) {
    const layer = new Environment(run.env);
    // `break` ends a body, and the switch goes on behind it.
    layer.absorbEither(branch.layer, rest.layer);
    rest = { layer, ends: rest.ends };
  }
  rest.layer.guards.clear();
  run.env.absorb(rest.layer);
  return false;
}

function runTry(run: Run, node: Statement & { kind: "try" }): boolean {
  const tried = run.branch(() => run.statements(node.body));
  if (node.handler === null) {
    run.env.absorb(tried.layer);
    return run.statements(node.finally) || tried.ends;
  }
  const { handler } = node;
  const caught = run.branch(() => {
    for (const [id, value] of tried.layer.writes) run.env.write(id, joined(run.env.read(id) ?? NOTHING, value));
    if (node.error !== null) run.bind(node.error, NOTHING);
    return run.statements(handler);
  });
  merge(run.env, tried, caught);
  return run.statements(node.finally) || (tried.ends && caught.ends);
}
