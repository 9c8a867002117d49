import type { SyntaxNode } from "@lezer/common";
import type { Argument, Expression, Property } from "../ir.ts";
import { MAX_DEPTH } from "../ir.ts";
import { callOf } from "./calls.ts";
import { comprehension } from "./comprehensions.ts";
import { deeper, type Lowering, opaque, textOf } from "./context.ts";
import { numberValue, stringValue } from "./literals.ts";
import { lowerBinary } from "./operators.ts";
import { resolve, THIS } from "./scope.ts";
import { formatted, joined } from "./text-expressions.ts";
import { cutAt, indexOf, kids } from "./tree.ts";

export function lowerExpression(l: Lowering, node: SyntaxNode): Expression {
  return deeper(
    l,
    node,
    () => expressionOf(l, node),
    () => opaque(node),
  );
}

function expressionOf(l: Lowering, node: SyntaxNode): Expression {
  const place = { at: node.from, end: node.to };
  switch (node.name) {
    case "VariableName":
      return named(l, textOf(l, node), place);
    case "String":
      return { kind: "constant", value: stringValue(textOf(l, node)), ...place };
    case "Number":
      return { kind: "constant", value: numberValue(textOf(l, node)), ...place };
    case "Boolean":
      return { kind: "constant", value: textOf(l, node) === "True", ...place };
    case "None":
      return { kind: "constant", value: null, ...place };
    case "FormatString":
      return formatted(l, node);
    case "ContinuedString":
      return joined(l, node);
    case "MemberExpression":
      return member(l, node);
    case "CallExpression":
      return callOf(l, node);
    case "BinaryExpression":
      return lowerBinary(l, node);
    case "UnaryExpression":
      return unary(l, node);
    case "ConditionalExpression":
      return conditional(l, node);
    case "ParenthesizedExpression":
      return l.parts.listed(l, inside(node), node.from, node.to);
    case "TupleExpression":
    case "ArrayExpression":
    case "SetExpression":
      return { kind: "array", items: listItems(l, inside(node)), ...place };
    case "DictionaryExpression":
      return { kind: "object", properties: dictionary(l, inside(node)), ...place };
    case "ArrayComprehensionExpression":
    case "SetComprehensionExpression":
    case "DictionaryComprehensionExpression":
    case "ComprehensionExpression":
      return comprehension(l, inside(node), node);
    case "LambdaExpression":
      return { kind: "function", id: l.parts.lambda(l, node), ...place };
    case "AwaitExpression":
      return { kind: "await", value: l.parts.listed(l, kids(node).slice(1), node.from, node.to), ...place };
    case "YieldExpression":
    case "YieldStatement":
      return yielded(l, node);
    case "NamedExpression":
      return walrus(l, node);
    default:
      return opaque(node);
  }
}

export function named(l: Lowering, name: string, place: { at: number; end: number }): Expression {
  const id = resolve(l.scope, name);
  if (id === null) return { kind: "global", name, ...place };
  return id === THIS ? { kind: "this", ...place } : { kind: "variable", id, ...place };
}

/** What stands between a node's brackets. */
function inside(node: SyntaxNode): SyntaxNode[] {
  const all = kids(node);
  const closed = /^[)\]}]$/.test(all.at(-1)?.name ?? "");
  return all.slice(1, closed ? -1 : undefined);
}

/** `a, *b` without brackets: a tuple where there is a comma, else the one expression. */
export function listed(l: Lowering, nodes: readonly SyntaxNode[], at: number, end: number): Expression {
  if (indexOf(nodes, ",") < 0) {
    const [first] = nodes;
    if (first && nodes.length === 1) return lowerExpression(l, first);
    if (indexOf(nodes, "for") > 0) return comprehension(l, nodes, { from: at, to: end });
    const rest = nodes.filter(({ name }) => name !== "*");
    return rest.length === 1
      ? lowerExpression(l, rest[0] as SyntaxNode)
      : opaque(
          { from: at, to: end },
          rest.map((each) => lowerExpression(l, each)),
        );
  }
  return { kind: "array", items: listItems(l, nodes), at, end };
}

function listItems(l: Lowering, nodes: readonly SyntaxNode[]): Argument[] {
  return cutAt(nodes, ",").map((part) => {
    const value = lowerExpression(l, part.at(-1) as SyntaxNode);
    return { value, kind: part[0]?.name === "*" ? "spread" : "plain", name: null };
  });
}

function dictionary(l: Lowering, nodes: readonly SyntaxNode[]): Property[] {
  return cutAt(nodes, ",").map((part) => {
    const value = lowerExpression(l, part.at(-1) as SyntaxNode);
    const [key] = part;
    if (!key || key.name === "**" || part.length < 2) return { name: null, computed: null, value };
    const name = lowerExpression(l, key);
    return name.kind === "constant" && typeof name.value === "string" ? { name: name.value, computed: null, value } : { name: null, computed: name, value };
  });
}

/** `a.b`, `a["b"]`, `a[0]`, `a[x]`, `a[1:2]`, `a[b, c]`. */
function member(l: Lowering, node: SyntaxNode): Expression {
  const [object, dot, ...rest] = kids(node);
  const place = { at: node.from, end: node.to };
  if (!object) return opaque(node);
  const of = lowerExpression(l, object);
  if (dot?.name === ".") return { kind: "member", object: of, name: rest[0] ? textOf(l, rest[0]) : null, computed: null, ...place };
  const index = rest.filter(({ name }) => name !== "]" && name !== "⚠");
  if (index.length !== 1) {
    const parts = index.filter(({ name }) => name !== ":" && name !== ",").map((each) => lowerExpression(l, each));
    // A piece of it is as good as the whole.
    return { kind: "member", object: of, name: null, computed: opaque(node, parts), ...place };
  }
  const key = lowerExpression(l, index[0] as SyntaxNode);
  if (key.kind === "constant" && (typeof key.value === "string" || typeof key.value === "number"))
    return { kind: "member", object: of, name: String(key.value), computed: null, ...place };
  return { kind: "member", object: of, name: null, computed: key, ...place };
}

function unary(l: Lowering, node: SyntaxNode): Expression {
  const all = kids(node);
  const place = { at: node.from, end: node.to };
  if (all.length < 2) return opaque(node);
  const value = lowerExpression(l, all.at(-1) as SyntaxNode);
  if (all[0]?.name === "not") return { kind: "not", value, ...place };
  if (value.kind === "constant" && typeof value.value === "number" && textOf(l, all[0] as SyntaxNode) === "-")
    return { ...value, value: -value.value, ...place };
  return opaque(node, [value]);
}

function conditional(l: Lowering, node: SyntaxNode): Expression {
  const all = kids(node);
  const [value, , test, , otherwise] = all;
  if (!value || !test || !otherwise)
    return opaque(
      node,
      all.filter(({ name }) => /Expression$|Name$/.test(name)).map((each) => lowerExpression(l, each)),
    );
  const asked = lowerExpression(l, test);
  return { kind: "conditional", test: asked, value: lowerExpression(l, value), otherwise: lowerExpression(l, otherwise), at: node.from, end: node.to };
}

function yielded(l: Lowering, node: SyntaxNode): Expression {
  l.fn.generator = true;
  const all = kids(node).slice(1);
  const from = all[0]?.name === "from";
  const rest = from ? all.slice(1) : all;
  const value = rest.length === 0 ? null : l.parts.listed(l, rest, node.from, node.to);
  return { kind: "yield", value, at: node.from, end: node.to };
}

function walrus(l: Lowering, node: SyntaxNode): Expression {
  const [name, , value] = kids(node);
  if (!name || !value) return opaque(node);
  return { kind: "assign", target: l.parts.pattern(l, [name]), value: lowerExpression(l, value), op: "=", at: node.from, end: node.to };
}

/** So many terms side by side are one; more are generated code, of which the rest is left out by name. */
export const MAX_TERMS = MAX_DEPTH;
