/** Imports and exports. */
import type * as Oxc from "oxc-parser";
import type { Expression, Statement } from "../ir.ts";
import type { Lowering } from "./lowering.ts";

/** False where the statement has nothing to do with modules. */
export function lowerModuleStatement(lowering: Lowering, node: Oxc.Node, into: Statement[]): boolean {
  const place = { at: node.start, end: node.end };
  switch (node.type) {
    case "ImportDeclaration":
      into.push(importOf(lowering, node));
      return true;
    case "ExportNamedDeclaration":
      exported(lowering, node, into);
      return true;
    case "ExportDefaultDeclaration":
      into.push(defaultOf(lowering, node, into));
      return true;
    case "ExportAllDeclaration": {
      if (node.exportKind === "type") return true;
      const module = node.source.value;
      if (node.exported === null) into.push({ kind: "export-all", module, ...place });
      else into.push({ kind: "export", name: nameOf(node.exported), value: { kind: "import", module, computed: null, ...place }, ...place });
      return true;
    }
    case "TSExportAssignment": {
      const value = lowering.expression(node.expression);
      into.push({ kind: "expression", value: { kind: "assign", target: { kind: "exports", ...place }, value, op: "=", ...place }, ...place });
      return true;
    }
    case "TSImportEqualsDeclaration": {
      const reference = node.moduleReference;
      const variable = lowering.scopes.find(node.id.name);
      if (reference.type === "TSExternalModuleReference" && variable !== undefined)
        into.push({ kind: "import", module: reference.expression.value, bindings: [{ member: null, variable }], erased: node.importKind === "type", ...place });
      return true;
    }
    case "TSModuleDeclaration":
      if (!node.declare && node.body !== null) lowerNamespace(lowering, node.body, into);
      return true;
    default:
      return false;
  }
}

function importOf(lowering: Lowering, node: Oxc.ImportDeclaration): Statement {
  const bindings = node.specifiers.flatMap((each) => {
    const variable = lowering.scopes.find(each.local.name);
    if (variable === undefined) return [];
    const member = each.type === "ImportNamespaceSpecifier" ? null : each.type === "ImportDefaultSpecifier" ? "default" : nameOf(each.imported);
    return [{ member, variable }];
  });
  const allTypes = node.specifiers.length > 0 && node.specifiers.every((each) => each.type === "ImportSpecifier" && each.importKind === "type");
  return { kind: "import", module: node.source.value, bindings, erased: node.importKind === "type" || allTypes, at: node.start, end: node.end };
}

function exported(lowering: Lowering, node: Oxc.ExportNamedDeclaration, into: Statement[]): void {
  if (node.exportKind === "type") return;
  const place = { at: node.start, end: node.end };
  if (node.declaration !== null) {
    lowering.statement(node.declaration, into);
    for (const name of declaredNames(node.declaration)) {
      const id = lowering.scopes.find(name);
      if (id !== undefined) into.push({ kind: "export", name, value: { kind: "variable", id, ...place }, ...place });
    }
  }
  for (const each of node.specifiers) {
    const name = nameOf(each.exported);
    const local = nameOf(each.local);
    const value = node.source === null ? reference(lowering, local, place) : fromModule(node.source.value, local, place);
    into.push({ kind: "export", name, value, ...place });
  }
}

function reference(lowering: Lowering, name: string, place: { at: number; end: number }): Expression {
  const id = lowering.scopes.find(name);
  return id === undefined ? { kind: "global", name, ...place } : { kind: "variable", id, ...place };
}

function fromModule(module: string, member: string, place: { at: number; end: number }): Expression {
  return { kind: "member", object: { kind: "import", module, computed: null, ...place }, name: member, computed: null, ...place };
}

function defaultOf(lowering: Lowering, node: Oxc.ExportDefaultDeclaration, into: Statement[]): Statement {
  const place = { at: node.start, end: node.end };
  const { declaration } = node;
  if ((declaration.type === "FunctionDeclaration" || declaration.type === "ClassDeclaration") && declaration.id !== null) {
    lowering.statement(declaration, into);
    return { kind: "export", name: "default", value: reference(lowering, declaration.id.name, place), ...place };
  }
  return { kind: "export", name: "default", value: lowering.named(declaration, "default"), ...place };
}

function lowerNamespace(lowering: Lowering, body: Oxc.TSModuleBlock, into: Statement[]): void {
  into.push({ kind: "block", body: lowering.statements(body.body), at: body.start, end: body.end });
}

function declaredNames(node: Oxc.Declaration): string[] {
  if (node.type === "VariableDeclaration") return node.declarations.flatMap(({ id }) => (id.type === "Identifier" ? [id.name] : objectNames(id)));
  if ((node.type === "FunctionDeclaration" || node.type === "ClassDeclaration") && node.id !== null) return [node.id.name];
  return [];
}

/** `export const { a, b } = f()`. */
function objectNames(pattern: Oxc.BindingPattern): string[] {
  if (pattern.type !== "ObjectPattern") return [];
  return pattern.properties.flatMap((each) => (each.type === "Property" && each.value.type === "Identifier" ? [each.value.name] : []));
}

function nameOf(node: Oxc.ModuleExportName): string {
  return node.type === "Literal" ? String(node.value) : node.name;
}
