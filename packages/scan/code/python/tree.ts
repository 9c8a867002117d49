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

/**
 * Where the first thing stands that the parser did not understand; -1: nowhere. Places where its grammar knows less than Python, and where
 * the tree is right all the same, do not count: a bare `yield`, `with (a as b, c as d):`, and `case a.B():`.
 */
export function firstError(top: SyntaxNode): number {
  let found = -1;
  const cursor = top.cursor();
  do {
    // The parser reads Python 2's `print x` without a complaint.
    if (!cursor.type.isError && cursor.name !== "PrintStatement") continue;
    const parent = cursor.node.parent;
    const name = parent?.name ?? "";
    if (name === "YieldStatement" || name === "YieldExpression" || name.endsWith("Pattern")) continue;
    if (name === "ParenthesizedExpression" && parent?.parent?.name === "WithStatement") continue;
    if (name === "WithStatement" && cursor.node.firstChild?.name === ")") continue;
    found = cursor.from;
  } while (found < 0 && cursor.next());
  return found;
}
