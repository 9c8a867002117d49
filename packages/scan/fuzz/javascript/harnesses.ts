import type { Harness, InputSchema } from "../harness.ts";
import { exportedFunctions } from "./exports.ts";
import { type Node, nameOf, nodeOf, nodesOf, walk } from "./tree.ts";
import { inferred, schemaOfType } from "./types.ts";

/** Everything of one module that takes input: its exported functions and the tools that it registers. */
export function harnessesOf(path: string, source: string, program: Node): Harness[] {
  const lines = linesOf(source);
  const named = typesOf(program);
  const functions = exportedFunctions(program).flatMap(({ name, node }) => {
    const params = nodesOf(node.params).slice(0, 8);
    if (params.length === 0) return [];
    const said = commented(source, node);
    const read = params.map((param) => schemaOf(param, nodeOf(node.body) ?? node, said, named));
    const types = read.every(({ declared }) => declared) ? ("declared" as const) : ("inferred" as const);
    return [
      { ...base(path, lines(node.start)), id: `${path}:${name}`, kind: "function" as const, export: name, params: read.map(({ schema }) => schema), types },
    ];
  });
  return [...tools(path, program, lines), ...functions];
}

function base(path: string, line: number): Pick<Harness, "language" | "module" | "name" | "line"> {
  return { language: "javascript", module: path, name: "", line };
}

/** `server.tool("name", …)`, `server.registerTool("name", …)`, `server.setRequestHandler(CallToolRequestSchema, …)`. Their schemas are read when they register. */
function tools(path: string, program: Node, lines: (at: number) => number): Harness[] {
  const found: Harness[] = [];
  walk(program, (node) => {
    const callee = node.type === "CallExpression" ? nodeOf(node.callee) : null;
    if (callee?.type !== "MemberExpression" || found.length >= 64) return;
    const member = nameOf(callee.property);
    const [first] = nodesOf(node.arguments);
    const name = first?.type === "Literal" ? nameOf(first) : null;
    const handler = member === "setRequestHandler" && nameOf(first) === "CallToolRequestSchema";
    if (!handler && (name === null || (member !== "tool" && member !== "registerTool") || nodesOf(node.arguments).length < 2)) return;
    const called = handler ? "tools/call" : (name as string);
    found.push({
      ...base(path, lines(node.start)),
      id: `${path}:tool ${called}`.slice(0, 400),
      kind: "tool",
      export: "",
      name: called.slice(0, 200),
      params: [],
      types: "declared",
    });
  });
  return found;
}

function schemaOf(param: Node, body: Node, said: ReadonlyMap<string, string>, named: ReadonlyMap<string, Node>): { schema: InputSchema; declared: boolean } {
  const target = param.type === "AssignmentPattern" ? (param.left as Node) : param;
  const declared = schemaOfType(target.typeAnnotation, named) ?? documented(said.get(nameOf(target) ?? ""));
  if (declared !== null) return { schema: declared, declared: true };
  if (target.type === "ObjectPattern") {
    const keys = nodesOf(target.properties).flatMap((one) => nameOf(one.key) ?? []);
    return { schema: { type: "object", properties: Object.fromEntries(keys.map((key) => [key, { type: "string" }])), required: keys }, declared: false };
  }
  if (target.type === "RestElement" || target.type === "ArrayPattern") return { schema: { type: "string" }, declared: false };
  return { schema: inferred(nameOf(target) ?? "", body, param.type === "AssignmentPattern" ? param.right : null), declared: false };
}

/** `@param {string} name` of the comment right before. */
function commented(source: string, node: Node): Map<string, string> {
  const before = source.slice(Math.max(0, node.start - 4000), node.start);
  const from = before.lastIndexOf("/**");
  const end = before.indexOf("*/", from);
  if (from < 0 || end < 0 || !/^[\s\w.=$(,:]*$/.test(before.slice(end + 2)) || before.length - end > 200) return new Map();
  const found = new Map<string, string>();
  for (const line of before.slice(from, end).split("\n").slice(0, 100)) {
    const [, type, name] = /@param\s{1,4}\{([^{}]{1,80})\}\s{1,8}\[?([\w$]+)/.exec(line) ?? [];
    if (type !== undefined && name !== undefined) found.set(name, type.trim().replace(/[=?!]/g, ""));
  }
  return found;
}

function documented(type: string | undefined): InputSchema | null {
  if (type === undefined) return null;
  const [, inner] = /^(?:Array<)?(string|number|boolean)(?:>|\[\])$/.exec(type) ?? [];
  if (inner !== undefined) return { type: "array", items: { type: inner } };
  if (/^(string|number|boolean)$/.test(type)) return { type };
  return type === "Buffer" || type === "Uint8Array" ? { type: "bytes" } : null;
}

function typesOf(program: Node): Map<string, Node> {
  const named = new Map<string, Node>();
  for (const statement of nodesOf(program.body)) {
    const node = nodeOf(statement.declaration) ?? statement;
    const held =
      node.type === "TSInterfaceDeclaration" && nodesOf(node.extends).length === 0
        ? node.body
        : node.type === "TSTypeAliasDeclaration"
          ? node.typeAnnotation
          : null;
    const name = nameOf(node.id);
    if (name !== null && held) named.set(name, held as Node);
  }
  return named;
}

function linesOf(source: string): (at: number) => number {
  const starts = [0];
  for (let at = source.indexOf("\n"); at >= 0; at = source.indexOf("\n", at + 1)) starts.push(at + 1);
  return (at) => {
    let low = 0;
    let high = starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((starts[middle] as number) <= at) low = middle;
      else high = middle - 1;
    }
    return low + 1;
  };
}
