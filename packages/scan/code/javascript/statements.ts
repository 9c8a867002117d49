import type * as Oxc from "oxc-parser";
import type { Expression, Pattern, Statement } from "../ir.ts";
import type { Lowering } from "./lowering.ts";
import { blockNames } from "./scope.ts";

export function lowerStatement(lowering: Lowering, node: Oxc.Node, into: Statement[]): void {
  const place = { at: node.start, end: node.end };
  switch (node.type) {
    case "ExpressionStatement":
      into.push({ kind: "expression", value: lowering.expression(node.expression), ...place });
      return;
    case "VariableDeclaration":
      if (!node.declare) for (const each of node.declarations) lowerDeclarator(lowering, each, into);
      return;
    case "FunctionDeclaration": {
      if (node.id === null || node.body === null) return;
      const variable = lowering.scopes.find(node.id.name);
      if (variable !== undefined) into.push({ kind: "function", variable, id: lowering.fn(node, "", null), ...place });
      return;
    }
    case "ClassDeclaration": {
      if (node.id === null || node.declare) return;
      const variable = lowering.scopes.find(node.id.name);
      if (variable !== undefined) into.push({ kind: "class", variable, id: lowering.classOf(node), ...place });
      return;
    }
    case "ReturnStatement":
      into.push({ kind: "return", value: node.argument === null ? null : lowering.expression(node.argument), ...place });
      return;
    case "ThrowStatement":
      into.push({ kind: "throw", value: lowering.expression(node.argument), ...place });
      return;
    case "BreakStatement":
    case "ContinueStatement":
      into.push({ kind: "leave", ...place });
      return;
    case "BlockStatement":
      into.push({ kind: "block", body: block(lowering, node.body), ...place });
      return;
    case "IfStatement":
      into.push({
        kind: "if",
        test: lowering.expression(node.test),
        body: body(lowering, node.consequent),
        otherwise: node.alternate === null ? [] : body(lowering, node.alternate),
        ...place,
      });
      return;
    case "ForStatement":
    case "ForInStatement":
    case "ForOfStatement":
    case "WhileStatement":
    case "DoWhileStatement":
      lowerLoop(lowering, node, into);
      return;
    case "LabeledStatement":
      lowering.statement(node.body, into);
      return;
    case "WithStatement":
      into.push({ kind: "expression", value: lowering.expression(node.object), ...place });
      lowering.statement(node.body, into);
      return;
    case "SwitchStatement":
      lowerSwitch(lowering, node, into);
      return;
    case "TryStatement":
      lowerTry(lowering, node, into);
      return;
  }
}

function lowerDeclarator(lowering: Lowering, node: Oxc.VariableDeclarator, into: Statement[]): void {
  if (node.init === null) return;
  const place = { at: node.start, end: node.end };
  // Evaluated first: in `const {a} = f(), …` the pattern binds what comes of it.
  const value = lowering.named(node.init, node.id.type === "Identifier" ? node.id.name : "");
  into.push({ kind: "expression", value: { kind: "assign", target: lowering.pattern(node.id), value, op: "=", ...place }, ...place });
}

/** A body with names of its own. */
export function block(lowering: Lowering, nodes: readonly Oxc.Node[]): Statement[] {
  return lowering.scopes.within(lowering.scopes.fn, () => {
    const names: string[] = [];
    blockNames(nodes as readonly Oxc.Statement[], names);
    for (const name of names) lowering.scopes.bind(name);
    return lowering.statements(nodes);
  });
}

function body(lowering: Lowering, node: Oxc.Statement): Statement[] {
  return block(lowering, node.type === "BlockStatement" ? node.body : [node]);
}

type Loop = Oxc.ForStatement | Oxc.ForInStatement | Oxc.ForOfStatement | Oxc.WhileStatement | Oxc.DoWhileStatement;

function lowerLoop(lowering: Lowering, node: Loop, into: Statement[]): void {
  const place = { at: node.start, end: node.end };
  lowering.scopes.within(lowering.scopes.fn, () => {
    if (node.type === "WhileStatement" || node.type === "DoWhileStatement") {
      into.push({ kind: "loop", test: lowering.expression(node.test), each: null, body: body(lowering, node.body), ...place });
      return;
    }
    const head = node.type === "ForStatement" ? node.init : node.left;
    if (head?.type === "VariableDeclaration") {
      const names: string[] = [];
      blockNames([head], names);
      for (const name of names) lowering.scopes.bind(name);
    }
    if (node.type === "ForStatement") {
      if (head?.type === "VariableDeclaration") lowering.statement(head, into);
      else if (head) into.push({ kind: "expression", value: lowering.expression(head), ...place });
      const test = node.test === null ? null : lowering.expression(node.test);
      const inner = body(lowering, node.body);
      if (node.update !== null) inner.push({ kind: "expression", value: lowering.expression(node.update), at: node.update.start, end: node.update.end });
      into.push({ kind: "loop", test, each: null, body: inner, ...place });
      return;
    }
    const over = lowering.expression(node.right);
    const left = node.left.type === "VariableDeclaration" ? node.left.declarations[0]?.id : node.left;
    const target: Pattern | null = left === undefined ? null : lowering.pattern(left);
    const each = target === null ? null : { target, over, keys: node.type === "ForInStatement" };
    into.push({ kind: "loop", test: null, each, body: body(lowering, node.body), ...place });
  });
}

function lowerSwitch(lowering: Lowering, node: Oxc.SwitchStatement, into: Statement[]): void {
  const value = lowering.expression(node.discriminant);
  lowering.scopes.within(lowering.scopes.fn, () => {
    const names: string[] = [];
    for (const { consequent } of node.cases) blockNames(consequent, names);
    for (const name of names) lowering.scopes.bind(name);
    const cases: { tests: Expression[]; body: Statement[] }[] = [];
    let tests: Expression[] = [];
    let whole = false;
    for (const each of node.cases) {
      if (each.test === null) whole = true;
      else tests.push(lowering.expression(each.test));
      if (each.consequent.length === 0) continue;
      // `default` among the labels of a body: it runs for anything.
      cases.push({ tests: whole ? [] : tests, body: lowering.statements(each.consequent) });
      tests = [];
      whole = false;
    }
    into.push({ kind: "switch", value, cases, at: node.start, end: node.end });
  });
}

function lowerTry(lowering: Lowering, node: Oxc.TryStatement, into: Statement[]): void {
  const tried = block(lowering, node.block.body);
  let error: Pattern | null = null;
  let handler: Statement[] | null = null;
  const caught = node.handler;
  if (caught !== null)
    lowering.scopes.within(lowering.scopes.fn, () => {
      if (caught.param !== null) {
        const names: string[] = [];
        blockNames([{ type: "VariableDeclaration", kind: "let", declarations: [{ id: caught.param }] } as unknown as Oxc.Statement], names);
        for (const name of names) lowering.scopes.bind(name);
        error = lowering.pattern(caught.param);
      }
      handler = block(lowering, caught.body.body);
    });
  const last = node.finalizer === null ? [] : block(lowering, node.finalizer.body);
  into.push({ kind: "try", body: tried, error, handler, finally: last, at: node.start, end: node.end });
}
