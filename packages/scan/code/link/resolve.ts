/** What a reference of one file is in another: through imports, exports, re-exports, objects, classes and what functions give back. */
import type { FileFacts, FlowFacts, Ref } from "../engine/facts.ts";
import type { Modules } from "./modules.ts";

export type Resolved =
  | { readonly kind: "function" | "class" | "instance"; readonly file: string; readonly id: number }
  | { readonly kind: "module"; readonly file: string }
  | { readonly kind: "external"; readonly module: string; readonly path: readonly string[] }
  | { readonly kind: "object"; readonly file: string; readonly entries: readonly (readonly [string, Ref])[] };

const MAX_DEPTH = 24;

interface Index {
  readonly flows: FlowFacts;
  readonly exports: ReadonlyMap<string, Ref>;
  readonly functions: ReadonlyMap<number, FlowFacts["functions"][number]>;
  readonly classes: ReadonlyMap<number, FlowFacts["classes"][number]>;
}

export class Resolver {
  readonly #modules: Modules;
  readonly #index = new Map<string, Index>();
  readonly #cache = new Map<string, Resolved | null>();

  constructor(files: ReadonlyMap<string, FileFacts>, modules: Modules) {
    this.#modules = modules;
    for (const [file, { flows }] of files)
      if (flows !== null)
        this.#index.set(file, {
          flows,
          exports: new Map(flows.exports),
          functions: new Map(flows.functions.map((each) => [each[0], each])),
          classes: new Map(flows.classes.map((each) => [each.id, each])),
        });
  }

  flows(file: string): FlowFacts | undefined {
    return this.#index.get(file)?.flows;
  }

  fn(file: string, id: number): FlowFacts["functions"][number] | undefined {
    return this.#index.get(file)?.functions.get(id);
  }

  classOf(file: string, id: number): FlowFacts["classes"][number] | undefined {
    return this.#index.get(file)?.classes.get(id);
  }

  resolve(file: string, ref: Ref, depth = 0): Resolved | null {
    if (depth > MAX_DEPTH) return null;
    const key = `${file}\0${JSON.stringify(ref)}`;
    const known = this.#cache.get(key);
    if (known !== undefined) return known;
    // A reference that leads to itself leads nowhere.
    this.#cache.set(key, null);
    const found = this.#resolve(file, ref, depth);
    this.#cache.set(key, found);
    return found;
  }

  #resolve(file: string, ref: Ref, depth: number): Resolved | null {
    switch (ref[0]) {
      case "o":
        return { kind: "object", file, entries: ref[1] };
      case "p":
        return null;
      case "f":
        return this.#walk({ kind: "function", file, id: ref[1] }, ref.slice(2) as string[], depth);
      case "c":
        return this.#walk({ kind: "class", file, id: ref[1] }, ref.slice(2) as string[], depth);
      case "t":
        return this.#walk({ kind: "instance", file, id: ref[1] }, ref.slice(2) as string[], depth);
      case "m": {
        const target = this.#modules.find(file, ref[1]);
        const path = ref.slice(2) as string[];
        return target === null ? { kind: "external", module: ref[1], path } : this.#walk({ kind: "module", file: target }, path, depth);
      }
    }
  }

  #walk(start: Resolved, path: readonly string[], depth: number): Resolved | null {
    let at: Resolved | null = start;
    for (const segment of path) {
      if (at === null) return null;
      at = this.#step(at, segment, depth + 1);
    }
    return at;
  }

  #step(at: Resolved, segment: string, depth: number): Resolved | null {
    switch (at.kind) {
      case "external":
        return { ...at, path: [...at.path, segment] };
      case "module":
        return segment === "()" ? this.#called(at.file, depth) : this.exported(at.file, segment, depth);
      case "function": {
        if (segment !== "()") return null;
        const returns = this.#index.get(at.file)?.functions.get(at.id)?.[2];
        return returns === null || returns === undefined ? null : this.resolve(at.file, returns, depth);
      }
      case "class":
        return segment === "()" ? { ...at, kind: "instance" } : this.member(at.file, at.id, segment, depth);
      case "instance":
        return this.member(at.file, at.id, segment, depth);
      case "object": {
        const entry = at.entries.find(([name]) => name === segment);
        return entry === undefined ? null : this.resolve(at.file, entry[1], depth);
      }
    }
  }

  /** A module that is called, and whose whole is itself a module (two that are each other's), leads nowhere. */
  #called(file: string, depth: number): Resolved | null {
    const whole = depth > MAX_DEPTH ? null : this.#whole(file, depth);
    return whole === null || whole.kind === "module" ? null : this.#step(whole, "()", depth + 1);
  }

  /** What may be called where a module itself is: `module.exports = function`, or its default. */
  #whole(file: string, depth: number): Resolved | null {
    const { exports } = this.#index.get(file) ?? {};
    const ref = exports?.get("=") ?? exports?.get("default");
    return ref === undefined ? null : this.resolve(file, ref, depth);
  }

  callable(resolved: Resolved | null): Resolved | null {
    return resolved?.kind === "module" ? this.#whole(resolved.file, 0) : resolved;
  }

  exported(file: string, name: string, depth = 0): Resolved | null {
    const index = this.#index.get(file);
    if (index === undefined || depth > MAX_DEPTH) return null;
    const own = index.exports.get(name);
    if (own !== undefined) return this.resolve(file, own, depth);
    const whole = index.exports.get("=");
    if (whole !== undefined) {
      const resolved = this.resolve(file, whole, depth + 1);
      if (resolved === null || name === "default") return resolved;
      return this.#step(resolved, name, depth + 1);
    }
    for (const star of index.flows.stars) {
      const target = this.#modules.find(file, star);
      if (target === null) continue;
      const found = this.exported(target, name, depth + 1);
      if (found !== null) return found;
    }
    // Python: a module below a package is reached through it. CommonJS seen as an ES module: its default is all of it.
    const below = this.#modules.find(file, `.${name}`);
    if (below !== null && below !== file) return { kind: "module", file: below };
    return name === "default" ? { kind: "module", file } : null;
  }

  /** Of the class or of what it extends. */
  member(file: string, id: number, name: string, depth: number): Resolved | null {
    const node = this.#index.get(file)?.classes.get(id);
    if (node === undefined || depth > MAX_DEPTH) return null;
    const method = node.methods.find(([each]) => each === name);
    if (method !== undefined) return { kind: "function", file, id: method[1] };
    const field = node.fields.find(([each]) => each === name);
    if (field !== undefined) return this.resolve(file, field[1], depth + 1);
    for (const base of node.bases) {
      const resolved = this.resolve(file, base, depth + 1);
      if (resolved?.kind !== "class") continue;
      const found = this.member(resolved.file, resolved.id, name, depth + 1);
      if (found !== null) return found;
    }
    return null;
  }
}
