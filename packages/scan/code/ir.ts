/**
 * The one shape in which the taint engine sees code, whatever language it was written in. A *lowering* (`javascript/lower.ts`,
 * `python/`) turns a file's text into a `Module`; the engine (`engine/`) never sees a syntax tree.
 *
 * It is a small tree, not a list of instructions: a guard that ends its branch, a closure that sees what stands around it and a step
 * that a reader recognises all need the code's structure. What has no bearing on where data goes is left out.
 *
 * What every lowering promises:
 * - **Scopes are resolved.** A variable is a number, an index into `Module.variables`; equal numbers are the same variable, in closures
 *   as well. Only what is bound nowhere in the file is a `global`.
 * - **Evaluation order is the order of the tree**, so a strong update is right in straight code.
 * - **Transparent things are gone**: parentheses, casts, type assertions, non-null marks.
 * - **`this`/`self` is no parameter**: positions of parameters are positions of arguments. In a Python method the first parameter is
 *   lowered to `this` (for a classmethod as well) and dropped.
 * - Depth of nesting is bounded (`MAX_DEPTH`): what lies deeper becomes `opaque`, and the lowering tells a gap `degraded/depth`.
 * - Offsets are UTF-16 offsets into the text, `end` exclusive. Names are the artifact's text: use them as keys of a `Map`, never of an
 *   object (`__proto__`).
 */
import type { LookGap } from "../analyser.ts";

/** Nesting of statements and expressions together that a lowering keeps. */
export const MAX_DEPTH = 400;

/** Text to module. Never throws for anything that a file holds; `module` is null where nothing could be made of it. */
export type Lower = (text: string, path: string) => Lowered;
export interface Lowered {
  readonly module: Module | null;
  readonly gaps: readonly LookGap[];
}

export interface Module {
  readonly language: "javascript" | "typescript" | "python";
  readonly variables: readonly Variable[];
  /** `functions[i].id === i`; 0 is the module's own body, with no parameters. */
  readonly functions: readonly Fn[];
  /** `classes[i].id === i`. */
  readonly classes: readonly Class[];
  /** Where the outermost statements stand, in order; null where the text could be read in part only. */
  readonly statements: readonly (readonly [at: number, end: number])[] | null;
  /** True (Python): every variable of function 0 is exported under its name, beside the `export` statements. */
  readonly exportsEverything: boolean;
}

export interface Variable {
  readonly name: string;
  /** The function that binds it: 0 for the module's. */
  readonly owner: number;
  /** Assigned in another function than its owner (Python: `global`, `nonlocal`; JS: any closure). */
  readonly shared: boolean;
}

interface Node {
  readonly at: number;
  readonly end: number;
}

export interface Fn extends Node {
  readonly id: number;
  /** Of its declaration, or of what it is first assigned to (`const f = () => …`, `{f: function () {}}`); "" where there is none. */
  readonly name: string;
  readonly parameters: readonly Parameter[];
  readonly body: readonly Statement[];
  /** The class whose method this is. Closures in a method keep it too, where they see its `this` (arrows; every nested Python function). */
  readonly owner: number | null;
  /** Its value is what it gives out piece by piece. */
  readonly generator: boolean;
  /** As written above it; Python decorators are calls or references (`app.route("/x")`). */
  readonly decorators: readonly Expression[];
}

export interface Parameter {
  /** What it binds: a plain variable, or a pattern (destructuring). */
  readonly target: Pattern;
  /** Its name, by which a keyword argument reaches it; "" for a pattern. */
  readonly name: string;
  readonly default: Expression | null;
  /** `plain`; `rest`: `...xs`, `*args`; `keywords`: `**kwargs`. */
  readonly kind: "plain" | "rest" | "keywords";
  /** Its annotation as a reference (`Request`, `express.Request`, `Annotated[str, Query()]` as a call or what stands closest); null where none. */
  readonly type: Expression | null;
  readonly decorators: readonly Expression[];
}

export interface Class extends Node {
  /** No `class` expression or statement makes it: it is a function and what is written to its prototype. Its constructor is its value. */
  readonly detached?: boolean;
  readonly id: number;
  readonly name: string;
  readonly bases: readonly Expression[];
  /** The constructor is called `constructor` in every language (Python: `__init__`). */
  readonly methods: readonly { readonly name: string; readonly fn: number; readonly static: boolean; readonly kind: "method" | "getter" | "setter" }[];
  readonly fields: readonly { readonly name: string; readonly value: Expression | null; readonly static: boolean; readonly type: Expression | null }[];
  readonly decorators: readonly Expression[];
}

/** What an assignment, a parameter, a loop or an import binds. */
export type Pattern =
  | ({ readonly kind: "variable"; readonly id: number } & Node)
  /** `a.b = …`, `a[i] = …`. */
  | ({ readonly kind: "member"; readonly object: Expression; readonly name: string | null; readonly computed: Expression | null } & Node)
  /** `module.exports = …`. */
  | ({ readonly kind: "exports" } & Node)
  /** `{a, b: c = 1, ...rest}`. A computed key has name null. */
  | ({ readonly kind: "object"; readonly properties: readonly PatternProperty[]; readonly rest: Pattern | null } & Node)
  /** `[a, , b]`, `(a, *b)`. Holes are null. */
  | ({ readonly kind: "array"; readonly items: readonly (Pattern | null)[]; readonly rest: Pattern | null } & Node)
  /** A pattern with a default: `{a = 1}`. */
  | ({ readonly kind: "default"; readonly target: Pattern; readonly value: Expression } & Node);
export interface PatternProperty {
  readonly name: string | null;
  readonly computed: Expression | null;
  readonly target: Pattern;
}

export type Expression =
  /** A literal. Python's `None`, JS's `undefined` and `null` are null. Bytes are strings. Big numbers may be 0: nobody asks. */
  | ({ readonly kind: "constant"; readonly value: string | number | boolean | null } & Node)
  | ({ readonly kind: "regex"; readonly pattern: string; readonly flags: string } & Node)
  | ({ readonly kind: "variable"; readonly id: number } & Node)
  | ({ readonly kind: "global"; readonly name: string } & Node)
  | ({ readonly kind: "this" } & Node)
  /** The class that a method belongs to, or its base where `super` is called or read. */
  | ({ readonly kind: "super" } & Node)
  /**
   * `import x` as a value: `require("m")`, `import("m")`, `__import__("m")`, `importlib.import_module("m")`. `module` is null where it is
   * computed, by `computed`. Python's relative modules keep their dots: `.models`, `..`.
   */
  | ({ readonly kind: "import"; readonly module: string | null; readonly computed: Expression | null } & Node)
  /** What this module exports, as an object: `module.exports`, `exports`. Assigning to it (or below it) exports. */
  | ({ readonly kind: "exports" } & Node)
  /** `a.b`, `a["b"]`, `a[0]` (name "0"); `a[x]` has name null and `computed`. Slices are members with a computed name. */
  | ({ readonly kind: "member"; readonly object: Expression; readonly name: string | null; readonly computed: Expression | null } & Node)
  | Call
  | ({ readonly kind: "function"; readonly id: number } & Node)
  | ({ readonly kind: "class"; readonly id: number } & Node)
  /** `{a: 1, [k]: 2, ...c}`, a dict. A spread has name null, computed null. */
  | ({ readonly kind: "object"; readonly properties: readonly Property[] } & Node)
  /** Lists, tuples and sets. */
  | ({ readonly kind: "array"; readonly items: readonly Argument[] } & Node)
  /** Text put together: `a + b` where it may be text, template literals, f-strings, Python's `"…" % x` (parts: format, then each value). */
  | ({ readonly kind: "concat"; readonly parts: readonly Expression[]; readonly form: "plus" | "template" | "format" } & Node)
  /** `x = v`, `x += v` (op "+"), `x ||= v` (op "or"). Its value is the assigned one. Other operators (`-=`) give numbers: value `opaque`. */
  | ({ readonly kind: "assign"; readonly target: Pattern; readonly value: Expression; readonly op: "=" | "+" | "or" } & Node)
  | ({ readonly kind: "conditional"; readonly test: Expression; readonly value: Expression; readonly otherwise: Expression } & Node)
  /** `&&`, `||`, `??`; Python's `and`, `or`. */
  | ({ readonly kind: "logic"; readonly op: "and" | "or" | "nullish"; readonly left: Expression; readonly right: Expression } & Node)
  | ({ readonly kind: "not"; readonly value: Expression } & Node)
  /** `equal` is `==`, `===`, `is`; `in` is membership: Python's `x in xs`, JS's `k in o`. `typeof x == "string"` has left = a `typeof`. */
  | ({
      readonly kind: "compare";
      readonly op: "equal" | "unequal" | "less" | "in" | "not-in" | "instanceof";
      readonly left: Expression;
      readonly right: Expression;
    } & Node)
  | ({ readonly kind: "typeof"; readonly value: Expression } & Node)
  /** Transparent to data: `await x`. */
  | ({ readonly kind: "await"; readonly value: Expression } & Node)
  | ({ readonly kind: "yield"; readonly value: Expression | null } & Node)
  /** Evaluated in order; the value is the last one's. */
  | ({ readonly kind: "sequence"; readonly items: readonly Expression[] } & Node)
  /** A comprehension, or whatever binds for each element: `target` takes each of `over`; the value is a list of `value`. */
  | ({ readonly kind: "each"; readonly target: Pattern; readonly over: Expression; readonly test: Expression | null; readonly value: Expression } & Node)
  /** JSX. `tag` is the element's name, or the component (`tagValue`). */
  | ({
      readonly kind: "markup";
      readonly tag: string;
      readonly component: Expression | null;
      readonly attributes: readonly Property[];
      readonly children: readonly Expression[];
    } & Node)
  /** Numbers, comparisons that nobody asks about, what lies too deep: no data passes. `parts` are evaluated for what they do. */
  | ({ readonly kind: "opaque"; readonly parts: readonly Expression[] } & Node);

export interface Call extends Node {
  readonly kind: "call";
  readonly callee: Expression;
  readonly arguments: readonly Argument[];
  /** `new X()`. Python's constructors are plain calls. */
  readonly construct: boolean;
}
export interface Argument {
  readonly value: Expression;
  /** `spread`: `...xs`, `*xs`; `keywords`: `**kw`. */
  readonly kind: "plain" | "spread" | "keywords";
  /** Of a keyword argument. */
  readonly name: string | null;
}
export interface Property {
  readonly name: string | null;
  readonly computed: Expression | null;
  readonly value: Expression;
}

export type Statement =
  | ({ readonly kind: "expression"; readonly value: Expression } & Node)
  /** `import * as x from "m"` has member null; `import x` member "default" (JS); `from m import a as b` member "a". */
  | ({
      readonly kind: "import";
      readonly module: string;
      readonly bindings: readonly { readonly member: string | null; readonly variable: number }[];
      /** Types only: nothing of it runs. */
      readonly erased: boolean;
    } & Node)
  | ({ readonly kind: "export"; readonly name: string; readonly value: Expression } & Node)
  /** `export * from "m"`, `from m import *` (which binds and re-exports). `export {a as b} from "m"` is an `export` of a member of an `import`. */
  | ({ readonly kind: "export-all"; readonly module: string } & Node)
  | ({ readonly kind: "if"; readonly test: Expression; readonly body: readonly Statement[]; readonly otherwise: readonly Statement[] } & Node)
  /** `for`, `while`, `do`; `each` binds elements (`for x of/in xs`; `keys`: JS's for-in gives names, not values). */
  | ({ readonly kind: "loop"; readonly test: Expression | null; readonly each: Each | null; readonly body: readonly Statement[] } & Node)
  | ({
      readonly kind: "switch";
      readonly value: Expression;
      /** `tests` are the values of one body; empty for `default`. A body falls into the next unless it ends. */
      readonly cases: readonly { readonly tests: readonly Expression[]; readonly body: readonly Statement[] }[];
    } & Node)
  | ({
      readonly kind: "try";
      readonly body: readonly Statement[];
      readonly error: Pattern | null;
      readonly handler: readonly Statement[] | null;
      readonly finally: readonly Statement[];
    } & Node)
  | ({ readonly kind: "return"; readonly value: Expression | null } & Node)
  | ({ readonly kind: "throw"; readonly value: Expression | null } & Node)
  /** `break`, `continue`: what follows in this body is not reached. */
  | ({ readonly kind: "leave" } & Node)
  /** A block, or a `with` (whose items come as assignments in the body). */
  | ({ readonly kind: "block"; readonly body: readonly Statement[] } & Node)
  /** A function declaration: bound before anything of its scope runs. The same for a class, where it stands. */
  | ({ readonly kind: "function"; readonly variable: number; readonly id: number } & Node)
  | ({ readonly kind: "class"; readonly variable: number; readonly id: number } & Node);
export interface Each {
  readonly target: Pattern;
  readonly over: Expression;
  readonly keys: boolean;
}
