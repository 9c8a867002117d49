import type { Expression, Variable } from "../ir.ts";

export interface MutableVariable extends Variable {
  shared: boolean;
}
/** Where variables are made. */
interface Variables {
  readonly variables: MutableVariable[];
}

/** The name that a method's first parameter goes by. */
export const THIS = -1;

/**
 * Names and what they are bound to. A class's names are seen from its own body and not from its methods; a comprehension's belong to it
 * alone.
 */
export interface Scope {
  readonly kind: "module" | "function" | "class" | "each";
  /** The function that its variables belong to. */
  readonly fn: number;
  readonly parent: Scope | null;
  /** Variable, or THIS. */
  readonly names: Map<string, number>;
  /** A class's: what it is made of. */
  readonly members: Members | null;
}

export interface Members {
  readonly name: string;
  readonly id: number;
  readonly methods: { name: string; fn: number; static: boolean; kind: "method" | "getter" | "setter" }[];
  readonly fields: { name: string; value: Expression | null; static: boolean; type: Expression | null }[];
}

export function openScope(kind: Scope["kind"], fn: number, parent: Scope | null, members: Members | null = null): Scope {
  return { kind, fn, parent, names: new Map(), members };
}

/** The variable of this name in this scope, made where there is none. A class's own are called `Class.name`, which no other name is. */
export function bind(l: Variables, scope: Scope, name: string): number {
  const known = scope.names.get(name);
  if (known !== undefined && known !== THIS) return known;
  const id = l.variables.length;
  l.variables.push({ name: scope.members ? `${scope.members.name}.${name}` : name, owner: scope.fn, shared: false });
  scope.names.set(name, id);
  return id;
}

/** Variable, THIS, or null for what no file of Python binds here: a builtin, or a name of a star import. */
export function resolve(scope: Scope, name: string): number | null {
  for (let at: Scope | null = scope; at; at = at.parent) {
    if (at.kind === "class" && at !== scope) continue;
    const found = at.names.get(name);
    if (found !== undefined) return found;
  }
  return null;
}

/** `global x`, `nonlocal x`: the name means another scope's variable, which is then written from more than one function. */
export function lend(l: Variables, scope: Scope, name: string, word: "global" | "nonlocal"): void {
  const owner = word === "global" ? moduleOf(scope) : outer(scope, name);
  const id = bind(l, owner, name);
  (l.variables[id] as MutableVariable).shared = true;
  scope.names.set(name, id);
}

export function moduleOf(scope: Scope): Scope {
  let at = scope;
  while (at.parent) at = at.parent;
  return at;
}

function outer(scope: Scope, name: string): Scope {
  for (let at = scope.parent; at; at = at.parent) if (at.kind === "function" && at.names.has(name)) return at;
  return moduleOf(scope);
}
