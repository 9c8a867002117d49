import type { SyntaxNode } from "@lezer/common";
import type { Argument, Expression } from "../ir.ts";
import { comprehension } from "./comprehensions.ts";
import { type Lowering, opaque, textOf } from "./context.ts";
import { formatParts } from "./formats.ts";
import { cutAt, indexOf, kids } from "./tree.ts";

/** A call; `super()` and the ways to import by a function are what they mean. */
export function callOf(l: Lowering, node: SyntaxNode): Expression {
  const [called, list] = kids(node);
  if (!called) return opaque(node);
  const callee = l.parts.expression(l, called);
  const place = { at: node.from, end: node.to };
  if (callee.kind === "global" && callee.name === "super") return { kind: "super", ...place };
  const given = argumentsOf(l, list ? kids(list) : []);
  if (imports(callee)) return imported(given[0]?.value ?? null, place);
  const text = formats(callee, given, place);
  if (text) return text;
  const call: Expression = { kind: "call", callee, arguments: given, construct: false, ...place };
  return converts(callee, given) ? { kind: "opaque", parts: [call], ...place } : call;
}

/** The arguments between these brackets. */
export function argumentsOf(l: Lowering, nodes: readonly SyntaxNode[]): Argument[] {
  const inner = nodes.filter(({ name }) => name !== "(" && name !== ")");
  if (indexOf(inner, "for") > 0 && indexOf(inner, ",") < 0) {
    return [{ value: comprehension(l, inner, { from: (inner[0] as SyntaxNode).from, to: (inner.at(-1) as SyntaxNode).to }), kind: "plain", name: null }];
  }
  return cutAt(inner, ",").map((part) => {
    const [first, second] = part;
    const value = l.parts.expression(l, part.at(-1) as SyntaxNode);
    if (first?.name === "*") return { value, kind: "spread", name: null };
    if (first?.name === "**") return { value, kind: "keywords", name: null };
    return { value, kind: "plain", name: first && second?.name === "AssignOp" ? textOf(l, first) : null };
  });
}

/** `"… {}".format(a)`, where the text is written there. */
function formats(callee: Expression, given: readonly Argument[], place: { at: number; end: number }): Expression | null {
  if (callee.kind !== "member" || callee.name !== "format" || callee.object.kind !== "constant" || typeof callee.object.value !== "string") return null;
  const parts = formatParts(callee.object.value, callee.object, given);
  return parts && { kind: "concat", form: "format", parts, ...place };
}

/** `request.args.get("n", type=int)` gives a number. */
function converts(callee: Expression, given: readonly Argument[]): boolean {
  if (callee.kind !== "member" || (callee.name !== "get" && callee.name !== "getlist")) return false;
  const type = given.find(({ name }) => name === "type")?.value;
  return type?.kind === "global" && /^(?:int|float|bool)$/.test(type.name);
}

function imports(callee: Expression): boolean {
  if (callee.kind === "global") return callee.name === "__import__";
  return callee.kind === "member" && callee.name === "import_module";
}

function imported(name: Expression | null, place: { at: number; end: number }): Expression {
  const module = name?.kind === "constant" && typeof name.value === "string" ? name.value : null;
  return { kind: "import", module, computed: module === null ? name : null, ...place };
}
