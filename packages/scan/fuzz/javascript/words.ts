import { type Node, nameOf, nodeOf, nodesOf, walk } from "./tree.ts";

export interface Words {
  /** Strings that the program compares and looks for, and the plain parts of its regular expressions. */
  readonly words: Set<string>;
  readonly patterns: Set<string>;
  /** What is imported from where: names, for those that are not there. */
  readonly imports: Map<string, Set<string>>;
}

const MOST_WORDS = 2000;
const LONGEST = 64;

export function wordsOf(program: Node, into: Words): void {
  const add = (word: string) => {
    if (word.length > 0 && word.length <= LONGEST && into.words.size < MOST_WORDS) into.words.add(word);
  };
  walk(program, (node) => {
    if (node.type === "Literal") literal(node, add, into);
    else if (node.type === "TemplateElement") add(String((node.value as { cooked?: string })?.cooked ?? ""));
    else if (node.type === "ImportDeclaration" || ((node.type === "ExportNamedDeclaration" || node.type === "ExportAllDeclaration") && node.source))
      imported(node, into);
    else if (node.type === "MemberExpression" && node.computed !== true) add(nameOf(node.property) ?? "");
  });
}

function literal(node: Node, add: (word: string) => void, { patterns }: Words): void {
  const { value, regex } = node as { value?: unknown; regex?: { pattern: string; flags: string } };
  if (typeof value === "string") add(value);
  if (regex === undefined) return;
  if (regex.pattern.length <= 1000 && patterns.size < 200) patterns.add(`/${regex.pattern}/${regex.flags}`);
  for (const part of regex.pattern
    .replace(/\\[bBdDsSwW]|\[[^\]]*\]|\(\?.|[.*+?^$(){}|]/g, "\0")
    .replace(/\\(.)/g, "$1")
    .split("\0"))
    if (part.length > 1) add(part);
}

function imported(node: Node, { imports }: Words): void {
  const from = nameOf(node.source);
  if (from === null || from.startsWith(".")) return;
  const names = imports.get(from) ?? new Set();
  for (const one of nodesOf(node.specifiers)) {
    const name = nameOf(one.type === "ExportSpecifier" ? one.local : nodeOf(one.imported));
    if (name !== null) names.add(name);
  }
  imports.set(from, names);
}
