/** Which name is which variable. `var` and functions are bound before their function runs, `let`, `const` and classes before their block does. */
import type * as Oxc from "oxc-parser";
import type { Variable } from "../ir.ts";

interface Scope {
  readonly names: Map<string, number>;
  readonly parent: Scope | null;
  readonly fn: number;
}

export class Scopes {
  readonly variables: { name: string; owner: number; shared: boolean }[] = [];
  #scope: Scope = { names: new Map(), parent: null, fn: 0 };

  get fn(): number {
    return this.#scope.fn;
  }

  within<T>(fn: number, work: () => T): T {
    const outer = this.#scope;
    this.#scope = { names: new Map(), parent: outer, fn };
    try {
      return work();
    } finally {
      this.#scope = outer;
    }
  }

  /** A variable of the present scope; the same one where the name is bound twice. */
  bind(name: string): number {
    const known = this.#scope.names.get(name);
    if (known !== undefined) return known;
    const id = this.variables.push({ name, owner: this.#scope.fn, shared: false }) - 1;
    this.#scope.names.set(name, id);
    return id;
  }

  find(name: string): number | undefined {
    for (let scope: Scope | null = this.#scope; scope !== null; scope = scope.parent) {
      const id = scope.names.get(name);
      if (id !== undefined) return id;
    }
    return undefined;
  }

  assigned(id: number): void {
    const variable = this.variables[id];
    if (variable !== undefined && variable.owner !== this.#scope.fn) variable.shared = true;
  }

  list(): readonly Variable[] {
    return this.variables;
  }
}

type Statements = readonly (Oxc.Statement | Oxc.Directive)[];

/** What `var` binds anywhere in a function's own statements. */
export function hoistedNames(statements: Statements, into: string[], depth = 0): void {
  if (depth > 500) return;
  for (const statement of statements) hoistStatement(statement, into, depth);
}

function hoistStatement(statement: Oxc.Statement | Oxc.Directive | null, into: string[], depth: number): void {
  if (statement === null || depth > 500) return;
  switch (statement.type) {
    case "VariableDeclaration":
      if (statement.kind === "var") for (const { id } of statement.declarations) patternNames(id, into);
      break;
    case "BlockStatement":
      hoistedNames(statement.body, into, depth + 1);
      break;
    case "IfStatement":
      hoistStatement(statement.consequent, into, depth + 1);
      hoistStatement(statement.alternate, into, depth + 1);
      break;
    case "ForStatement":
      if (statement.init?.type === "VariableDeclaration") hoistStatement(statement.init, into, depth + 1);
      hoistStatement(statement.body, into, depth + 1);
      break;
    case "ForInStatement":
    case "ForOfStatement":
      if (statement.left.type === "VariableDeclaration") hoistStatement(statement.left, into, depth + 1);
      hoistStatement(statement.body, into, depth + 1);
      break;
    case "WhileStatement":
    case "DoWhileStatement":
    case "LabeledStatement":
    case "WithStatement":
      hoistStatement(statement.body, into, depth + 1);
      break;
    case "TryStatement":
      hoistedNames(statement.block.body, into, depth + 1);
      if (statement.handler !== null) hoistedNames(statement.handler.body.body, into, depth + 1);
      if (statement.finalizer !== null) hoistedNames(statement.finalizer.body, into, depth + 1);
      break;
    case "SwitchStatement":
      for (const { consequent } of statement.cases) hoistedNames(consequent, into, depth + 1);
      break;
    case "ExportNamedDeclaration":
      if (statement.declaration?.type === "VariableDeclaration") hoistStatement(statement.declaration, into, depth + 1);
      break;
  }
}

/** What a block binds by itself: `let`, `const`, functions, classes, imports, enums. */
export function blockNames(statements: Statements, into: string[]): void {
  for (const statement of statements) {
    switch (statement.type) {
      case "ImportDeclaration":
        for (const { local } of statement.specifiers) into.push(local.name);
        break;
      case "ExportNamedDeclaration":
      case "ExportDefaultDeclaration":
        if (statement.declaration !== null) declared(statement.declaration, into);
        break;
      default:
        declared(statement, into);
    }
  }
}

function declared(node: Oxc.Node, into: string[]): void {
  switch (node.type) {
    case "VariableDeclaration":
      if (node.kind !== "var") for (const { id } of node.declarations) patternNames(id, into);
      break;
    case "FunctionDeclaration":
    case "ClassDeclaration":
    case "TSEnumDeclaration":
    case "TSImportEqualsDeclaration":
      if (node.id !== null) into.push(node.id.name);
      break;
    case "TSModuleDeclaration":
      if (node.id.type === "Identifier") into.push(node.id.name);
      break;
  }
}

export function patternNames(pattern: Oxc.Node, into: string[], depth = 0): void {
  if (depth > 100) return;
  switch (pattern.type) {
    case "Identifier":
      into.push(pattern.name);
      break;
    case "AssignmentPattern":
      patternNames(pattern.left, into, depth + 1);
      break;
    case "ArrayPattern":
      for (const element of pattern.elements) if (element !== null) patternNames(element, into, depth + 1);
      break;
    case "ObjectPattern":
      for (const property of pattern.properties) patternNames(property.type === "RestElement" ? property.argument : property.value, into, depth + 1);
      break;
    case "RestElement":
      patternNames(pattern.argument, into, depth + 1);
      break;
    case "TSParameterProperty":
      patternNames(pattern.parameter, into, depth + 1);
      break;
  }
}
