/** The specifications of one language, ready to be asked: what is known of this path, of a method of this name? */
import type { Kind } from "../kinds.ts";
import { type KindMask, maskOf } from "../kinds.ts";
import type { Check, CodeRules, Model, Sink, Source, TaintRule, Target } from "../spec.ts";
import { type CompiledCondition, compileCondition } from "./conditions.ts";
import type { Sym } from "./sym.ts";

export interface KnownSink {
  readonly rule: number;
  readonly index: number;
  readonly sink: Sink;
  readonly kind: KindMask;
  readonly when: readonly CompiledCondition[];
  readonly prefix: RegExp | null;
}
export interface KnownCheck {
  readonly rule: number;
  readonly check: Check;
  readonly when: readonly CompiledCondition[];
}
type Model1<K extends keyof Model> = Model[K] extends readonly (infer T)[] ? T : never;
export type KnownSanitiser = Model1<"sanitisers"> & { readonly mask: KindMask };
export type KnownGuard = Omit<Model1<"guards">, "when"> & { readonly mask: KindMask; readonly when: readonly CompiledCondition[] };
export type KnownPropagator = Model1<"propagators">;
export type KnownAbility = Model1<"abilities">;
type SourceOf<From extends Source["from"]> = Extract<Source, { from: From }>;
export interface KnownSource<From extends Source["from"] = Source["from"]> {
  readonly id: number;
  readonly source: SourceOf<From>;
}

/** All that is said of one path. */
export interface Known {
  readonly sinks: KnownSink[];
  readonly checks: KnownCheck[];
  readonly sanitisers: KnownSanitiser[];
  readonly guards: KnownGuard[];
  readonly exits: Target[];
  readonly propagators: KnownPropagator[];
  readonly abilities: KnownAbility[];
  readonly reads: KnownSource<"read">[];
  readonly results: KnownSource<"result">[];
  readonly callbacks: KnownSource<"callback">[];
  readonly decorated: KnownSource<"decorated">[];
  readonly parameterDecorators: KnownSource<"parameter-decorator">[];
  readonly types: KnownSource<"type">[];
  readonly methods: KnownSource<"method">[];
}

interface Entry {
  readonly receiver: readonly string[] | null;
  readonly known: Known;
}
interface Twig {
  readonly children: Map<string, Twig>;
  known: Known | null;
}

/** Rules and sources have the same numbers in both. */
export type KnowledgeByLanguage = Readonly<Record<"javascript" | "python", Knowledge>>;

export class Knowledge {
  readonly sources: readonly Source[];
  readonly rules: readonly TaintRule[];
  readonly names: KnownSource<"names">[] = [];
  readonly files: { readonly id: number; readonly source: SourceOf<"file">; readonly path: RegExp }[] = [];
  readonly writes = new Map<string, { sinks: KnownSink[]; checks: KnownCheck[]; receiver: readonly string[] | null }[]>();
  readonly attributes = new Map<string, KnownSink[]>();
  readonly dynamic: { readonly key: KnownSink[]; readonly nested: KnownSink[] } = { key: [], nested: [] };
  readonly returned = new Map<string, KnownSink[]>();
  /** Members that are sources by their name. */
  readonly readNames = new Set<string>();
  readonly #modules = new Map<string, Twig>();
  readonly #global: Twig = twig();
  readonly #methods = new Map<string, Entry[]>();
  /** Python's modules are members of those above them: `os.path.join` is one path, however it was imported. */
  readonly #dotted: boolean;

  /** `rules` and `models` keep their numbers whatever the language: facts name them by number. */
  constructor({ rules, models }: CodeRules, languages: readonly string[]) {
    this.#dotted = languages.includes("python");
    this.rules = rules;
    this.sources = models.flatMap((model) => model.sources);
    const fits = (each: { languages: readonly string[] }) => each.languages.some((language) => languages.includes(language));
    rules.forEach((rule, index) => {
      if (fits(rule)) this.#addRule(rule, index);
    });
    let id = 0;
    for (const model of models) {
      if (fits(model)) this.#addModel(model, id);
      id += model.sources.length;
    }
  }

  /** Null where nothing is known of it. */
  of(sym: Sym | null): Known | null {
    if (sym === null) return null;
    if (sym.known === undefined) sym.known = this.#find(sym);
    return sym.known as Known | null;
  }

  /** By a method's name, and the receiver's where the rule asks for it. */
  method(name: string, receivers: readonly string[]): Known | null {
    const entries = this.#methods.get(name);
    if (entries === undefined) return null;
    const fitting = entries.filter((entry) => entry.receiver === null || entry.receiver.some((each) => receivers.some((receiver) => named(receiver, each))));
    return fitting.length === 0 ? null : fitting.length === 1 ? (fitting[0] as Entry).known : merged(fitting.map(({ known }) => known));
  }

  /** The kind of a rule's sinks. */
  kindOf(rule: number): KindMask {
    const kind = this.rules[rule]?.taint.kind;
    return kind === undefined ? 0 : maskOf([kind]);
  }

  /** A module that something is said of is nobody's own. */
  knowsModule(module: string): boolean {
    const [first, ...below] = this.#pathOf(module);
    return below.reduce<Twig | undefined>((at, part) => at?.children.get(part), this.#modules.get(first)) !== undefined;
  }

  #find(sym: Sym): Known | null {
    const { root } = sym;
    const [first, ...below] = root.kind === "module" ? this.#pathOf(root.module) : [""];
    const start = root.kind === "module" ? this.#modules.get(first) : root.kind === "global" ? this.#global : undefined;
    if (start === undefined) return null;
    const found: Known[] = [];
    walk(start, [...below, ...sym.segments().filter((segment) => segment !== "default")], 0, found);
    return found.length === 0 ? null : found.length === 1 ? (found[0] as Known) : merged(found);
  }

  #addRule(rule: TaintRule, index: number): void {
    const { kind, sinks, checks } = rule.taint;
    sinks.forEach((sink, number) => {
      const known: KnownSink = {
        rule: index,
        index: number,
        sink,
        kind: maskOf([kind as Kind]),
        when: sink.when.map(compileCondition),
        prefix: sink.unless_prefix === undefined ? null : new RegExp(sink.unless_prefix, "i"),
      };
      for (const name of sink.write ?? []) this.#write(name, sink.receiver ?? null).sinks.push(known);
      for (const name of sink.attribute ?? []) this.attributes.set(name, [...(this.attributes.get(name) ?? []), known]);
      if (sink.dynamic !== undefined) this.dynamic[sink.dynamic].push(known);
      if (sink.returned !== undefined) this.returned.set(sink.returned, [...(this.returned.get(sink.returned) ?? []), known]);
      if (sink.write === undefined) this.#each(sink, (entry) => entry.sinks.push(known));
    });
    for (const check of checks) {
      const known: KnownCheck = { rule: index, check, when: check.when.map(compileCondition) };
      for (const name of check.write ?? []) this.#write(name, check.receiver ?? null).checks.push(known);
      if (check.write === undefined) this.#each(check, (entry) => entry.checks.push(known));
    }
  }

  #write(name: string, receiver: readonly string[] | null) {
    const entry = { sinks: [] as KnownSink[], checks: [] as KnownCheck[], receiver };
    this.writes.set(name, [...(this.writes.get(name) ?? []), entry]);
    return entry;
  }

  #addModel(model: Model, firstSource: number): void {
    model.sources.forEach((source, index) => this.#addSource(source, firstSource + index));
    for (const each of model.sanitisers) this.#each(each, (known) => known.sanitisers.push({ ...each, mask: maskOf(each.cleanses) }));
    for (const each of model.propagators) this.#each(each, (known) => known.propagators.push(each));
    for (const each of model.abilities) this.#each(each, (known) => known.abilities.push(each));
    for (const each of model.exits) this.#each(each, (known) => known.exits.push(each));
    for (const each of model.guards)
      this.#each(each, (known) => known.guards.push({ ...each, mask: maskOf(each.cleanses), when: each.when.map(compileCondition) }));
  }

  #addSource(source: Source, id: number): void {
    switch (source.from) {
      case "read":
        for (const name of source.method ?? []) this.readNames.add(name);
        this.#each(source, (known) => known.reads.push({ id, source }));
        return;
      case "result":
        this.#each(source, (known) => known.results.push({ id, source }));
        return;
      case "callback":
        this.#each(source, (known) => known.callbacks.push({ id, source }));
        return;
      case "decorated":
        this.#each(source, (known) => known.decorated.push({ id, source }));
        return;
      case "parameter-decorator":
        this.#each(source, (known) => known.parameterDecorators.push({ id, source }));
        return;
      case "type":
        this.#each(source, (known) => known.types.push({ id, source }));
        return;
      case "method":
        this.#each(source.base, (known) => known.methods.push({ id, source }));
        return;
      case "names":
        this.names.push({ id, source });
        return;
      case "file":
        this.files.push({ id, source, path: new RegExp(source.path) });
        return;
    }
  }

  #each(target: Target, add: (known: Known) => void): void {
    for (const module of target.module ?? [])
      for (const member of target.member ?? [""]) {
        const [first, ...below] = this.#pathOf(module);
        add(this.#at(this.#module(first), [...below, ...segmentsOf(member)]));
      }
    for (const path of target.global ?? []) add(this.#at(this.#global, segmentsOf(path)));
    for (const method of target.method ?? []) {
      const known = nothing();
      add(known);
      this.#methods.set(method, [...(this.#methods.get(method) ?? []), { receiver: target.receiver?.map((each) => each.toLowerCase()) ?? null, known }]);
    }
  }

  #pathOf(module: string): [string, ...string[]] {
    const name = moduleName(module);
    return this.#dotted && !name.startsWith(".") ? (name.split(".") as [string, ...string[]]) : [name];
  }

  #module(name: string): Twig {
    const known = this.#modules.get(name) ?? twig();
    this.#modules.set(name, known);
    return known;
  }

  #at(root: Twig, path: readonly string[]): Known {
    let node = root;
    for (const segment of path) {
      const next = node.children.get(segment) ?? twig();
      node.children.set(segment, next);
      node = next;
    }
    node.known ??= nothing();
    return node.known;
  }
}

/** `createPool().query` → `createPool`, `()`, `query`. */
function segmentsOf(member: string): string[] {
  return member.split(".").flatMap((part) => {
    const calls = part.split("()").length - 1;
    const name = part.replaceAll("()", "");
    return [...(name === "" ? [] : [name]), ...Array.from({ length: calls }, () => "()")];
  });
}

function moduleName(module: string): string {
  return module.startsWith("node:") ? module.slice(5) : module;
}

function walk(node: Twig, path: readonly string[], at: number, found: Known[]): void {
  if (at === path.length) {
    if (node.known !== null) found.push(node.known);
  } else {
    const segment = path[at] as string;
    const next = node.children.get(segment);
    if (next !== undefined) walk(next, path, at + 1, found);
    const any = node.children.get("*");
    if (any !== undefined && segment !== "()") walk(any, path, at + 1, found);
  }
  const deep = node.children.get("**");
  if (deep !== undefined) for (let skip = at; skip <= path.length; skip++) walk(deep, path, skip, found);
}

/** `userDb`, `this.db`, `_db` are all a `db`. */
function named(receiver: string, wanted: string): boolean {
  const word = receiver.toLowerCase().replace(/^[_$#]+/, "");
  return (
    word === wanted ||
    (wanted.length > 1 && word.endsWith(wanted) && (/[_$]$/.test(word.slice(0, -wanted.length)) || /[A-Z]/.test(receiver.at(-wanted.length) ?? "")))
  );
}

function twig(): Twig {
  return { children: new Map(), known: null };
}

function nothing(): Known {
  return {
    ...{ sinks: [], checks: [], sanitisers: [], guards: [], exits: [], propagators: [], abilities: [], reads: [], results: [] },
    ...{ callbacks: [], decorated: [], parameterDecorators: [], types: [], methods: [] },
  };
}

function merged(all: readonly Known[]): Known {
  const into = nothing();
  for (const known of all) for (const key of Object.keys(into) as (keyof Known)[]) (into[key] as unknown[]).push(...known[key]);
  return into;
}
