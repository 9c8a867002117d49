/** One file's evaluation: its state, and the way from one part of the evaluator to another. */
import type { Call, Expression, Fn, Module, Pattern, Statement } from "../ir.ts";
import { maskOf } from "../kinds.ts";
import { Environment } from "./environment.ts";
import type { Knowledge, KnownCheck } from "./knowledge.ts";
import type { OutlineMaker } from "./outline.ts";
import { Recorder } from "./recorder.ts";
import { Roots, type Sym } from "./sym.ts";
import { atomOf, COPY, NOTHING, type Taint, type Value } from "./value.ts";

/** The recursive ones, tied together in `evaluate.ts`: no part imports another. */
export interface Parts {
  expression(run: Run, node: Expression): Value;
  statements(run: Run, list: readonly Statement[]): boolean;
  bind(run: Run, target: Pattern, value: Value): void;
  fn(run: Run, fn: Fn, given: readonly Value[] | null): Value;
}

/** A check that held: `checks.ts` makes a match of it. */
export interface Told {
  readonly rule: number;
  readonly at: number;
  readonly end: number;
  readonly name: string;
  readonly words: string;
  readonly fn: number;
  readonly edit: { readonly start: number; readonly end: number; readonly text: string } | null;
}

interface Span {
  readonly at: number;
  readonly end: number;
}

/** Expressions and statements that one file may cost, a hundred times what code of a megabyte has. */
const BUDGET = 6_000_000;

export class Run {
  readonly module: Module;
  readonly knowledge: Knowledge;
  readonly outline: OutlineMaker;
  readonly recorder = new Recorder();
  readonly roots = new Roots();
  readonly told = new Map<string, Told>();
  readonly path: string;
  env = new Environment(null);
  fn = 0;
  thisValue: Value = NOTHING;
  /** What is being assigned to, and the functions that this stands in: outermost first. */
  readonly around: string[] = [];
  exportsValue: Value = NOTHING;
  readonly exported = new Map<string, Value>();
  /** What the truth of a variable says: `const ok = list.includes(x)`. */
  readonly asked = new Map<number, { readonly value: Value; readonly yes: ReadonlyMap<string, number>; readonly no: ReadonlyMap<string, number> }>();
  readonly stars: string[] = [];
  /** `class:field`. */
  readonly heap = new Map<string, Value>();
  /** Functions to be evaluated when what stands around them is done. */
  readonly later: { fn: Fn; env: Environment; thisValue: Value }[] = [];
  readonly evaluated = new Set<number>();
  /** Classes that were seen, with their bases; and those whose methods are still to be evaluated. */
  readonly classes = new Map<number, readonly Value[]>();
  readonly laterClasses: { id: number; env: Environment }[] = [];
  depth = 0;
  /** Constructors and methods of classes that are made of functions: by function. */
  readonly detached = new Map<number, { readonly classId: number; readonly isConstructor: boolean }>();
  looping = 0;
  /** The second time through a loop: what is defined in it was seen the first time. */
  again = false;
  /** The newest call behind which nothing is reached. */
  left: Call | null = null;
  /** What functions give back, and where; null where no framework obeys that. */
  answers: Map<number, { readonly value: Value; readonly node: Statement }[]> | null = null;
  returned: Value = NOTHING;
  /** Function declarations of the function that is being evaluated, which run when all around them is known. */
  hoisted: Fn[] = [];
  readonly results = new Map<number, Value>();
  spent = 0;
  /** The expression whose value is being assigned. */
  writing: Expression | null = null;
  readonly #parts: Parts;

  constructor(parts: Parts, module: Module, knowledge: Knowledge, outline: OutlineMaker, path: string) {
    this.#parts = parts;
    this.module = module;
    this.knowledge = knowledge;
    this.outline = outline;
    this.path = path;
    for (const { id, methods, detached } of module.classes)
      if (detached) for (const { name, fn } of methods) this.detached.set(fn, { classId: id, isConstructor: name === "constructor" });
  }

  /** What a function is, as a value. */
  functionSym(id: number): Sym {
    const detached = this.detached.get(id);
    return detached?.isConstructor ? this.roots.numbered("class", detached.classId) : this.roots.numbered("function", id);
  }

  get exhausted(): boolean {
    return this.spent > BUDGET;
  }

  value(node: Expression): Value {
    if (++this.spent > BUDGET) return NOTHING;
    return this.#parts.expression(this, node);
  }

  /** Whether what follows is not reached. */
  statements(list: readonly Statement[]): boolean {
    return this.#parts.statements(this, list);
  }

  bind(target: Pattern, value: Value): void {
    this.#parts.bind(this, target, value);
  }

  /** Evaluates a function where it stands; `given` where its arguments are known. Gives what it returns. */
  call(fn: Fn, given: readonly Value[] | null): Value {
    return this.#parts.fn(this, fn, given);
  }

  /** Where data from outside is read. */
  source(id: number, at: number, end: number): Taint {
    const except = this.knowledge.sources[id]?.except ?? [];
    return { atom: atomOf(this.recorder.source(id, at, end)), mode: COPY, mask: maskOf(except), step: null };
  }

  /** A check of a rule holds. */
  tell({ rule, check }: KnownCheck, { at, end }: Span, name: string, value: Span | null): void {
    if (check.unless_imports.some((module) => this.outline.imports(module))) return;
    const edit = check.replace === undefined || value === null ? null : { start: value.at, end: value.end, text: check.replace };
    this.told.set(`${rule}:${at}`, { rule, at, end, name, words: check.words ?? "", fn: this.fn, edit });
  }

  /** A function that is run where it stands, with arguments that are known. */
  inPlace(fn: Fn, given: readonly Value[]): Value {
    if (this.again) return this.results.get(fn.id) ?? NOTHING;
    this.evaluated.add(fn.id);
    const result = this.call(fn, given);
    this.results.set(fn.id, result);
    return result;
  }

  /** In a layer of its own, which is given back. */
  branch(work: () => boolean): { layer: Environment; ends: boolean } {
    const outer = this.env;
    const layer = new Environment(outer);
    this.env = layer;
    try {
      return { layer, ends: work() };
    } finally {
      this.env = outer;
    }
  }

  read(id: number): Value {
    const value = this.env.read(id) ?? NOTHING;
    return this.guarded(value);
  }

  /** The value as guards left it. */
  guarded(value: Value): Value {
    if (!this.env.guarded || (value.taints.length === 0 && value.via.length === 0)) return value;
    const taints = this.env.filtered(value.taints);
    const via = this.env.filtered(value.via);
    return taints === value.taints && via === value.via ? value : { ...value, taints, via };
  }
}
