import type { SyntaxNode } from "@lezer/common";
import type { Expression } from "../ir.ts";
import { type Lowering, opaque, textOf } from "./context.ts";
import { opened, stringValue, unescaped } from "./literals.ts";
import { kids } from "./tree.ts";

/** `f"a {b!r:>{w}} c"`: its pieces of text and what stands between braces, in order. */
export function formatted(l: Lowering, node: SyntaxNode): Expression {
  const literal = textOf(l, node);
  const { raw, body, start } = opened(literal);
  const end = node.from + start + body.length;
  const parts: Expression[] = [];
  let from = node.from + start;
  const piece = (to: number): void => {
    if (to <= from) return;
    const text = l.text.slice(from, to).replaceAll("{{", "{").replaceAll("}}", "}");
    parts.push({ kind: "constant", value: raw ? text : unescaped(text), at: from, end: to });
  };
  for (const hole of kids(node).filter(({ name }) => name === "FormatReplacement")) {
    piece(hole.from);
    parts.push(...replaced(l, hole));
    from = hole.to;
  }
  piece(end);
  if (parts.length === 0) return { kind: "constant", value: "", at: node.from, end: node.to };
  return { kind: "concat", form: "template", parts, at: node.from, end: node.to };
}

function replaced(l: Lowering, hole: SyntaxNode): Expression[] {
  const inner = kids(hole).filter(({ name }) => name !== "{" && name !== "}" && name !== "FormatConversion" && name !== "FormatSelfDoc");
  const spec = inner.filter(({ name }) => name === "FormatSpec").flatMap((each) => kids(each).filter(({ name }) => name === "FormatReplacement"));
  const values = inner.filter(({ name }) => name !== "FormatSpec");
  const value = values.length === 0 ? opaque(hole) : l.parts.listed(l, values, hole.from, hole.to);
  const numeric = inner.some((each) => each.name === "FormatSpec" && /[bcdoxXeEfFgGn%]$/.test(textOf(l, each)));
  // `{n:d}` fails for what is no number.
  return [numeric ? opaque(hole, [value]) : value, ...spec.flatMap((each) => replaced(l, each))];
}

/** `"a" f"{b}" "c"`: one text. */
export function joined(l: Lowering, node: SyntaxNode): Expression {
  const pieces = kids(node);
  const place = { at: node.from, end: node.to };
  if (pieces.every(({ name }) => name === "String")) return { kind: "constant", value: pieces.map((each) => stringValue(textOf(l, each))).join(""), ...place };
  const parts = pieces.flatMap((each) => {
    const part = l.parts.expression(l, each);
    return part.kind === "concat" ? part.parts : [part];
  });
  return { kind: "concat", form: "template", parts, ...place };
}
