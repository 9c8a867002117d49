import type { SyntaxNode } from "@lezer/common";
import type { Expression, Pattern, Statement } from "../ir.ts";
import { importsOf } from "./bindings.ts";
import { lowerFor, lowerIf, lowerMatch, lowerTry, lowerWhile, lowerWith } from "./blocks.ts";
import { argumentsOf } from "./calls.ts";
import { deeper, type Lowering, opaque, textOf } from "./context.ts";
import { lowerDefinition } from "./definitions.ts";
import { bind } from "./scope.ts";
import { cutAt, indexOf, kids } from "./tree.ts";

export function lowerStatements(l: Lowering, nodes: readonly SyntaxNode[], into: Statement[] = []): Statement[] {
  for (const node of nodes)
    deeper(
      l,
      node,
      () => lowerStatement(l, node, into),
      () => {},
    );
  return into;
}

function lowerStatement(l: Lowering, node: SyntaxNode, into: Statement[]): void {
  const place = { at: node.from, end: node.to };
  switch (node.name) {
    case "ExpressionStatement": {
      const all = kids(node);
      // What is said of a function in its first line does nothing.
      if (all.length === 1 && (all[0]?.name === "String" || all[0]?.name === "ContinuedString")) return;
      into.push({ kind: "expression", value: l.parts.listed(l, all, node.from, node.to), ...place });
      return;
    }
    case "AssignStatement":
      assignment(l, node, into);
      return;
    case "UpdateStatement":
      into.push({ kind: "expression", value: update(l, node), ...place });
      return;
    case "YieldStatement":
      into.push({ kind: "expression", value: l.parts.expression(l, node), ...place });
      return;
    case "ReturnStatement": {
      const all = kids(node).slice(1);
      into.push({ kind: "return", value: all.length === 0 ? null : l.parts.listed(l, all, node.from, node.to), ...place });
      return;
    }
    case "RaiseStatement": {
      const value = kids(node)[1];
      into.push({ kind: "throw", value: value ? l.parts.expression(l, value) : null, ...place });
      return;
    }
    case "AssertStatement":
      assertion(l, node, into);
      return;
    case "DeleteStatement":
      into.push({
        kind: "expression",
        value: opaque(
          node,
          cutAt(kids(node).slice(1), ",").map(([each]) => l.parts.expression(l, each as SyntaxNode)),
        ),
        ...place,
      });
      return;
    case "PrintStatement":
      into.push({ kind: "expression", value: printed(l, node), ...place });
      return;
    case "BreakStatement":
    case "ContinueStatement":
      into.push({ kind: "leave", ...place });
      return;
    case "ImportStatement":
      imported(l, node, into);
      return;
    case "IfStatement":
      lowerIf(l, node, into);
      return;
    case "WhileStatement":
      lowerWhile(l, node, into);
      return;
    case "ForStatement":
      lowerFor(l, node, into);
      return;
    case "WithStatement":
      lowerWith(l, node, into);
      return;
    case "TryStatement":
      lowerTry(l, node, into);
      return;
    case "MatchStatement":
      lowerMatch(l, node, into);
      return;
    case "FunctionDefinition":
    case "ClassDefinition":
    case "DecoratedStatement":
      lowerDefinition(l, node, into);
      return;
    case "StatementGroup":
    case "⚠":
      lowerStatements(l, kids(node), into);
      return;
  }
}

/** `a = b = c`, `a: int = b`, `a, b = c`. In a class each plain name is a field of it. */
function assignment(l: Lowering, node: SyntaxNode, into: Statement[]): void {
  const all = kids(node);
  const type = all.find(({ name }) => name === "TypeDef");
  const groups = cutAt(
    all.filter((each) => each !== type),
    "AssignOp",
  );
  const members = l.scope.kind === "class" ? l.scope.members : null;
  const annotated = type ? l.parts.expression(l, (kids(type).at(-1) ?? type) as SyntaxNode) : null;
  const given = indexOf(all, "AssignOp") >= 0 ? (groups.at(-1) as SyntaxNode[]) : null;
  const value = given ? l.parts.listed(l, given, given[0]?.from ?? node.from, given.at(-1)?.to ?? node.to) : null;
  for (const target of (given ? groups.slice(0, -1) : groups).filter((each) => each.length === 1 && each[0]?.name === "VariableName")) {
    const name = textOf(l, target[0] as SyntaxNode);
    members?.fields.push({ name, value: value && kept(l, name, value), static: true, type: annotated });
  }
  if (value === null || !given) return;
  // In reverse, as the innermost holds the value. Nobody writes so many targets.
  const assigned = groups
    .slice(0, Math.min(groups.length - 1, MAX_TARGETS))
    .reverse()
    .reduce<Expression>((inner, target) => ({ kind: "assign", target: l.parts.pattern(l, target), value: inner, op: "=", at: node.from, end: node.to }), value);
  if (groups.length > MAX_TARGETS + 1) l.tooDeep = node.from;
  into.push({ kind: "expression", value: assigned, at: node.from, end: node.to });
}
const MAX_TARGETS = 50;

/** What a field holds: a constant, or what its variable of the class's body holds, so that nothing is evaluated twice. */
function kept(l: Lowering, name: string, value: Expression): Expression {
  const id = l.scope.names.get(name);
  return value.kind === "constant" || id === undefined ? value : { kind: "variable", id, at: value.at, end: value.end };
}

/** `s += x` joins, `d |= x` may be either, `s %= x` formats; of numbers nothing passes. */
function update(l: Lowering, node: SyntaxNode): Expression {
  const all = kids(node);
  const at = indexOf(all, "UpdateOp");
  const op = at < 0 ? "" : textOf(l, all[at] as SyntaxNode);
  const place = { at: node.from, end: node.to };
  const target: Pattern = l.parts.pattern(l, all.slice(0, Math.max(at, 0)));
  const value = l.parts.listed(l, all.slice(at + 1), node.from, node.to);
  if (op === "+=" || op === "/=") return { kind: "assign", target, value, op: "+", ...place };
  if (op === "|=") return { kind: "assign", target, value, op: "or", ...place };
  if (op === "%=" && all[0])
    return { kind: "assign", target, value: { kind: "concat", form: "format", parts: [l.parts.expression(l, all[0]), value], ...place }, op: "=", ...place };
  return { kind: "assign", target, value: opaque(node, [value]), op: "=", ...place };
}

/** What does not hold ends here. (`python -O` would pass over it: whoever relies on that has another problem.) */
function assertion(l: Lowering, node: SyntaxNode, into: Statement[]): void {
  const [, asked, , message] = kids(node);
  const place = { at: node.from, end: node.to };
  if (!asked) return;
  const test: Expression = { kind: "not", value: l.parts.expression(l, asked), at: asked.from, end: asked.to };
  into.push({ kind: "if", test, body: [{ kind: "throw", value: message ? l.parts.expression(l, message) : null, ...place }], otherwise: [], ...place });
}

/** Python 2's. */
function printed(l: Lowering, node: SyntaxNode): Expression {
  const place = { at: node.from, end: node.to };
  return {
    kind: "call",
    callee: { kind: "global", name: "print", ...place },
    arguments: argumentsOf(
      l,
      kids(node)
        .slice(1)
        .filter(({ name }) => name !== "⚠"),
    ),
    construct: false,
    ...place,
  };
}

function imported(l: Lowering, node: SyntaxNode, into: Statement[]): void {
  const { from, names, star, loaded } = importsOf(l, node);
  const place = { at: node.from, end: node.to };
  if (star && from !== null) into.push({ kind: "export-all", module: from, ...place });
  const modules = new Map<string, { member: string | null; variable: number }[]>();
  for (const { module, member, bound } of names) {
    const variable = bind(l, l.scope, bound);
    modules.set(module, [...(modules.get(module) ?? []), { member, variable }]);
  }
  for (const [module, bindings] of modules) into.push({ kind: "import", module, bindings, erased: false, ...place });
  for (const module of loaded) into.push({ kind: "import", module, bindings: [], erased: false, ...place });
}
