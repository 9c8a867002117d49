/**
 * Counters into a source's blocks, and an ear at its comparisons. What is put in calls `__pf` and `__pfc` (engine/node/feedback.cjs), and changes neither
 * what the program does nor its lines.
 */
import { Inserter } from "./inserter.ts";
import { type Node, nameOf, nodeOf, nodesOf, walk } from "./tree.ts";

/** Numbers blocks and comparisons over all files of a target. */
export interface Numbers {
  blocks: number;
  comparisons: number;
}

const OPERATORS: Readonly<Record<string, string>> = { "===": "e", "!==": "n", "==": "q", "!=": "u", "<": "l", "<=": "m", ">": "g", ">=": "h" };
/** Their first argument is a word that the program looks for. */
const SEARCHES = new Set(["startsWith", "endsWith", "includes", "indexOf", "lastIndexOf", "has", "split"]);
const ERROR = /^[A-Z]\w*(Error|Exception)$/;

export function instrument(source: string, program: Node, numbers: Numbers): string {
  const inserter = new Inserter();
  const count = () => `__pfc[${numbers.blocks++}]++`;
  walk(
    program,
    (node, parent) => enter(node, parent, { source, inserter, count, numbers }),
    (node) => leave(node, inserter),
  );
  return inserter.applyTo(source);
}

interface Work {
  readonly source: string;
  readonly inserter: Inserter;
  readonly count: () => string;
  readonly numbers: Numbers;
}

function enter(node: Node, _parent: Node | null, work: Work): unknown {
  const { inserter, count } = work;
  switch (node.type) {
    case "FunctionDeclaration":
    case "FunctionExpression":
    case "ArrowFunctionExpression":
      return intoFunction(node, work);
    case "IfStatement":
      intoStatement(node.consequent, work);
      return node.alternate ? intoStatement(node.alternate, work) : undefined;
    case "WhileStatement":
    case "DoWhileStatement":
    case "ForStatement":
    case "ForInStatement":
    case "ForOfStatement":
      return intoStatement(node.body, work);
    case "SwitchCase": {
      const [first] = nodesOf(node.consequent);
      return first ? inserter.open(first.start, `${count()};`) : undefined;
    }
    case "CatchClause":
      return intoStatement(node.body, work);
    case "ConditionalExpression":
      for (const arm of [node.consequent, node.alternate]) inserter.open((arm as Node).start, `(${count()},`);
      return;
    case "LogicalExpression":
      return inserter.open((node.right as Node).start, `(${count()},`);
    case "BinaryExpression":
      return comparison(node, work);
    case "ThrowStatement":
    case "NewExpression":
    case "CallExpression":
      return call(node, inserter);
    default:
  }
}

function leave(node: Node, inserter: Inserter): void {
  if (node.type === "ConditionalExpression") for (const arm of [node.consequent, node.alternate]) inserter.close((arm as Node).end, ")");
  if (node.type === "LogicalExpression") inserter.close((node.right as Node).end, ")");
  for (const text of CLOSERS.get(node) ?? []) inserter.close(node.end, text);
  CLOSERS.delete(node);
}

/** What stands behind a node when all within it has been seen, innermost first. */
const CLOSERS = new WeakMap<Node, string[]>();

function behind(node: Node, text: string): void {
  CLOSERS.set(node, [text, ...(CLOSERS.get(node) ?? [])]);
}

function intoFunction(node: Node, work: Work): unknown {
  const body = nodeOf(node.body);
  if (body === null) return;
  if (body.type !== "BlockStatement" && body.type !== "FunctionBody") {
    work.inserter.open(body.start, `(${work.count()},`);
    return behind(body, ")");
  }
  const first = nodesOf(body.body).find((one) => typeof one.directive !== "string");
  if (first) work.inserter.open(first.start, `${work.count()};`);
}

function intoStatement(given: unknown, { inserter, count }: Work): unknown {
  const body = nodeOf(given);
  if (body === null) return;
  if (body.type === "BlockStatement") return inserter.open(body.start + 1, `${count()};`);
  inserter.open(body.start, `{${count()};`);
  behind(body, "}");
}

function comparison(node: Node, { source, inserter, numbers }: Work): unknown {
  const name = OPERATORS[node.operator as string];
  const left = node.left as Node;
  const right = node.right as Node;
  if (name === undefined || [left, right].some(saysNothing)) return;
  const lines = source.slice(left.end, right.start).replace(/[^\n]/g, "");
  inserter.open(node.start, `__pf.${name}(`);
  inserter.replace(left.end, right.start, `,${lines}`);
  behind(node, `,${numbers.comparisons++})`);
}

/** `typeof x`, null, undefined, true: a comparison with them tells nothing that an input could be made of. */
function saysNothing(node: Node): boolean {
  if (node.type === "UnaryExpression") return node.operator === "typeof" || node.operator === "void";
  if (node.type === "Literal") return node.value === null || typeof node.value === "boolean";
  return (node.type === "Identifier" && node.name === "undefined") || node.type === "PrivateIdentifier";
}

function call(node: Node, inserter: Inserter): unknown {
  if (node.type === "ThrowStatement") {
    const thrown = node.argument as Node;
    if (thrown.type === "Identifier" || thrown.type === "MemberExpression") return;
    return wrap(thrown, "t", inserter);
  }
  const callee = node.callee as Node;
  const made = callee.type === "MemberExpression" ? nameOf(callee.property) : nameOf(callee);
  if (made !== null && ERROR.test(made)) return wrap(node, "t", inserter);
  const [first] = nodesOf(node.arguments);
  if (first === undefined || first.type === "SpreadElement" || node.type === "NewExpression") return;
  if (callee.type === "Identifier" && callee.name === "eval") wrap(first, "v", inserter);
  else if (callee.type === "MemberExpression" && callee.computed !== true && SEARCHES.has(made ?? "")) wrap(first, "a", inserter);
}

function wrap(node: Node, name: string, inserter: Inserter): void {
  inserter.open(node.start, `__pf.${name}(`);
  behind(node, ")");
}
