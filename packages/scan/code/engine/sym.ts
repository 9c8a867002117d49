/**
 * What a value *is*, as a path from where it comes: `mysql` + `createPool` + `()` + `query`. Nodes of a tree, so that equal paths are one
 * object, and what is known of a path is looked up once.
 */
export type Root =
  | { readonly kind: "module"; readonly module: string }
  | { readonly kind: "global" }
  | { readonly kind: "function"; readonly id: number }
  | { readonly kind: "class"; readonly id: number }
  | { readonly kind: "this"; readonly id: number }
  | { readonly kind: "parameter"; readonly fn: number; readonly index: number };

/** Longer paths (fluent builders) are cut: nothing is known of them. */
const MAX_SEGMENTS = 12;
export const CALL = "()";

export class Sym {
  readonly root: Root;
  readonly parent: Sym | null;
  readonly segment: string;
  readonly depth: number;
  #children: Map<string, Sym> | null = null;
  /** What `Knowledge` found, kept here. Undefined: not asked yet. */
  known: unknown;

  constructor(root: Root, parent: Sym | null = null, segment = "") {
    this.root = root;
    this.parent = parent;
    this.segment = segment;
    this.depth = parent === null ? 0 : parent.depth + 1;
  }

  /** Null past the limit. */
  child(segment: string): Sym | null {
    if (this.depth >= MAX_SEGMENTS) return null;
    this.#children ??= new Map();
    let child = this.#children.get(segment);
    if (child === undefined) {
      child = new Sym(this.root, this, segment);
      this.#children.set(segment, child);
    }
    return child;
  }

  call(): Sym | null {
    // Calling what a call gave (`express()()`) leads nowhere that anybody describes; a chain of calls stays where it is.
    return this.child(CALL);
  }

  segments(): string[] {
    const path: string[] = [];
    for (let node: Sym = this; node.parent !== null; node = node.parent) path.push(node.segment);
    return path.reverse();
  }
}

/** The roots of one file. */
export class Roots {
  readonly #modules = new Map<string, Sym>();
  readonly #numbered = new Map<string, Sym>();
  readonly global = new Sym({ kind: "global" });

  module(module: string): Sym {
    let sym = this.#modules.get(module);
    if (sym === undefined) {
      sym = new Sym({ kind: "module", module });
      this.#modules.set(module, sym);
    }
    return sym;
  }

  numbered(kind: "function" | "class" | "this", id: number): Sym {
    return this.#make(`${kind}${id}`, { kind, id });
  }

  parameter(fn: number, index: number): Sym {
    return this.#make(`p${fn}:${index}`, { kind: "parameter", fn, index });
  }

  #make(key: string, root: Root): Sym {
    let sym = this.#numbered.get(key);
    if (sym === undefined) {
      sym = new Sym(root);
      this.#numbered.set(key, sym);
    }
    return sym;
  }
}
