/** Operators and templates: text that is put together, questions, and numbers. */
import type * as Oxc from "oxc-parser";
import type { Expression } from "../ir.ts";
import type { Lowering } from "./lowering.ts";

const QUESTIONS: ReadonlyMap<string, "equal" | "unequal" | "less" | "in" | "instanceof"> = new Map([
  ["==", "equal"],
  ["===", "equal"],
  ["!=", "unequal"],
  ["!==", "unequal"],
  ["<", "less"],
  [">", "less"],
  ["<=", "less"],
  [">=", "less"],
  ["in", "in"],
  ["instanceof", "instanceof"],
]);

export function lowerBinary(lowering: Lowering, node: Oxc.BinaryExpression | Oxc.PrivateInExpression): Expression {
  const place = { at: node.start, end: node.end };
  if (node.operator === "+") return plus(lowering, node as Oxc.BinaryExpression);
  const left = node.left.type === "PrivateIdentifier" ? ({ kind: "opaque", parts: [], ...place } as const) : lowering.expression(node.left);
  const right = lowering.expression(node.right);
  const op = QUESTIONS.get(node.operator);
  return op === undefined ? { kind: "opaque", parts: [left, right], ...place } : { kind: "compare", op, left, right, ...place };
}

/** A chain of `+` is one text, whatever its length: generated code has them thousands long. */
function plus(lowering: Lowering, node: Oxc.BinaryExpression): Expression {
  const operands: Oxc.Node[] = [];
  let left: Oxc.Node = node;
  while (left.type === "BinaryExpression" && left.operator === "+") {
    operands.push(left.right);
    left = left.left;
  }
  operands.push(left);
  const parts = operands.reverse().map((each) => lowering.expression(each));
  const place = { at: node.start, end: node.end };
  const isText = parts.some((part) => part.kind === "concat" || (part.kind === "constant" && typeof part.value === "string"));
  const isNumber = parts.some((part) => part.kind === "opaque" || (part.kind === "constant" && typeof part.value === "number"));
  return !isText && isNumber ? { kind: "opaque", parts, ...place } : { kind: "concat", parts, form: "plus", ...place };
}

export function lowerTemplate(lowering: Lowering, node: Oxc.TemplateLiteral): Expression {
  const place = { at: node.start, end: node.end };
  const parts: Expression[] = [];
  node.quasis.forEach((quasi, index) => {
    const text = quasi.value.cooked ?? quasi.value.raw;
    if (text !== "") parts.push({ kind: "constant", value: text, at: quasi.start, end: quasi.end });
    const value = node.expressions[index];
    if (value !== undefined) parts.push(lowering.expression(value));
  });
  const [only] = parts;
  if (only === undefined) return { kind: "constant", value: "", ...place };
  return parts.length === 1 && only.kind === "constant" ? { ...only, ...place } : { kind: "concat", parts, form: "template", ...place };
}
