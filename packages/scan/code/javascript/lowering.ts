/** What the parts of the lowering share: the tables of the module that is made, the scopes, the depth, and the way from one part to another. */
import type * as Oxc from "oxc-parser";
import { type Class, type Expression, type Fn, MAX_DEPTH, type Pattern, type Statement } from "../ir.ts";
import { Scopes } from "./scope.ts";

export type FunctionNode = Oxc.Function | Oxc.ArrowFunctionExpression;

/** The recursive ones, tied together in `lower.ts`: no part imports another. */
export interface Parts {
  expression(lowering: Lowering, node: Oxc.Node): Expression;
  statement(lowering: Lowering, node: Oxc.Node, into: Statement[]): void;
  pattern(lowering: Lowering, node: Oxc.Node): Pattern;
  fn(lowering: Lowering, node: FunctionNode, name: string, owner: number | null): number;
  classOf(lowering: Lowering, node: Oxc.Class): number;
}

export class Lowering {
  readonly scopes = new Scopes();
  readonly functions: Fn[] = [];
  readonly classes: Class[] = [];
  readonly #parts: Parts;
  /** The class whose `this` is seen here. */
  owner: number | null = null;
  /** What the next function is assigned to. */
  hint = "";
  tooDeep = false;
  #depth = 0;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  expression(node: Oxc.Node): Expression {
    if (this.#depth >= MAX_DEPTH) return this.#cut(node);
    this.#depth++;
    try {
      return this.#parts.expression(this, node);
    } finally {
      this.#depth--;
    }
  }

  /** An expression that gives its name to a function that it is: `const f = () => …`. */
  named(node: Oxc.Node, name: string): Expression {
    this.hint = name;
    const value = this.expression(node);
    this.hint = "";
    return value;
  }

  statement(node: Oxc.Node, into: Statement[]): void {
    if (this.#depth >= MAX_DEPTH) {
      this.#cut(node);
      return;
    }
    this.#depth++;
    try {
      this.#parts.statement(this, node, into);
    } finally {
      this.#depth--;
    }
  }

  statements(nodes: readonly Oxc.Node[]): Statement[] {
    const into: Statement[] = [];
    for (const node of nodes) this.statement(node, into);
    return into;
  }

  pattern(node: Oxc.Node): Pattern {
    return this.#parts.pattern(this, node);
  }

  fn(node: FunctionNode, name: string, owner: number | null): number {
    return this.#parts.fn(this, node, name, owner);
  }

  classOf(node: Oxc.Class): number {
    return this.#parts.classOf(this, node);
  }

  #cut(node: Oxc.Node): Expression {
    this.tooDeep = true;
    return { kind: "opaque", parts: [], at: node.start, end: node.end };
  }
}

/** The name of a key that is no expression; null where it is computed. */
export function keyName(key: Oxc.Node, computed: boolean): string | null {
  if (key.type === "Literal") return typeof key.value === "string" ? key.value : typeof key.value === "number" ? String(key.value) : null;
  if (computed) return null;
  if (key.type === "Identifier") return key.name;
  if (key.type === "PrivateIdentifier") return `#${key.name}`;
  return null;
}
