import type { SyntaxNode } from "@lezer/common";
import type { Expression } from "../ir.ts";
import { targets } from "./bindings.ts";
import { type Lowering, opaque } from "./context.ts";
import { bind, openScope } from "./scope.ts";
import { cutAt, indexOf } from "./tree.ts";

interface Clause {
  readonly target: readonly SyntaxNode[];
  readonly over: readonly SyntaxNode[];
  readonly tests: readonly SyntaxNode[];
}

/** `v for a in b if c for d in e`, in whatever brackets; of `k: v for …` the value. */
export function comprehension(l: Lowering, nodes: readonly SyntaxNode[], place: { readonly from: number; readonly to: number }): Expression {
  const begin = indexOf(nodes, "for");
  const head = nodes.slice(0, begin).filter(({ name }) => name !== "async" && name !== "*" && name !== "**");
  const clauses = clausesOf(nodes.slice(begin));
  if (head.length === 0 || clauses.length === 0) return opaque(place);
  const outer = l.scope;
  l.scope = openScope("each", outer.fn, outer);
  const names: string[] = [];
  for (const { target } of clauses) targets(l, target, names);
  for (const name of names) bind(l, l.scope, name);
  const value = nest(l, clauses, head, place);
  l.scope = outer;
  return value;
}

function nest(
  l: Lowering,
  [clause, ...rest]: readonly Clause[],
  head: readonly SyntaxNode[],
  place: { readonly from: number; readonly to: number },
): Expression {
  if (!clause) {
    const parts = cutAt(head, ":").map((part) => l.parts.listed(l, part, place.from, place.to));
    return parts.at(-1) as Expression;
  }
  // What is gone through is evaluated first; names of its own are not seen from it, which no sane code depends on.
  const over = l.parts.listed(l, clause.over, clause.over[0]?.from ?? place.from, clause.over.at(-1)?.to ?? place.to);
  const target = l.parts.pattern(l, clause.target);
  const test = clause.tests.map((each) => l.parts.expression(l, each)).reduce<Expression | null>((left, right) => (left ? both(left, right) : right), null);
  return { kind: "each", target, over, test, value: nest(l, rest, head, place), at: place.from, end: place.to };
}

const both = (left: Expression, right: Expression): Expression => ({ kind: "logic", op: "and", left, right, at: left.at, end: right.end });

function clausesOf(nodes: readonly SyntaxNode[]): Clause[] {
  return cutAt(nodes, "for").flatMap((part) => {
    const inside = part.filter(({ name }) => name !== "async");
    const at = indexOf(inside, "in");
    const asked = cutAt(inside.slice(at + 1), "if");
    return at < 1 || !asked[0] ? [] : [{ target: inside.slice(0, at), over: asked[0], tests: asked.slice(1).flat() }];
  });
}
