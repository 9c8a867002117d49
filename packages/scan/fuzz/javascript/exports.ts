import { type Node, nameOf, nodeOf, nodesOf } from "./tree.ts";

/** A function that others can reach, by the name under which they do. */
export interface Exported {
  /** `parse`, `default`, `Parser#feed`. */
  readonly name: string;
  readonly node: Node;
}

const FUNCTIONS = new Set(["FunctionDeclaration", "FunctionExpression", "ArrowFunctionExpression"]);

/** The functions that a module exports, in the ways of ES modules and of CommonJS. What is made by a call is not seen. */
export function exportedFunctions(program: Node): Exported[] {
  const body = nodesOf(program.body);
  const known = new Map<string, Node>();
  for (const statement of body) declare(statement.type.startsWith("Export") ? nodeOf(statement.declaration) : statement, known);
  const found = new Map<string, Exported>();
  const add = (name: string, value: unknown): void => {
    const held = nodeOf(value);
    const node = held?.type === "Identifier" ? known.get(held.name as string) : held;
    if (!node) return;
    if (FUNCTIONS.has(node.type)) found.set(name, { name, node });
    else if (node.type === "ClassDeclaration" || node.type === "ClassExpression") for (const one of methods(name, node)) found.set(one.name, one);
  };
  for (const statement of body) fromStatement(statement, add);
  return [...found.values()];
}

function declare(node: Node | null, known: Map<string, Node>): void {
  if (node === null) return;
  if (node.type === "VariableDeclaration") for (const one of nodesOf(node.declarations)) known.set(nameOf(one.id) ?? "", nodeOf(one.init) ?? one);
  else if (node.type === "FunctionDeclaration" || node.type === "ClassDeclaration") known.set(nameOf(node.id) ?? "", node);
}

type Add = (name: string, value: unknown) => void;

function fromStatement(statement: Node, add: Add): void {
  if (statement.type === "ExportDefaultDeclaration") {
    const value = nodeOf(statement.declaration);
    add("default", value);
    if (value?.type === "ObjectExpression") for (const [key, inner] of members(value)) if (key === "fetch") add("default.fetch", inner);
  } else if (statement.type === "ExportNamedDeclaration") {
    if (statement.source) return;
    const declared = nodeOf(statement.declaration);
    if (declared?.type === "VariableDeclaration") for (const one of nodesOf(declared.declarations)) add(nameOf(one.id) ?? "", one.init);
    else if (declared) add(nameOf(declared.id) ?? "", declared);
    for (const one of nodesOf(statement.specifiers)) add(nameOf(one.exported) ?? "", one.local);
  } else if (statement.type === "ExpressionStatement") assigned(nodeOf(statement.expression), add);
}

function assigned(node: Node | null, add: Add): void {
  if (node?.type !== "AssignmentExpression") return;
  const path = pathOf(node.left as Node);
  const value = nodeOf(node.right);
  if (value?.type === "AssignmentExpression") assigned(value, add);
  if (path === "module.exports") {
    add("default", value);
    if (value?.type === "ObjectExpression") for (const [key, inner] of members(value)) add(key, inner);
  } else if (/^(module\.)?exports\.[\w$]+$/.test(path)) add(path.slice(path.lastIndexOf(".") + 1), value);
}

function members(value: Node): [string, Node][] {
  return nodesOf(value.properties).flatMap((one) => {
    const key = one.type === "Property" && one.computed !== true ? nameOf(one.key) : null;
    return key === null ? [] : [[key, one.value as Node] as [string, Node]];
  });
}

function pathOf(node: Node): string {
  if (node.type === "Identifier") return node.name as string;
  return node.type === "MemberExpression" && node.computed !== true ? `${pathOf(node.object as Node)}.${nameOf(node.property) ?? ""}` : "";
}

/** Methods of a class that can be made of nothing. */
function methods(name: string, node: Node): Exported[] {
  const all = nodesOf(nodeOf(node.body)?.body).filter((one) => one.type === "MethodDefinition");
  const made = all.find((one) => one.kind === "constructor");
  if (node.superClass || nodesOf(nodeOf(made?.value)?.params).length > 0) return [];
  return all.flatMap((one) => {
    const key = nameOf(one.key);
    return one.kind !== "method" || one.static === true || one.computed === true || key === null ? [] : [{ name: `${name}#${key}`, node: one.value as Node }];
  });
}
