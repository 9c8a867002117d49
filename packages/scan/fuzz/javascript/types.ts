import type { InputSchema } from "../harness.ts";
import { type Node, nameOf, nodeOf, nodesOf, walk } from "./tree.ts";

const KEYWORDS: Readonly<Record<string, InputSchema>> = {
  TSStringKeyword: { type: "string" },
  TSNumberKeyword: { type: "number" },
  TSBooleanKeyword: { type: "boolean" },
  TSNullKeyword: { type: "null" },
};
const BYTES = new Set(["Buffer", "Uint8Array"]);
const DEEPEST = 6;

/** A type of TypeScript as a schema; null where it says too little, or names what this file does not hold. */
export function schemaOfType(given: unknown, named: ReadonlyMap<string, Node>, depth = 0): InputSchema | null {
  const node = nodeOf(given);
  if (node === null || depth > DEEPEST) return null;
  const inner = (one: unknown) => schemaOfType(one, named, depth + 1);
  switch (node.type) {
    case "TSTypeAnnotation":
      return schemaOfType(node.typeAnnotation, named, depth);
    case "TSParenthesizedType":
      return inner(node.typeAnnotation);
    case "TSArrayType": {
      const items = inner(node.elementType);
      return items && { type: "array", items };
    }
    case "TSLiteralType": {
      const value = nodeOf(node.literal)?.value;
      return value === undefined ? null : { const: value };
    }
    case "TSUnionType": {
      const anyOf = nodesOf(node.types)
        .filter((one) => one.type !== "TSUndefinedKeyword")
        .map(inner);
      return anyOf.some((one) => one === null) ? null : { anyOf };
    }
    case "TSTypeLiteral":
      return shape(nodesOf(node.members), named, depth);
    case "TSInterfaceBody":
      return shape(nodesOf(node.body), named, depth);
    case "TSTypeReference":
      return reference(node, named, depth);
    default:
      return KEYWORDS[node.type] ?? null;
  }
}

function shape(members: readonly Node[], named: ReadonlyMap<string, Node>, depth: number): InputSchema | null {
  const properties: [string, InputSchema][] = [];
  const required: string[] = [];
  for (const member of members) {
    const key = nameOf(member.key);
    const schema = member.type === "TSPropertySignature" ? schemaOfType(member.typeAnnotation, named, depth + 1) : null;
    if (key === null || schema === null) {
      if (member.optional === true) continue;
      return null;
    }
    properties.push([key, schema]);
    if (member.optional !== true) required.push(key);
  }
  return { type: "object", properties: Object.fromEntries(properties), required, additionalProperties: false };
}

function reference(node: Node, named: ReadonlyMap<string, Node>, depth: number): InputSchema | null {
  const name = nameOf(node.typeName);
  if (name === null) return null;
  if (BYTES.has(name)) return { type: "bytes" };
  const [inner] = nodesOf(nodeOf(node.typeArguments)?.params);
  if (name === "Array" || name === "ReadonlyArray") {
    const items = schemaOfType(inner, named, depth + 1);
    return items && { type: "array", items };
  }
  const known = named.get(name);
  return known ? schemaOfType(known, named, depth + 1) : null;
}

const OF_STRINGS =
  /^(startsWith|endsWith|charCodeAt|codePointAt|charAt|split|trim|trimStart|trimEnd|match|matchAll|replace|replaceAll|toLowerCase|toUpperCase|substring|substr|padStart|padEnd|localeCompare|normalize|search)$/;
const OF_ARRAYS = /^(map|forEach|filter|reduce|push|join|some|every|find|flatMap|sort|shift|pop|splice)$/;

/** What a parameter must be, by what is done with it. A wrong guess makes crashes that are nobody's fault, which is why such findings say so. */
export function inferred(name: string, body: Node, byDefault: unknown): InputSchema {
  const value = nodeOf(byDefault);
  if (value?.type === "Literal") return { type: typeof value.value === "number" ? "number" : typeof value.value === "boolean" ? "boolean" : "string" };
  if (value?.type === "ArrayExpression") return { type: "array", items: { type: "string" } };
  const seen = { strings: 0, arrays: 0, numbers: 0, calls: 0, keys: new Set<string>() };
  walk(body, (node) => {
    if (node.type === "CallExpression" && nameOf(node.callee) === name) seen.calls++;
    if (node.type === "MemberExpression" && nodeOf(node.object)?.type === "Identifier" && nameOf(node.object) === name && node.computed !== true) {
      const member = nameOf(node.property) ?? "";
      if (OF_STRINGS.test(member)) seen.strings++;
      else if (OF_ARRAYS.test(member)) seen.arrays++;
      else if (!/^(length|slice|indexOf|lastIndexOf|includes|concat|toString|at)$/.test(member)) seen.keys.add(member);
    }
    if (
      node.type === "BinaryExpression" &&
      /^[-*/%<>]|[<>]=$/.test(node.operator as string) &&
      [node.left, node.right].some((one) => nodeOf(one)?.type === "Identifier" && nameOf(one) === name)
    )
      seen.numbers++;
    if (node.type === "ForInStatement" && nameOf(node.right) === name) seen.keys.add("a");
  });
  return guess(name, seen, value);
}

function guess(name: string, seen: { strings: number; arrays: number; numbers: number; calls: number; keys: Set<string> }, value: Node | null): InputSchema {
  if (seen.calls > 0 || /^(cb|callback|fn|next|done)$/.test(name)) return { type: "function" };
  if (seen.strings > 0) return { type: "string" };
  if (seen.arrays > 0) return { type: "array", items: { type: "string" } };
  if (seen.keys.size > 0 || value?.type === "ObjectExpression" || /^(options|opts|config|target|source|obj|object|src|dst|dest)$/i.test(name)) {
    if (/^(target|source|obj|object|src|dst|dest)$/i.test(name)) return { type: "object" };
    return {
      type: "object",
      properties: Object.fromEntries([...seen.keys].slice(0, 32).map((key) => [key, { type: "string" }])),
      required: [...seen.keys].slice(0, 32),
    };
  }
  if (seen.numbers > 0) return { type: "number" };
  return { type: /^(buf|buffer|bytes)$/i.test(name) ? "bytes" : "string" };
}
