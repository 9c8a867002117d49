import type { SyntaxNode } from "@lezer/common";
import { type Expression, MAX_DEPTH } from "../ir.ts";
import { type Lowering, opaque, textOf } from "./context.ts";
import { percentParts } from "./formats.ts";
import { kids } from "./tree.ts";

/** `a + b`, `a and b`, `a == b`, `"…" % x`, `path / name`. */
export function lowerBinary(l: Lowering, node: SyntaxNode): Expression {
  const { left, op, right } = operands(l, node);
  if (!left || !right) return opaque(node);
  if (op === "+") return sum(l, node);
  if (op === "and" || op === "or") return logic(l, node, op);
  const place = { at: node.from, end: node.to };
  const first = l.parts.expression(l, left);
  const second = l.parts.expression(l, right);
  const compared = COMPARISONS.get(op);
  if (compared) return { kind: "compare", op: compared, left: first, right: second, ...place };
  switch (op) {
    case "%":
      return formats(left) || second.kind === "array" || second.kind === "object" ? percent(first, second, place) : opaque(node, [first, second]);
    case "/":
      // pathlib's. Numbers that are divided lose what they came from elsewhere.
      return { kind: "concat", form: "plus", parts: [first, { kind: "constant", value: "/", at: left.to, end: right.from }, second], ...place };
    case "|":
      return { kind: "logic", op: "or", left: first, right: second, ...place };
    default:
      return opaque(node, [first, second]);
  }
}

const COMPARISONS = new Map<string, "equal" | "unequal" | "less" | "in" | "not-in">([
  ...(["==", "is"] as const).map((op) => [op, "equal"] as const),
  ...(["!=", "<>", "is not"] as const).map((op) => [op, "unequal"] as const),
  ...(["<", "<=", ">", ">="] as const).map((op) => [op, "less"] as const),
  ["in", "in"],
  ["not in", "not-in"],
]);

function operands(l: Lowering, node: SyntaxNode): { left: SyntaxNode | null; op: string; right: SyntaxNode | null } {
  const all = kids(node);
  if (all.length < 3) return { left: null, op: "", right: null };
  const op = all
    .slice(1, -1)
    .map((each) => textOf(l, each))
    .join(" ");
  return { left: all[0] as SyntaxNode, op, right: all.at(-1) as SyntaxNode };
}

/** The terms of `a + b + c`, left to right, without a level of depth for each. */
function terms(l: Lowering, node: SyntaxNode, op: string): SyntaxNode[] {
  const found: SyntaxNode[] = [];
  let at = node;
  for (;;) {
    const { left, op: here, right } = at.name === "BinaryExpression" ? operands(l, at) : { left: null, op: "", right: null };
    if (here !== op || !left || !right) break;
    found.push(right);
    at = left;
  }
  return [...found, at].reverse().map((each) => each);
}

function sum(l: Lowering, node: SyntaxNode): Expression {
  const parts = terms(l, node, "+").map((each) => l.parts.expression(l, each));
  return { kind: "concat", form: "plus", parts, at: node.from, end: node.to };
}

/** A hundred conditions are a tree of depth seven: `and` and `or` may be grouped as one likes. */
function logic(l: Lowering, node: SyntaxNode, op: "and" | "or"): Expression {
  const parts = terms(l, node, op).map((each) => l.parts.expression(l, each));
  return parts.length <= MAX_DEPTH / 10 ? parts.reduce((left, right) => ({ kind: "logic", op, left, right, at: left.at, end: right.end })) : grouped(parts, op);
}

function grouped(parts: readonly Expression[], op: "and" | "or"): Expression {
  if (parts.length === 1) return parts[0] as Expression;
  const middle = parts.length >> 1;
  const left = grouped(parts.slice(0, middle), op);
  const right = grouped(parts.slice(middle), op);
  return { kind: "logic", op, left, right, at: left.at, end: right.end };
}

function formats(node: SyntaxNode): boolean {
  if (node.name === "ParenthesizedExpression") return kids(node).some(formats);
  return node.name !== "Number" && !(node.name === "CallExpression" && node.firstChild?.name === "VariableName");
}

/** `"… %s" % (a, b)`, `"%(x)s" % {"x": a}`, `"%s" % a`: piece by piece where the format is known. */
function percent(format: Expression, values: Expression, place: { at: number; end: number }): Expression {
  const all =
    values.kind === "array" ? values.items.map(({ value }) => value) : values.kind === "object" ? values.properties.map(({ value }) => value) : [values];
  const parts = (format.kind === "constant" && typeof format.value === "string" ? percentParts(format.value, format, values) : null) ?? [format, ...all];
  return { kind: "concat", form: "format", parts, ...place };
}
