/** A node of oxc's ESTree, by its shape alone. */
export interface Node {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [key: string]: unknown;
}

export function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null && typeof (value as Node).type === "string" && typeof (value as Node).start === "number";
}

export function nodeOf(value: unknown): Node | null {
  return isNode(value) ? value : null;
}

export function nodesOf(value: unknown): Node[] {
  return Array.isArray(value) ? value.filter(isNode) : [];
}

/** Below this nothing is looked at: the walk is recursive, and sources are hostile. */
const DEEPEST = 600;

/** Visits every node, parents before (`enter`) and after (`leave`) their children; types of TypeScript are left out, as nothing of them runs. */
export function walk(node: Node, enter: (node: Node, parent: Node | null) => void, leave: (node: Node) => void = () => {}): void {
  const visit = (one: Node, parent: Node | null, depth: number): void => {
    if (depth > DEEPEST || (one.type.startsWith("TS") && !RUNS.has(one.type))) return;
    enter(one, parent);
    for (const key of Object.keys(one)) {
      const held = one[key];
      if (isNode(held)) visit(held, one, depth + 1);
      else if (Array.isArray(held)) for (const each of held) if (isNode(each)) visit(each, one, depth + 1);
    }
    leave(one);
  };
  visit(node, null, 0);
}

/** What only wraps an expression in a type. */
const RUNS = new Set(["TSAsExpression", "TSSatisfiesExpression", "TSNonNullExpression", "TSTypeAssertion", "TSExportAssignment"]);

export function nameOf(node: unknown): string | null {
  const one = nodeOf(node);
  if (one === null) return null;
  if (one.type === "Identifier") return one.name as string;
  return one.type === "Literal" && typeof one.value === "string" ? one.value : null;
}
