import type { SyntaxNode } from "@lezer/common";
import type { Expression, Pattern, PatternProperty } from "../ir.ts";
import { deeper, type Lowering, textOf } from "./context.ts";
import { bind, resolve, THIS } from "./scope.ts";
import { cutAt, kids } from "./tree.ts";

/** What an assignment, a loop or a `with` binds: `a`, `a.b`, `a[0]`, `a, *b`, `(a, (b, c))`. */
export function lowerPattern(l: Lowering, nodes: readonly SyntaxNode[]): Pattern {
  const [first] = nodes;
  const place = { at: first?.from ?? 0, end: nodes.at(-1)?.to ?? 0 };
  if (!first) return nothing(place);
  if (nodes.length === 1)
    return deeper(
      l,
      first,
      () => single(l, first),
      () => nothing(place),
    );
  const items: Pattern[] = [];
  let rest: Pattern | null = null;
  for (const part of cutAt(nodes, ",")) {
    const bare = part.filter(({ name }) => name !== "*" && name !== "⚠");
    const target = bare.length === 0 ? nothing(place) : lowerPattern(l, bare.slice(0, 1));
    if (bare.length < part.length) rest = target;
    else items.push(target);
  }
  return { kind: "array", items, rest, ...place };
}

function single(l: Lowering, node: SyntaxNode): Pattern {
  const place = { at: node.from, end: node.to };
  switch (node.name) {
    case "VariableName":
      return variable(l, textOf(l, node), place);
    case "MemberExpression": {
      const value = l.parts.expression(l, node);
      return value.kind === "member" ? { ...value } : nothing(place);
    }
    case "TupleExpression":
    case "ArrayExpression": {
      const inner = inside(node);
      return inner.length === 0 ? nothing(place) : lowerPattern(l, inner);
    }
    case "ParenthesizedExpression":
      return lowerPattern(l, inside(node));
    default:
      return nothing(place);
  }
}

function variable(l: Lowering, name: string, place: { at: number; end: number }): Pattern {
  const known = resolve(l.scope, name);
  return { kind: "variable", id: known === null || known === THIS ? bind(l, l.scope, name) : known, ...place };
}

/** Takes a value and keeps it nowhere. */
function nothing(place: { at: number; end: number }): Pattern {
  return { kind: "array", items: [], rest: null, ...place };
}

function inside(node: SyntaxNode): SyntaxNode[] {
  return kids(node).filter(({ name }) => !/^[()[\]]$/.test(name));
}

/** One `case` of a `match`: the values it asks for (null where it asks for a shape), and what it binds of the subject. */
export function lowerCase(l: Lowering, node: SyntaxNode): { tests: Expression[] | null; binds: Pattern | null; wild: boolean } {
  const place = { at: node.from, end: node.to };
  switch (node.name) {
    case "LiteralPattern":
    case "AttributePattern":
      return { tests: [askedFor(l, node)], binds: null, wild: false };
    case "OrPattern": {
      const all = kids(node)
        .filter(({ name }) => name.endsWith("Pattern"))
        .map((each) => lowerCase(l, each));
      return {
        tests: all.every(({ tests }) => tests) ? all.flatMap(({ tests }) => tests as Expression[]) : null,
        binds: all.find(({ binds }) => binds)?.binds ?? null,
        wild: all.some(({ wild }) => wild),
      };
    }
    case "CapturePattern":
      return { tests: null, binds: textOf(l, node) === "_" ? null : variable(l, textOf(l, node), place), wild: true };
    case "AsPattern": {
      const all = kids(node);
      const inner = lowerCase(l, all[0] as SyntaxNode);
      return { tests: inner.tests, binds: variable(l, textOf(l, all.at(-1) as SyntaxNode), place), wild: false };
    }
    default:
      return {
        tests: null,
        binds: deeper(
          l,
          node,
          () => shape(l, node),
          () => null,
        ),
        wild: false,
      };
  }
}

/** Sequences and mappings bind their parts; of a class's pattern every name is bound to a part that goes by no name. */
function shape(l: Lowering, node: SyntaxNode): Pattern | null {
  const place = { at: node.from, end: node.to };
  const bound = (each: SyntaxNode | undefined): Pattern => (each && lowerCase(l, each).binds) || nothing(place);
  const all = kids(node);
  if (node.name === "SequencePattern") {
    const parts = all.filter(({ name }) => name.endsWith("Pattern"));
    const star = parts.find(({ name }) => name === "StarPattern");
    return { kind: "array", items: parts.filter((each) => each !== star).map(bound), rest: star ? bound(kids(star).at(-1)) : null, ...place };
  }
  if (node.name === "MappingPattern") {
    const properties = cutAt(all, ",").flatMap((part): PatternProperty[] => {
      const [key, value] = part.filter(({ name }) => name.endsWith("Pattern"));
      return key && value ? [{ ...keyOf(l, key), target: bound(value) }] : [];
    });
    return { kind: "object", properties, rest: null, ...place };
  }
  if (node.name === "ClassPattern") {
    const list = all.find(({ name }) => name === "PatternArgList");
    const parts = list ? cutAt(kids(list), ",") : [];
    const properties = parts.flat().flatMap((each): PatternProperty[] => classPart(l, each, bound));
    return { kind: "object", properties, rest: null, ...place };
  }
  return null;
}

function classPart(l: Lowering, node: SyntaxNode, bound: (each: SyntaxNode | undefined) => Pattern): PatternProperty[] {
  if (node.name === "KeywordPattern") {
    const [name, ...rest] = kids(node);
    return name ? [{ name: textOf(l, name), computed: null, target: bound(rest.at(-1)) }] : [];
  }
  return node.name.endsWith("Pattern") ? [{ name: null, computed: null, target: bound(node) }] : [];
}

function keyOf(l: Lowering, node: SyntaxNode): { name: string | null; computed: Expression | null } {
  const value = askedFor(l, node);
  return value.kind === "constant" && typeof value.value === "string" ? { name: value.value, computed: null } : { name: null, computed: value };
}

function askedFor(l: Lowering, node: SyntaxNode): Expression {
  const place = { at: node.from, end: node.to };
  const all = kids(node);
  if (node.name === "AttributePattern") {
    const [first, ...rest] = all.filter(({ name }) => name !== ".");
    const start: Expression = first ? l.parts.expression(l, first) : { kind: "opaque", parts: [], ...place };
    return rest.reduce<Expression>((object, name) => ({ kind: "member", object, name: textOf(l, name), computed: null, ...place }), start);
  }
  return all.length === 0 ? { kind: "opaque", parts: [], ...place } : l.parts.expression(l, all.at(-1) as SyntaxNode);
}
