/** What is bound: declarations, parameters, targets of assignments. */
import type * as Oxc from "oxc-parser";
import type { Expression, Pattern, PatternProperty } from "../ir.ts";
import { keyName, type Lowering } from "./lowering.ts";

export function lowerPattern(lowering: Lowering, node: Oxc.Node): Pattern {
  const place = { at: node.start, end: node.end };
  switch (node.type) {
    case "Identifier": {
      const id = lowering.scopes.find(node.name);
      if (id === undefined) return { kind: "member", object: { kind: "global", name: "globalThis", ...place }, name: node.name, computed: null, ...place };
      lowering.scopes.assigned(id);
      return { kind: "variable", id, ...place };
    }
    case "MemberExpression": {
      if (isExports(lowering, node)) return { kind: "exports", ...place };
      const object = lowering.expression(node.object);
      const name = keyName(node.property, node.computed);
      return { kind: "member", object, name, computed: name === null ? lowering.expression(node.property) : null, ...place };
    }
    case "AssignmentPattern":
      return { kind: "default", target: lowerPattern(lowering, node.left), value: lowering.expression(node.right), ...place };
    case "ArrayPattern": {
      const rest = node.elements.find((element) => element?.type === "RestElement");
      const items = node.elements.filter((element) => element?.type !== "RestElement");
      return {
        kind: "array",
        items: items.map((element) => (element === null ? null : lowerPattern(lowering, element))),
        rest: rest?.type === "RestElement" ? lowerPattern(lowering, rest.argument) : null,
        ...place,
      };
    }
    case "ObjectPattern": {
      const properties: PatternProperty[] = [];
      let rest: Pattern | null = null;
      for (const property of node.properties) {
        if (property.type === "RestElement") rest = lowerPattern(lowering, property.argument);
        else {
          const name = keyName(property.key, property.computed);
          properties.push({ name, computed: name === null ? lowering.expression(property.key) : null, target: lowerPattern(lowering, property.value) });
        }
      }
      return { kind: "object", properties, rest, ...place };
    }
    case "RestElement":
      return lowerPattern(lowering, node.argument);
    case "TSAsExpression":
    case "TSSatisfiesExpression":
    case "TSNonNullExpression":
    case "TSTypeAssertion":
      return lowerPattern(lowering, node.expression);
    default:
      // `f() = 1`, which old scripts may hold.
      return { kind: "member", object: { kind: "opaque", parts: [], ...place }, name: "", computed: null, ...place };
  }
}

/** `module.exports`. */
export function isExports(lowering: Lowering, node: Oxc.Node): boolean {
  if (node.type !== "MemberExpression" || node.object.type !== "Identifier" || node.object.name !== "module") return false;
  return keyName(node.property, node.computed) === "exports" && lowering.scopes.find("module") === undefined;
}

/** An annotation as what it names; null for what has no single name. */
export function lowerType(lowering: Lowering, annotation: Oxc.TSTypeAnnotation | null | undefined): Expression | null {
  return annotation === null || annotation === undefined ? null : typeOf(lowering, annotation.typeAnnotation, 0);
}

const PLAIN: ReadonlyMap<string, string> = new Map([
  ["TSNumberKeyword", "number"],
  ["TSBooleanKeyword", "boolean"],
  ["TSStringKeyword", "string"],
]);

function typeOf(lowering: Lowering, type: Oxc.TSType, depth: number): Expression | null {
  const place = { at: type.start, end: type.end };
  const plain = PLAIN.get(type.type);
  if (plain !== undefined) return { kind: "global", name: plain, ...place };
  if (type.type === "TSTypeReference") return typeName(lowering, type.typeName, 0);
  if (type.type === "TSUnionType" && depth < 4) {
    if (type.types.every((each) => each.type === "TSLiteralType")) return { kind: "global", name: "literal", ...place };
    const named = type.types.map((each) => typeOf(lowering, each, depth + 1)).filter((each) => each !== null);
    return named.length === 1 ? (named[0] as Expression) : null;
  }
  return null;
}

function typeName(lowering: Lowering, name: Oxc.TSTypeName, depth: number): Expression | null {
  const place = { at: name.start, end: name.end };
  if (name.type === "Identifier") {
    const id = lowering.scopes.find(name.name);
    return id === undefined ? { kind: "global", name: name.name, ...place } : { kind: "variable", id, ...place };
  }
  if (name.type !== "TSQualifiedName" || depth > 8) return null;
  const object = typeName(lowering, name.left, depth + 1);
  return object === null ? null : { kind: "member", object, name: name.right.name, computed: null, ...place };
}
