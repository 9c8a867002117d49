import type { SyntaxNode } from "@lezer/common";
import type { Argument, Class, Expression, Fn, Pattern, Statement } from "../ir.ts";
import { MAX_DEPTH } from "../ir.ts";
import type { MutableVariable, Scope } from "./scope.ts";

/** What one file's lowering holds while it works. The parts of the grammar know each other by way of `Parts` alone. */
export interface Lowering {
  readonly text: string;
  /** Whether `:=` stands in it anywhere: few files need to be searched for names that expressions bind. */
  readonly walruses: boolean;
  readonly variables: MutableVariable[];
  /** A hole while the function is being lowered. */
  readonly functions: (Fn | null)[];
  readonly classes: (Class | null)[];
  readonly parts: Parts;
  scope: Scope;
  /** The function whose body this is. */
  fn: { readonly id: number; readonly owner: number | null; generator: boolean };
  /** Of statements and expressions together. */
  depth: number;
  /** Where something lay too deep; -1: nowhere. */
  tooDeep: number;
}

export interface Parts {
  expression(l: Lowering, node: SyntaxNode): Expression;
  /** `a, *b`: what stands side by side without brackets. */
  listed(l: Lowering, nodes: readonly SyntaxNode[], at: number, end: number): Expression;
  argument(l: Lowering, nodes: readonly SyntaxNode[]): Argument[];
  pattern(l: Lowering, nodes: readonly SyntaxNode[]): Pattern;
  statements(l: Lowering, nodes: readonly SyntaxNode[]): Statement[];
  lambda(l: Lowering, node: SyntaxNode): number;
}

/** Does one level deeper; where that is too deep, says so and gives `otherwise`. */
export function deeper<Result>(l: Lowering, node: SyntaxNode, work: () => Result, otherwise: () => Result): Result {
  if (l.depth >= MAX_DEPTH) {
    if (l.tooDeep < 0) l.tooDeep = node.from;
    return otherwise();
  }
  l.depth++;
  const result = work();
  l.depth--;
  return result;
}

export function textOf(l: Lowering, node: { readonly from: number; readonly to: number }): string {
  return l.text.slice(node.from, node.to);
}

export const opaque = (node: { readonly from: number; readonly to: number }, parts: readonly Expression[] = []): Expression => ({
  kind: "opaque",
  parts,
  at: node.from,
  end: node.to,
});
