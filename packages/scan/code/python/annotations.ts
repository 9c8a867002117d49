import type { SyntaxNode } from "@lezer/common";
import type { Expression } from "../ir.ts";
import { type Lowering, textOf } from "./context.ts";
import { stringValue } from "./literals.ts";
import { resolve, THIS } from "./scope.ts";
import { kids } from "./tree.ts";

/** What a parameter is said to be, as the one type that matters: of `Request | None`, `Optional[Request]` and `"Request"` it is Request. */
export function annotation(l: Lowering, type: SyntaxNode): Expression | null {
  const node = kids(type).at(-1);
  return node ? meant(l, node) : null;
}

function meant(l: Lowering, node: SyntaxNode): Expression | null {
  if (node.name === "String") return quoted(l, node);
  if (node.name === "None") return null;
  if (node.name === "BinaryExpression")
    return kids(node).flatMap((each) => (/Expression$|Name$|^String$/.test(each.name) ? (meant(l, each) ?? []) : []))[0] ?? null;
  if (node.name === "MemberExpression" && kids(node)[1]?.name === "[") return parameterised(l, node);
  return l.parts.expression(l, node);
}

const SEEN_THROUGH = new Set(["Optional", "Union", "Annotated", "Final", "ClassVar", "Required", "NotRequired"]);

/** `Optional[X]` is X; `Annotated[str, Query()]` is the call; `list[X]` is list. */
function parameterised(l: Lowering, node: SyntaxNode): Expression | null {
  const [object, , ...rest] = kids(node);
  const word = object ? (textOf(l, object).split(".").at(-1) as string) : "";
  const inner = rest.filter(({ name }) => name !== "," && name !== "]");
  if (!SEEN_THROUGH.has(word)) return object ? l.parts.expression(l, object) : null;
  const call = word === "Annotated" ? inner.find(({ name }) => name === "CallExpression") : undefined;
  if (call) return l.parts.expression(l, call);
  return inner.map((each) => meant(l, each)).find((each) => each !== null) ?? null;
}

/** A name in quotes is one that Python would look up later. */
function quoted(l: Lowering, node: SyntaxNode): Expression | null {
  const place = { at: node.from, end: node.to };
  const [text = ""] = /^[A-Za-z_][\w.]{0,200}/.exec(stringValue(textOf(l, node))) ?? [];
  const [first = "", ...rest] = text.split(".");
  if (first === "") return null;
  const id = resolve(l.scope, first);
  const start: Expression = id === null || id === THIS ? { kind: "global", name: first, ...place } : { kind: "variable", id, ...place };
  return rest.reduce<Expression>((object, name) => ({ kind: "member", object, name, computed: null, ...place }), start);
}
