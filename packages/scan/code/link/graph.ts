/**
 * Every way that data takes in the whole tree. Nodes are ports of files (`engine/value.ts`); what one file says of its functions is laid
 * side by side, and joined where a call of one is a function of another.
 */
import type { EdgeFact, FileFacts, Ref, SiteFact } from "../engine/facts.ts";
import type { Resolved, Resolver } from "./resolve.ts";

export interface Edge {
  readonly file: string;
  readonly fact: EdgeFact;
}

/** A function that a call reaches. */
export interface Callee {
  readonly file: string;
  readonly fn: number;
}

export interface External {
  readonly file: string;
  readonly id: number;
  readonly site: SiteFact;
  readonly module: string;
  readonly path: readonly string[];
}

export class Graph {
  readonly #edges = new Map<string, Edge[]>();
  readonly callees = new Map<string, readonly Callee[]>();
  readonly sites = new Map<string, SiteFact>();
  /** Who calls this function. */
  readonly callers = new Map<string, { file: string; site: number }[]>();
  /** Calls of libraries that only the other files' exports told apart. */
  readonly externals: External[] = [];
  readonly resolver: Resolver;

  constructor(files: ReadonlyMap<string, FileFacts>, resolver: Resolver) {
    this.resolver = resolver;
    const open: { file: string; id: number; site: SiteFact }[] = [];
    for (const [file, { flows }] of files) {
      if (flows === null) continue;
      for (const fact of flows.edges) push(this.#edges, `${file}\0${fact[0]}`, { file, fact });
      for (const [id, site] of flows.sites) {
        this.sites.set(`${file}\0${id}`, site);
        if (site.callee[0] === "p") open.push({ file, id, site });
        else this.#connect(file, id, site, resolver.callable(resolver.resolve(file, site.callee)));
      }
    }
    // Functions that are parameters: whatever the callers gave. Twice, as one may hand on what it was given.
    for (let round = 0; round < 2; round++) for (const each of open) this.#connectParameter(each.file, each.id, each.site);
  }

  edges(file: string, port: string): readonly Edge[] {
    return this.#edges.get(`${file}\0${port}`) ?? [];
  }

  addEdge(file: string, fact: EdgeFact): void {
    push(this.#edges, `${file}\0${fact[0]}`, { file, fact });
  }

  /** A sink that no file knew of. Gives its port. */
  addSink(file: string, rule: number, index: number, site: SiteFact): string {
    const flows = this.resolver.flows(file);
    const known = flows?.sinks.find(([, r, i, spot]) => r === rule && i === index && spot[0] === site.spot[0] && spot[1] === site.spot[1]);
    if (known !== undefined) return `K${known[0]}`;
    const id = flows?.sinks.length ?? 0;
    const name = site.callee.filter((part) => typeof part === "string").at(-1) ?? "";
    flows?.sinks.push([id + 100_000, rule, index, site.spot, name, site.fn]);
    return `K${id + 100_000}`;
  }

  ports(): Iterable<[string, Edge[]]> {
    return this.#edges;
  }

  #connect(file: string, id: number, site: SiteFact, resolved: Resolved | null): void {
    if (resolved === null) return;
    if (resolved.kind === "external") this.externals.push({ file, id, site, module: resolved.module, path: resolved.path });
    const callee = resolved.kind === "class" ? this.resolver.member(resolved.file, resolved.id, "constructor", 0) : resolved;
    if (callee?.kind === "function") this.#link(file, id, { file: callee.file, fn: callee.id });
  }

  #link(file: string, id: number, callee: Callee): void {
    const key = `${file}\0${id}`;
    const known = this.callees.get(key) ?? [];
    if (known.length >= 8 || known.some((each) => each.file === callee.file && each.fn === callee.fn)) return;
    this.callees.set(key, [...known, callee]);
    push(this.callers, `${callee.file}\0${callee.fn}`, { file, site: id });
  }

  #connectParameter(file: string, id: number, site: SiteFact): void {
    const [, fn, index, ...path] = site.callee as ["p", number, number, ...string[]];
    for (const caller of this.callers.get(`${file}\0${fn}`) ?? []) {
      const given = this.sites.get(`${caller.file}\0${caller.site}`)?.given.find(([position]) => position === index);
      if (given === undefined) continue;
      let resolved = this.resolver.resolve(caller.file, given[1]);
      for (const segment of path) {
        if (resolved?.kind === "object") {
          const entry: readonly [string, Ref] | undefined = resolved.entries.find(([name]) => name === segment);
          resolved = entry === undefined ? null : this.resolver.resolve(resolved.file, entry[1]);
        } else if (resolved?.kind === "instance" || resolved?.kind === "class") resolved = this.resolver.member(resolved.file, resolved.id, segment, 0);
        else resolved = null;
      }
      if (resolved?.kind === "function") this.#link(file, id, { file: resolved.file, fn: resolved.id });
    }
  }
}

/** The parameter that an argument becomes; by position, or by its name. */
export function parameterOf(slot: string, names: readonly string[]): number | null {
  if (/^-?\d+$/.test(slot)) {
    // `...xs` takes all that is left.
    const rest = names.findIndex((name) => name.startsWith("..."));
    return rest >= 0 && Number(slot) > rest ? rest : Number(slot);
  }
  const at = names.indexOf(slot);
  // `**kwargs` takes what no other parameter is called.
  const other = at < 0 ? names.findIndex((name) => name.startsWith("**")) : at;
  return other < 0 ? null : other;
}

function push<T>(map: Map<string, T[]>, key: string, value: T): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [value]);
  else list.push(value);
}
