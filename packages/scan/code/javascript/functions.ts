/** Functions, their parameters, and classes. */
import type * as Oxc from "oxc-parser";
import type { Class, Expression, Fn, Parameter, Statement } from "../ir.ts";
import { type FunctionNode, keyName, type Lowering } from "./lowering.ts";
import { lowerType } from "./patterns.ts";
import { blockNames, hoistedNames, patternNames } from "./scope.ts";

export function lowerFunction(lowering: Lowering, node: FunctionNode, name: string, owner: number | null, decorators: readonly Expression[] = []): number {
  const id = lowering.functions.length;
  const place = { at: node.start, end: node.end };
  const draft: Fn = { id, name: node.id?.name ?? name, parameters: [], body: [], owner, generator: node.generator, decorators, ...place };
  lowering.functions.push(draft);
  const outer = lowering.owner;
  // An arrow sees the `this` around it.
  lowering.owner = node.type === "ArrowFunctionExpression" ? outer : owner;
  lowering.hint = "";
  lowering.scopes.within(id, () => {
    const own = bindNames(lowering, node);
    // `module.exports = function merge() { … merge(…) … }` calls itself by a name that nobody else sees.
    const body: Statement[] = own === null ? [] : [{ kind: "function", variable: own, id, ...place }];
    const parameters = node.params.map((parameter) => lowerParameter(lowering, parameter, body));
    if (node.body?.type === "BlockStatement") for (const statement of node.body.body) lowering.statement(statement, body);
    else if (node.body !== null) body.push({ kind: "return", value: lowering.expression(node.body), at: node.body.start, end: node.body.end });
    lowering.functions[id] = { ...draft, owner: owner ?? lowering.owner, parameters, body };
  });
  lowering.owner = outer;
  return id;
}

/** Of a function that has a name to itself, the variable of that name, where nothing in it is called so as well. */
function bindNames(lowering: Lowering, node: FunctionNode): number | null {
  const names: string[] = [];
  for (const parameter of node.params) patternNames(parameter, names);
  if (node.body?.type === "BlockStatement") {
    hoistedNames(node.body.body, names);
    blockNames(node.body.body, names);
  }
  for (const name of names) lowering.scopes.bind(name);
  const own = node.type === "FunctionExpression" && node.id !== null ? node.id.name : null;
  return own === null || names.includes(own) ? null : lowering.scopes.bind(own);
}

function lowerParameter(lowering: Lowering, node: Oxc.ParamPattern, body: Statement[]): Parameter {
  const decorators = (node.decorators ?? []).map(({ expression }) => lowering.expression(expression));
  if (node.type === "TSParameterProperty") {
    const parameter = lowerParameter(lowering, node.parameter, body);
    const place = { at: node.start, end: node.end };
    // `constructor(private db: Db)` keeps what it is given.
    if (parameter.target.kind === "variable") {
      const target = { kind: "member" as const, object: { kind: "this" as const, ...place }, name: parameter.name, computed: null, ...place };
      const value = { kind: "variable" as const, id: parameter.target.id, ...place };
      body.push({ kind: "expression", value: { kind: "assign", target, value, op: "=", ...place }, ...place });
    }
    return { ...parameter, decorators: [...decorators, ...parameter.decorators] };
  }
  const plain = node.type === "AssignmentPattern" ? node.left : node.type === "RestElement" ? node.argument : node;
  return {
    target: lowering.pattern(plain),
    name: plain.type === "Identifier" ? plain.name : "",
    default: node.type === "AssignmentPattern" ? lowering.expression(node.right) : null,
    kind: node.type === "RestElement" ? "rest" : "plain",
    type: lowerType(lowering, plain.typeAnnotation ?? node.typeAnnotation),
    decorators,
  };
}

export function lowerClass(lowering: Lowering, node: Oxc.Class): number {
  const id = lowering.classes.length;
  const name = node.id?.name ?? lowering.hint;
  lowering.hint = "";
  const place = { at: node.start, end: node.end };
  lowering.classes.push({ id, name, bases: [], methods: [], fields: [], decorators: [], ...place });
  const decorators = (node.decorators ?? []).map(({ expression }) => lowering.expression(expression));
  const bases = node.superClass === null ? [] : [lowering.expression(node.superClass)];
  const methods: Class["methods"][number][] = [];
  const fields: Class["fields"][number][] = [];
  const outer = lowering.owner;
  lowering.owner = id;
  for (const element of node.body.body) lowerElement(lowering, element, id, methods, fields);
  lowering.owner = outer;
  lowering.classes[id] = { id, name, bases, methods, fields, decorators, ...place };
  return id;
}

function lowerElement(lowering: Lowering, element: Oxc.ClassElement, id: number, methods: Class["methods"][number][], fields: Class["fields"][number][]): void {
  switch (element.type) {
    case "MethodDefinition": {
      if (element.value.body === null) return; // an overload's signature
      const name = keyName(element.key, element.computed) ?? "";
      const decorators = (element.decorators ?? []).map(({ expression }) => lowering.expression(expression));
      const fn = lowerFunction(lowering, element.value, name, id, decorators);
      const kind = element.kind === "get" ? "getter" : element.kind === "set" ? "setter" : "method";
      methods.push({ name: element.kind === "constructor" ? "constructor" : name, fn, static: element.static, kind });
      return;
    }
    case "PropertyDefinition":
    case "AccessorProperty": {
      const name = keyName(element.key, element.computed) ?? "";
      const value = element.value;
      // `handle = (req) => …` is a method for whoever calls it.
      if (value !== null && (value.type === "ArrowFunctionExpression" || value.type === "FunctionExpression")) {
        methods.push({ name, fn: lowerFunction(lowering, value, name, id), static: element.static, kind: "method" });
        return;
      }
      const type = lowerType(lowering, element.typeAnnotation);
      fields.push({ name, value: value === null ? null : lowering.named(value, name), static: element.static, type });
      return;
    }
    case "StaticBlock": {
      const place = { at: element.start, end: element.end };
      const fn = lowering.functions.length;
      const draft: Fn = { id: fn, name: "", parameters: [], body: [], owner: id, generator: false, decorators: [], ...place };
      lowering.functions.push(draft);
      lowering.scopes.within(fn, () => {
        const names: string[] = [];
        hoistedNames(element.body, names);
        blockNames(element.body, names);
        for (const name of names) lowering.scopes.bind(name);
        lowering.functions[fn] = { ...draft, body: lowering.statements(element.body) };
      });
      methods.push({ name: "", fn, static: true, kind: "method" });
    }
  }
}
