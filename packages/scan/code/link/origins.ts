/** Everything that data from outside comes in by: sources that are read, handlers' parameters, what a package offers to its callers. */
import type { FileFacts, Spot } from "../engine/facts.ts";
import type { Knowledge } from "../engine/knowledge.ts";
import { maskOf, type Origin } from "../kinds.ts";
import type { Graph } from "./graph.ts";
import type { Modules } from "./modules.ts";
import type { Resolved, Resolver } from "./resolve.ts";

export interface Start {
  readonly file: string;
  readonly port: string;
  readonly path: string;
  readonly mask: number;
  readonly origin: Origin;
  readonly words: string;
  readonly sure: "high" | "medium" | "low";
  /** Where; null where the function itself is the place. */
  readonly spot: Spot | null;
}

export function startsOf(files: ReadonlyMap<string, FileFacts>, graph: Graph, modules: Modules, knowledge: Knowledge): Start[] {
  const starts: Start[] = [];
  for (const [file, { flows }] of files) {
    if (flows === null) continue;
    for (const [id, source, spot] of flows.sources) add(starts, knowledge, file, `S${id}`, "", source, spot);
    for (const [fn, index, path, source, spot] of flows.seeds) add(starts, knowledge, file, `P${fn}:${index}`, path, source, spot);
    for (const [callee, source] of flows.registrations) registered(starts, knowledge, graph.resolver.resolve(file, callee), source, graph.resolver, 0);
  }
  return [...starts, ...offered(modules, graph.resolver)];
}

function add(starts: Start[], knowledge: Knowledge, file: string, port: string, path: string, id: number, spot: Spot | null): void {
  const source = knowledge.sources[id];
  if (source === undefined) return;
  starts.push({ file, port, path, mask: maskOf(source.except), origin: source.origin, words: source.words, sure: source.confidence, spot });
}

/** A handler of another file: a function, a method, or an object of them (`controller.show`, a router's table). */
export function registered(starts: Start[], knowledge: Knowledge, resolved: Resolved | null, id: number, resolver: Resolver, depth: number): void {
  const source = knowledge.sources[id];
  if (source?.from !== "callback" || depth > 2) return;
  const callable = resolver.callable(resolved);
  if (callable?.kind === "function")
    for (const field of source.fields) add(starts, knowledge, callable.file, `P${callable.id}:${source.parameter}`, field === "" ? "" : `.${field}`, id, null);
}

/** Whoever depends on a package calls its functions with what he has. A private package has no such callers. */
function offered(modules: Modules, resolver: Resolver): Start[] {
  const starts: Start[] = [];
  const seen = new Set<string>();
  const walk = (resolved: Resolved | null, name: string, depth: number): void => {
    if (resolved === null || depth > 3 || starts.length > 20_000) return;
    const key =
      resolved.kind === "module" || resolved.kind === "external"
        ? `${resolved.kind}${"file" in resolved ? resolved.file : ""}`
        : resolved.kind === "object"
          ? ""
          : `${resolved.kind}${resolved.file}\0${resolved.id}`;
    if (key !== "" && seen.has(key)) return;
    seen.add(key);
    if (resolved.kind === "function") parametersOf(resolved.file, resolved.id, name);
    else if (resolved.kind === "class" || resolved.kind === "instance") {
      for (const [method, fn] of resolver.classOf(resolved.file, resolved.id)?.methods ?? [])
        if (!/^[_#]/.test(method)) parametersOf(resolved.file, fn, method === "constructor" ? `new ${name}` : `${name}.${method}`);
    } else if (resolved.kind === "object")
      for (const [entry, ref] of resolved.entries) walk(resolver.resolve(resolved.file, ref), `${name}.${entry}`, depth + 1);
    else if (resolved.kind === "module") module(resolved.file, depth + 1);
  };
  const parametersOf = (file: string, fn: number, name: string): void => {
    const names = resolver.fn(file, fn)?.[3] ?? [];
    names.forEach((parameter, index) => {
      const words = `\`${parameter.replace(/^(?:\.\.\.|\*\*)/, "") || `argument ${index + 1}`}\` of the exported function \`${name}\``;
      starts.push({ file, port: `P${fn}:${index}`, path: "", mask: 0, origin: "library", words, sure: "medium", spot: null });
    });
  };
  const module = (file: string, depth: number): void => {
    const flows = resolver.flows(file);
    if (flows === undefined || depth > 4) return;
    for (const [name, ref] of flows.exports) walk(resolver.resolve(file, ref), name === "=" || name === "default" ? moduleName(file) : name, depth);
    for (const star of flows.stars) {
      const target = modules.find(file, star);
      if (target !== null) walk({ kind: "module", file: target }, "", depth);
    }
  };
  for (const { folder, manifest } of modules.packages()) {
    if (manifest.private) continue;
    for (const [subpath] of manifest.entries) {
      const file = modules.entry(folder, manifest, subpath);
      if (file !== null) module(file, 0);
    }
    if (manifest.entries.length === 0) {
      const file = modules.entry(folder, manifest, ".");
      if (file !== null) module(file, 0);
    }
  }
  return starts;
}

function moduleName(file: string): string {
  return (file.split("/").at(-1) ?? file).replace(/\.\w+$/, "");
}
