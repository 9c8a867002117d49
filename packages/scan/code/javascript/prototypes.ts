/**
 * Classes from before there were classes: `function Foo() { this.x = … }`, with `Foo.prototype.bar = function () { … }` or
 * `Foo.prototype = {bar: function () { … }}`. Told as classes, so that `this.x` in one method is what another wrote.
 */
import type { Class, Expression, Fn, Statement, Variable } from "../ir.ts";

interface Draft {
  readonly constructorFn: number;
  readonly name: string;
  readonly methods: Map<string, number>;
}

/** Changes `functions` (whose method they are) and adds to `classes`. */
export function addPrototypeClasses(functions: Fn[], classes: Class[], variables: readonly Variable[]): void {
  const constructors = new Map<number, number>();
  const drafts = new Map<number, Draft>();
  for (const { body } of functions) for (const statement of body) noteConstructor(statement, constructors);
  for (const { body } of functions)
    for (const statement of body) {
      if (statement.kind !== "expression" || statement.value.kind !== "assign") continue;
      const { target, value } = statement.value;
      if (target.kind !== "member" || target.name === null) continue;
      const direct = prototypeOf(target.object);
      if (direct !== null && value.kind === "function") methodsOf(direct, constructors, drafts, variables)?.set(target.name, value.id);
      else if (target.name === "prototype" && target.object.kind === "variable" && value.kind === "object") {
        const methods = methodsOf(target.object.id, constructors, drafts, variables);
        for (const { name, value: each } of value.properties) if (name !== null && each.kind === "function") methods?.set(name, each.id);
      }
    }
  for (const draft of drafts.values()) if (draft.methods.size > 0) classes.push(classFrom(draft, functions, classes.length));
}

function noteConstructor(statement: Statement, constructors: Map<number, number>): void {
  if (statement.kind === "function") constructors.set(statement.variable, statement.id);
  else if (statement.kind === "expression" && statement.value.kind === "assign") {
    let { value } = statement.value;
    const { target } = statement.value;
    // `exports.Foo = Foo = function …`, `var Foo = module.exports = function …`.
    for (let depth = 0; depth < 4 && value.kind === "assign"; depth++) value = value.value;
    if (target.kind === "variable" && value.kind === "function") constructors.set(target.id, value.id);
  }
}

/** The variable `Foo` of `Foo.prototype`. */
function prototypeOf(node: Expression): number | null {
  return node.kind === "member" && node.name === "prototype" && node.object.kind === "variable" ? node.object.id : null;
}

function methodsOf(
  variable: number,
  constructors: ReadonlyMap<number, number>,
  drafts: Map<number, Draft>,
  variables: readonly Variable[],
): Map<string, number> | null {
  const constructorFn = constructors.get(variable);
  if (constructorFn === undefined) return null;
  let draft = drafts.get(variable);
  if (draft === undefined) {
    draft = { constructorFn, name: variables[variable]?.name ?? "", methods: new Map() };
    drafts.set(variable, draft);
  }
  return draft.methods;
}

function classFrom({ constructorFn, name, methods }: Draft, functions: Fn[], id: number): Class {
  const all = [["constructor", constructorFn] as const, ...methods];
  for (const [, fn] of all) {
    const known = functions[fn];
    if (known !== undefined) functions[fn] = { ...known, owner: id };
  }
  const { at, end } = functions[constructorFn] as Fn;
  return {
    id,
    name,
    bases: [],
    methods: all.map(([method, fn]) => ({ name: method, fn, static: false, kind: "method" })),
    fields: [],
    decorators: [],
    detached: true,
    at,
    end,
  };
}
