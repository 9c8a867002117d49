import type { SyntaxNode } from "@lezer/common";

/** Children but comments, and but the empty marks of the parser's that something is missing. */
export function kids(node: SyntaxNode): SyntaxNode[] {
  const all: SyntaxNode[] = [];
  for (let child = node.firstChild; child; child = child.nextSibling)
    if (child.name !== "Comment" && !(child.type.isError && child.from === child.to)) all.push(child);
  return all;
}

/** Cut at each of these tokens, which are left out; `a, b,` is two. */
export function cutAt(nodes: readonly SyntaxNode[], name: string): SyntaxNode[][] {
  const parts: SyntaxNode[][] = [[]];
  for (const node of nodes) {
    if (node.name === name) parts.push([]);
    else (parts.at(-1) as SyntaxNode[]).push(node);
  }
  return parts.filter((part) => part.length > 0);
}

/** Of the first with this name; -1: none. */
export function indexOf(nodes: readonly SyntaxNode[], name: string, from = 0): number {
  for (let i = from; i < nodes.length; i++) if ((nodes[i] as SyntaxNode).name === name) return i;
  return -1;
}

/** Where the first thing stands that the parser did not understand; -1: nowhere. */
export function firstError(top: SyntaxNode): number {
  const cursor = top.cursor();
  do {
    // The parser reads Python 2's `print x` without a complaint.
    if (cursor.name === "PrintStatement" || (cursor.type.isError && !harmless(cursor.node))) return cursor.from;
  } while (cursor.next());
  return -1;
}

/**
 * Places where the parser's grammar knows less than Python, and where the tree is good enough all the same: a bare `yield`,
 * `with (a as b, c as d):`, `case a.B():`, `for *_, a in b`.
 */
function harmless(error: SyntaxNode): boolean {
  if (error.firstChild?.name === "*" && !error.firstChild.nextSibling) return true;
  let at = error.parent;
  if (at?.name === "YieldStatement" || at?.name === "YieldExpression") return true;
  for (let steps = 0; at && steps < 12; steps++, at = at.parent) {
    if (at.name === "WithStatement" || at.name === "MatchClause") return true;
    if (at.name === "Body") return false;
  }
  return false;
}
