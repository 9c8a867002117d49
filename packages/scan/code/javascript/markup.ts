/** JSX. */
import type * as Oxc from "oxc-parser";
import type { Expression, Property } from "../ir.ts";
import type { Lowering } from "./lowering.ts";

export function lowerMarkup(lowering: Lowering, node: Oxc.JSXElement | Oxc.JSXFragment): Expression {
  const place = { at: node.start, end: node.end };
  const children = node.children.flatMap((child) => childOf(lowering, child));
  if (node.type === "JSXFragment") return { kind: "markup", tag: "", component: null, attributes: [], children, ...place };
  const { name, attributes } = node.openingElement;
  const tag = name.type === "JSXIdentifier" ? name.name : "";
  return { kind: "markup", tag, component: component(lowering, name), attributes: attributes.flatMap((each) => attribute(lowering, each)), children, ...place };
}

function component(lowering: Lowering, name: Oxc.JSXElementName): Expression | null {
  if (name.type !== "JSXIdentifier" || !/^[A-Z]/.test(name.name)) return null;
  const id = lowering.scopes.find(name.name);
  return id === undefined ? null : { kind: "variable", id, at: name.start, end: name.end };
}

function attribute(lowering: Lowering, node: Oxc.JSXAttributeItem): Property[] {
  if (node.type === "JSXSpreadAttribute") return [{ name: null, computed: null, value: lowering.expression(node.argument) }];
  const name = node.name.type === "JSXIdentifier" ? node.name.name : node.name.name.name;
  if (node.value === null) return [{ name, computed: null, value: { kind: "constant", value: true, at: node.start, end: node.end } }];
  const value = node.value.type === "JSXExpressionContainer" ? node.value.expression : node.value;
  return value.type === "JSXEmptyExpression" ? [] : [{ name, computed: null, value: lowering.expression(value) }];
}

function childOf(lowering: Lowering, child: Oxc.JSXChild): Expression[] {
  switch (child.type) {
    case "JSXExpressionContainer":
      return child.expression.type === "JSXEmptyExpression" ? [] : [lowering.expression(child.expression)];
    case "JSXSpreadChild":
      return [lowering.expression(child.expression)];
    case "JSXElement":
    case "JSXFragment":
      return [lowering.expression(child)];
    default:
      return [];
  }
}
