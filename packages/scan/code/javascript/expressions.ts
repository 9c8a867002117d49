import type * as Oxc from "oxc-parser";
import type { Argument, Expression, Pattern, Property } from "../ir.ts";
import { keyName, type Lowering } from "./lowering.ts";
import { lowerMarkup } from "./markup.ts";
import { lowerBinary, lowerTemplate } from "./operators.ts";
import { isExports } from "./patterns.ts";

export function lowerExpression(lowering: Lowering, node: Oxc.Node): Expression {
  const place = { at: node.start, end: node.end };
  switch (node.type) {
    case "Literal":
      return literal(node, place);
    case "Identifier":
      return identifier(lowering, node.name, place);
    case "TemplateLiteral":
      return lowerTemplate(lowering, node);
    case "ThisExpression":
      return { kind: "this", ...place };
    case "Super":
      return { kind: "super", ...place };
    case "MemberExpression": {
      if (isExports(lowering, node)) return { kind: "exports", ...place };
      const object = lowering.expression(node.object);
      const name = keyName(node.property, node.computed);
      return { kind: "member", object, name, computed: name === null ? lowering.expression(node.property) : null, ...place };
    }
    case "CallExpression":
      return call(lowering, node);
    case "NewExpression":
      return {
        kind: "call",
        callee: lowering.expression(node.callee),
        arguments: node.arguments.map((each) => argument(lowering, each)),
        construct: true,
        ...place,
      };
    case "ImportExpression":
      return imported(lowering, node.source, place);
    case "ArrowFunctionExpression":
    case "FunctionExpression":
      return { kind: "function", id: lowering.fn(node, lowering.hint, null), ...place };
    case "ClassExpression":
    case "ClassDeclaration":
      return { kind: "class", id: lowering.classOf(node), ...place };
    case "FunctionDeclaration":
      return { kind: "function", id: lowering.fn(node, lowering.hint, null), ...place };
    case "ObjectExpression":
      return { kind: "object", properties: node.properties.map((each) => property(lowering, each)), ...place };
    case "ArrayExpression":
      return { kind: "array", items: node.elements.flatMap((each) => (each === null ? [] : [argument(lowering, each)])), ...place };
    case "AssignmentExpression":
      return assignment(lowering, node);
    case "UpdateExpression": {
      const value = { kind: "opaque" as const, parts: [], ...place };
      return { kind: "assign", target: lowering.pattern(node.argument), value, op: "=", ...place };
    }
    case "BinaryExpression":
      return lowerBinary(lowering, node);
    case "LogicalExpression": {
      const op = node.operator === "&&" ? "and" : node.operator === "||" ? "or" : "nullish";
      return { kind: "logic", op, left: lowering.expression(node.left), right: lowering.expression(node.right), ...place };
    }
    case "UnaryExpression":
      if (node.operator === "!") return { kind: "not", value: lowering.expression(node.argument), ...place };
      if (node.operator === "typeof") return { kind: "typeof", value: lowering.expression(node.argument), ...place };
      if (node.operator === "-" && node.argument.type === "Literal" && typeof node.argument.value === "number")
        return { kind: "constant", value: -node.argument.value, ...place };
      return { kind: "opaque", parts: [lowering.expression(node.argument)], ...place };
    case "ConditionalExpression": {
      const test = lowering.expression(node.test);
      return { kind: "conditional", test, value: lowering.expression(node.consequent), otherwise: lowering.expression(node.alternate), ...place };
    }
    case "SequenceExpression":
      return { kind: "sequence", items: node.expressions.map((each) => lowering.expression(each)), ...place };
    case "AwaitExpression":
      return { kind: "await", value: lowering.expression(node.argument), ...place };
    case "YieldExpression":
      return { kind: "yield", value: node.argument === null ? null : lowering.expression(node.argument), ...place };
    case "TaggedTemplateExpression": {
      const strings = node.quasi.quasis.map((quasi) => constant(quasi.value.cooked ?? quasi.value.raw, { at: quasi.start, end: quasi.end }));
      const first: Argument = { value: { kind: "array", items: strings.map(plain), ...place }, kind: "plain", name: null };
      const given = node.quasi.expressions.map((each) => plain(lowering.expression(each)));
      return { kind: "call", callee: lowering.expression(node.tag), arguments: [first, ...given], construct: false, ...place };
    }
    case "JSXElement":
    case "JSXFragment":
      return lowerMarkup(lowering, node);
    case "ChainExpression":
    case "ParenthesizedExpression":
    case "TSAsExpression":
    case "TSSatisfiesExpression":
    case "TSTypeAssertion":
    case "TSNonNullExpression":
    case "TSInstantiationExpression":
      return lowering.expression(node.expression);
    case "V8IntrinsicExpression":
      return { kind: "opaque", parts: node.arguments.map((each) => argument(lowering, each).value), ...place };
    default:
      return { kind: "opaque", parts: [], ...place };
  }
}

interface Span {
  readonly at: number;
  readonly end: number;
}

function literal(node: Oxc.Node & { type: "Literal" }, place: Span): Expression {
  if ("regex" in node && node.regex) return { kind: "regex", pattern: node.regex.pattern, flags: node.regex.flags, ...place };
  return constant(typeof node.value === "bigint" ? 0 : (node.value as string | number | boolean | null), place);
}

function constant(value: string | number | boolean | null, place: Span): Expression {
  return { kind: "constant", value, ...place };
}

function identifier(lowering: Lowering, name: string, place: Span): Expression {
  const id = lowering.scopes.find(name);
  if (id !== undefined) return { kind: "variable", id, ...place };
  if (name === "undefined") return constant(null, place);
  return name === "exports" ? { kind: "exports", ...place } : { kind: "global", name, ...place };
}

export function plain(value: Expression): Argument {
  return { value, kind: "plain", name: null };
}

function argument(lowering: Lowering, node: Oxc.Node): Argument {
  if (node.type === "SpreadElement") return { value: lowering.expression(node.argument), kind: "spread", name: null };
  return plain(lowering.expression(node));
}

/** `require("m")` is an import; and `a.require("m")`, which bundles write, is none. */
function call(lowering: Lowering, node: Oxc.CallExpression): Expression {
  const place = { at: node.start, end: node.end };
  const { callee } = node;
  const first = node.arguments[0];
  if (callee.type === "Identifier" && callee.name === "require" && first !== undefined && first.type !== "SpreadElement" && isFree(lowering, "require"))
    return imported(lowering, first, place);
  // `iife(function (require, exports) {…})` binds them itself, and is left alone.
  return { kind: "call", callee: lowering.expression(callee), arguments: node.arguments.map((each) => argument(lowering, each)), construct: false, ...place };
}

function isFree(lowering: Lowering, name: string): boolean {
  const id = lowering.scopes.find(name);
  // `const require = createRequire(import.meta.url)` at the top of a module is the same function.
  return id === undefined || lowering.scopes.variables[id]?.owner === 0;
}

function imported(lowering: Lowering, source: Oxc.Node, place: Span): Expression {
  const value = lowering.expression(source);
  if (value.kind === "constant" && typeof value.value === "string") return { kind: "import", module: value.value, computed: null, ...place };
  return { kind: "import", module: null, computed: value, ...place };
}

function property(lowering: Lowering, node: Oxc.ObjectProperty | Oxc.SpreadElement): Property {
  if (node.type === "SpreadElement") return { name: null, computed: null, value: lowering.expression(node.argument) };
  const name = keyName(node.key, node.computed);
  return { name, computed: name === null ? lowering.expression(node.key) : null, value: lowering.named(node.value, name ?? "") };
}

const NUMERIC = new Set(["-=", "*=", "/=", "%=", "**=", "<<=", ">>=", ">>>=", "&=", "|=", "^="]);

function assignment(lowering: Lowering, node: Oxc.AssignmentExpression): Expression {
  const place = { at: node.start, end: node.end };
  const right = lowering.named(node.right, node.left.type === "Identifier" ? node.left.name : memberName(node.left));
  const target: Pattern =
    node.left.type === "Identifier" && node.left.name === "exports" && lowering.scopes.find("exports") === undefined
      ? { kind: "exports", ...place }
      : lowering.pattern(node.left);
  if (NUMERIC.has(node.operator)) return { kind: "assign", target, value: { kind: "opaque", parts: [right], ...place }, op: "=", ...place };
  const op = node.operator === "=" ? "=" : node.operator === "+=" ? "+" : "or";
  return { kind: "assign", target, value: right, op, ...place };
}

function memberName(node: Oxc.Node): string {
  return node.type === "MemberExpression" ? (keyName(node.property, node.computed) ?? "") : "";
}
