import type { SyntaxNode } from "@lezer/common";
import { type Lowering, textOf } from "./context.ts";
import { bind, lend, type Scope } from "./scope.ts";
import { cutAt, indexOf, kids } from "./tree.ts";

const MAX_BLOCKS = 200;

/** Binds every name that these statements bind, before any of them is looked at: in Python a name is local to its whole function. */
export function bindAll(l: Lowering, statements: readonly SyntaxNode[], scope: Scope): void {
  const lent = new Map<string, "global" | "nonlocal">();
  const names: string[] = [];
  collect(l, statements, names, lent, 0);
  for (const [name, word] of lent) lend(l, scope, name, word);
  for (const name of names) if (!lent.has(name)) bind(l, scope, name);
}

function collect(l: Lowering, nodes: readonly SyntaxNode[], names: string[], lent: Map<string, "global" | "nonlocal">, depth: number): void {
  if (depth > MAX_BLOCKS) return;
  for (const node of nodes) {
    const inner = kids(node);
    switch (node.name) {
      case "ScopeStatement":
        for (const name of inner.filter(({ name }) => name === "VariableName")) lent.set(textOf(l, name), inner[0]?.name === "global" ? "global" : "nonlocal");
        break;
      case "AssignStatement":
        for (const part of cutAt(inner, "AssignOp").slice(0, -1)) targets(l, part, names);
        if (inner.some(({ name }) => name === "TypeDef") && indexOf(inner, "AssignOp") < 0) targets(l, inner.slice(0, 1), names);
        break;
      case "UpdateStatement":
        targets(l, inner.slice(0, 1), names);
        break;
      case "ImportStatement":
        for (const { bound } of importsOf(l, node).names) names.push(bound);
        break;
      case "FunctionDefinition":
      case "ClassDefinition":
        definition(l, inner, names);
        break;
      case "DecoratedStatement":
        collect(l, inner.slice(-1), names, lent, depth + 1);
        break;
      case "ForStatement":
        targets(l, inner.slice(indexOf(inner, "for") + 1, Math.max(indexOf(inner, "in"), 0)), names);
        collect(l, inner, names, lent, depth + 1);
        break;
      case "WithStatement":
      case "TryStatement":
        for (let i = 0; i < inner.length; i++) if (inner[i]?.name === "as") targets(l, inner.slice(i + 1, i + 2), names);
        for (const held of inner.filter(({ name }) => name === "ParenthesizedExpression")) collect(l, [held], names, lent, depth + 1);
        collect(l, inner, names, lent, depth + 1);
        break;
      case "ParenthesizedExpression":
        for (let i = 0; i < inner.length; i++) if (inner[i]?.name === "as") targets(l, inner.slice(i + 1, i + 2), names);
        break;
      case "MatchClause":
        captures(l, inner[1], names);
        collect(l, inner, names, lent, depth + 1);
        break;
      case "Body":
      case "MatchBody":
      case "MatchStatement":
      case "StatementGroup":
      case "IfStatement":
      case "WhileStatement":
      case "⚠":
        collect(l, inner, names, lent, depth + 1);
        break;
    }
    if (l.walruses && !/Definition$|^(?:Decorated|Body)/.test(node.name)) walruses(l, node, names);
  }
}

function definition(l: Lowering, inner: readonly SyntaxNode[], names: string[]): void {
  const name = inner.find((each) => each.name === "VariableName");
  if (name) names.push(textOf(l, name));
}

/** Plain names among targets; members and subscripts bind nothing. */
export function targets(l: Lowering, nodes: readonly SyntaxNode[], names: string[]): void {
  for (const node of nodes) {
    if (node.name === "VariableName") names.push(textOf(l, node));
    else if (node.name === "TupleExpression" || node.name === "ArrayExpression" || node.name === "ParenthesizedExpression" || node.name === "⚠")
      targets(l, kids(node), names);
  }
}

/** `x := …` binds in the function, from within comprehensions as well; what lies in lambdas stays there. */
function walruses(l: Lowering, node: SyntaxNode, names: string[]): void {
  const cursor = node.cursor();
  do {
    if (cursor.name !== "NamedExpression") continue;
    const name = cursor.node.firstChild;
    if (name) names.push(textOf(l, name));
  } while (cursor.next() && cursor.from < node.to);
}

export function captures(l: Lowering, pattern: SyntaxNode | undefined, names: string[]): void {
  if (!pattern) return;
  if (pattern.name === "CapturePattern") {
    if (textOf(l, pattern) !== "_") names.push(textOf(l, pattern));
    return;
  }
  const inner = kids(pattern);
  if (pattern.name === "AsPattern") targets(l, inner.slice(-1), names);
  for (const each of inner) if (each.name.endsWith("Pattern") || each.name === "PatternArgList") captures(l, each, names);
}

export interface Imported {
  /** Of `from MODULE import`; null for `import MODULE`. */
  readonly from: string | null;
  /** `member` null: the module itself. `*` binds nothing. */
  readonly names: readonly { readonly module: string; readonly member: string | null; readonly bound: string }[];
  readonly star: boolean;
  /** `import a.b.c` binds `a`, and loads the whole path. */
  readonly loaded: readonly string[];
}

export function importsOf(l: Lowering, node: SyntaxNode): Imported {
  const inner = kids(node).filter(({ name }) => name !== "(" && name !== ")");
  if (inner[0]?.name !== "from") return plainImport(l, inner.slice(1));
  const at = indexOf(inner, "import");
  const module = inner
    .slice(1, at < 0 ? undefined : at)
    .map((each) => textOf(l, each))
    .join("");
  const parts = cutAt(at < 0 ? [] : inner.slice(at + 1), ",");
  const star = parts.some(([first]) => first?.name === "*");
  const names = parts
    .filter(([first]) => first?.name === "VariableName")
    .map((part) => ({ module, member: textOf(l, part[0] as SyntaxNode), bound: textOf(l, part.at(-1) as SyntaxNode) }));
  return { from: module, names, star, loaded: [] };
}

function plainImport(l: Lowering, nodes: readonly SyntaxNode[]): Imported {
  const names: Imported["names"][number][] = [];
  const loaded: string[] = [];
  for (const part of cutAt(nodes, ",")) {
    const as = indexOf(part, "as");
    const module = part
      .slice(0, as < 0 ? undefined : as)
      .map((each) => textOf(l, each))
      .join("");
    const first = module.split(".", 1)[0] as string;
    if (as >= 0) names.push({ module, member: null, bound: textOf(l, part.at(-1) as SyntaxNode) });
    else names.push({ module: first, member: null, bound: first });
    if (as < 0 && first !== module) loaded.push(module);
  }
  return { from: null, names, star: false, loaded };
}
