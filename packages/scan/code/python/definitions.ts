import type { SyntaxNode } from "@lezer/common";
import type { Expression, Parameter, Statement } from "../ir.ts";
import { annotation } from "./annotations.ts";
import { bindAll } from "./bindings.ts";
import { argumentsOf } from "./calls.ts";
import { type Lowering, opaque, textOf } from "./context.ts";
import { bind, type Members, openScope, THIS } from "./scope.ts";
import { cutAt, indexOf, kids } from "./tree.ts";

/** A function or a class, with its decorators. In a class a function is a method. */
export function lowerDefinition(l: Lowering, node: SyntaxNode, into: Statement[]): void {
  const all = kids(node);
  const decorated = node.name === "DecoratedStatement";
  const inner = decorated ? all.at(-1) : node;
  const decorators = decorated ? all.filter(({ name }) => name === "Decorator").map((each) => decorator(l, each)) : [];
  if (inner?.name === "ClassDefinition") lowerClass(l, inner, decorators, into);
  else if (inner?.name === "FunctionDefinition") lowerFunction(l, inner, decorators, into);
}

/** `@a.b.c(d)`, which the parser leaves in pieces. */
function decorator(l: Lowering, node: SyntaxNode): Expression {
  const [first, ...rest] = kids(node).filter(({ name }) => name !== "At" && name !== "." && name !== "⚠");
  if (!first) return opaque(node);
  return rest.reduce<Expression>(
    (value, each) => {
      const place = { at: node.from, end: each.to };
      if (each.name === "ArgList") return { kind: "call", callee: value, arguments: argumentsOf(l, kids(each)), construct: false, ...place };
      return { kind: "member", object: value, name: textOf(l, each), computed: null, ...place };
    },
    l.parts.expression(l, first),
  );
}

function lowerFunction(l: Lowering, node: SyntaxNode, decorators: readonly Expression[], into: Statement[]): void {
  const nameNode = kids(node).find(({ name }) => name === "VariableName");
  const name = nameNode ? textOf(l, nameNode) : "";
  const members = l.scope.kind === "class" ? l.scope.members : null;
  const words = decorators.map(lastWord);
  const bare = words.includes("staticmethod");
  const id = functionOf(l, node, name, decorators, members && { classId: members.id, self: !bare });
  if (!members) {
    into.push({ kind: "function", variable: bind(l, l.scope, name), id, at: node.from, end: node.to });
    return;
  }
  const kind = words.some((word) => /^(?:cached_)?property$/.test(word)) ? "getter" : words.includes("setter") ? "setter" : "method";
  members.methods.push({ name: name === "__init__" ? "constructor" : name, fn: id, static: bare || words.includes("classmethod"), kind });
  const variable = l.scope.names.get(name);
  if (variable !== undefined && variable !== THIS) into.push({ kind: "function", variable, id, at: node.from, end: node.to });
}

function lastWord(decorator: Expression): string {
  const at = decorator.kind === "call" ? decorator.callee : decorator;
  return at.kind === "global" || at.kind === "member" ? (at.name ?? "") : "";
}

export function lowerLambda(l: Lowering, node: SyntaxNode): number {
  return functionOf(l, node, "", [], null);
}

/** Defaults, annotations and decorators belong to what stands around; names of the body are bound before it is looked at. */
function functionOf(l: Lowering, node: SyntaxNode, name: string, decorators: readonly Expression[], method: { classId: number; self: boolean } | null): number {
  const id = l.functions.push(null) - 1;
  const all = kids(node);
  const list = all.find((each) => each.name === "ParamList");
  const scope = openScope("function", id, l.scope);
  const given = list ? parameterNodes(list) : [];
  const numbers = new Set(decorators.flatMap(convertedNames));
  const drafts = given.map((part) => draft(l, part)).map((each) => (each.type === null && numbers.has(each.name) ? { ...each, type: INT } : each));
  const [outerScope, outerFn] = [l.scope, l.fn];
  const takesSelf = method?.self === true && drafts[0]?.kind === "plain";
  if (takesSelf) scope.names.set(drafts[0]?.name ?? "", THIS);
  const parameters = drafts
    .slice(takesSelf ? 1 : 0)
    .map(({ node: of, ...rest }): Parameter => ({ ...rest, target: { kind: "variable", id: bind(l, scope, rest.name), at: of.from, end: of.to } }));
  const body = all.find((each) => each.name === "Body");
  if (body) bindAll(l, kids(body), scope);
  l.scope = scope;
  l.fn = { id, owner: method ? method.classId : outerFn.owner, generator: false };
  const statements = body ? l.parts.statements(l, kids(body)) : lambdaBody(l, all);
  l.functions[id] = { id, name, parameters, body: statements, owner: l.fn.owner, generator: l.fn.generator, decorators, at: node.from, end: node.to };
  [l.scope, l.fn] = [outerScope, outerFn];
  return id;
}

/** `@app.route("/item/<int:id>")`: what a path's own converter lets through is a number. */
function convertedNames(decorator: Expression): string[] {
  const path = decorator.kind === "call" ? decorator.arguments[0]?.value : null;
  if (path?.kind !== "constant" || typeof path.value !== "string") return [];
  return [...path.value.matchAll(/<(?:int|float|uuid)(?:\([^)<]{0,60}\))?:(\w{1,80})>/g)].map(([, name]) => name as string);
}
const INT: Expression = { kind: "global", name: "int", at: 0, end: 0 };

function lambdaBody(l: Lowering, all: readonly SyntaxNode[]): Statement[] {
  const rest = all.slice(indexOf(all, ":") + 1);
  const [first] = rest;
  if (!first) return [];
  const value = l.parts.listed(l, rest, first.from, rest.at(-1)?.to ?? first.to);
  return [{ kind: "return", value, at: value.at, end: value.end }];
}

function parameterNodes(list: SyntaxNode): SyntaxNode[][] {
  return cutAt(
    kids(list).filter(({ name }) => name !== "(" && name !== ")"),
    ",",
  ).filter((part) => part.some(({ name }) => name === "VariableName"));
}

function draft(l: Lowering, part: readonly SyntaxNode[]): Omit<Parameter, "target"> & { node: SyntaxNode } {
  const node = part.find(({ name }) => name === "VariableName") as SyntaxNode;
  const type = part.find(({ name }) => name === "TypeDef");
  const equals = indexOf(part, "AssignOp");
  const [first] = part;
  return {
    node,
    name: textOf(l, node),
    kind: first?.name === "*" ? "rest" : first?.name === "**" ? "keywords" : "plain",
    default: equals >= 0 && part[equals + 1] ? l.parts.expression(l, part[equals + 1] as SyntaxNode) : null,
    type: type ? annotation(l, type) : null,
    decorators: [],
  };
}

function lowerClass(l: Lowering, node: SyntaxNode, decorators: readonly Expression[], into: Statement[]): void {
  const all = kids(node);
  const nameNode = all.find(({ name }) => name === "VariableName");
  const name = nameNode ? textOf(l, nameNode) : "";
  const list = all.find((each) => each.name === "ArgList");
  const bases = list
    ? argumentsOf(l, kids(list))
        .filter(({ name, kind }) => name === null && kind === "plain")
        .map(({ value }) => value)
    : [];
  const id = l.classes.push(null) - 1;
  const variable = l.scope.kind === "class" ? null : bind(l, l.scope, name);
  const members: Members = { name, id, methods: [], fields: [] };
  const outer = l.scope;
  l.scope = openScope("class", outer.fn, outer, members);
  const body = all.find((each) => each.name === "Body");
  const inner = body ? kids(body) : [];
  bindAll(l, inner, l.scope);
  for (const each of l.parts.statements(l, inner)) into.push(each);
  l.scope = outer;
  l.classes[id] = { id, name, bases, methods: members.methods, fields: members.fields, decorators, at: node.from, end: node.to };
  into.push({ kind: "class", variable: variable ?? bind(l, outer, name), id, at: node.from, end: node.to });
  outer.members?.fields.push({ name, value: { kind: "class", id, at: node.from, end: node.to }, static: true, type: null });
}
