/** What a file's evaluation found, cut down to what can matter to anybody, as plain JSON. */
import type { EdgeFact, FlowFacts, Ref, SiteFact, Spot, StepFact } from "./facts.ts";
import type { Lines } from "./lines.ts";
import { liveEdges } from "./live.ts";
import type { Edge, Site } from "./recorder.ts";
import { refOf, refOfSym } from "./refs.ts";
import type { Run } from "./run.ts";

export function freeze(run: Run, lines: Lines): FlowFacts {
  const { recorder, module } = run;
  const told = new Map<number, readonly [string, number]>();
  const spot = (at: number, end: number): Spot => {
    const place = lines.spot(at, end);
    if (!told.has(place[0])) told.set(place[0], lines.shown(place[0], place[1]));
    return place;
  };
  const exports = exportsOf(run);
  const classes = classesOf(run);
  const sites = [...recorder.sites.values()].map((site) => ({ site, given: givenOf(run, site) }));
  const edges = liveEdges(run, exports, classes, sites);
  const ports = new Set(edges.flatMap(({ port, to }) => [port, to]));
  const used = new Set<number>();
  for (const port of ports) if (/^[RA]/.test(port)) used.add(Number.parseInt(port.slice(1), 10));
  const kept = sites.filter(({ site, given }) => used.has(site.id) || (given.length > 0 && mayHandOver(site)));
  const named = functionsNamed(
    ports,
    exports,
    classes,
    kept.map(({ given }) => given),
  );
  return {
    exports,
    stars: run.stars.slice(0, 500),
    functions: [...module.functions].flatMap((fn) => {
      const value = recorder.returns.get(fn.id);
      const returns = value === undefined ? null : refOf(value);
      if (!named.has(fn.id) && returns === null) return [];
      const names = fn.parameters.slice(0, 30).map(({ name, kind }) => (kind === "rest" ? `...${name}` : kind === "keywords" ? `**${name}` : name));
      // Named by nobody, read through `arguments`.
      while (names.length < 3 && ports.has(`P${fn.id}:${names.length}`)) names.push("");
      return [[fn.id, fn.name.slice(0, 80), returns, names] as const];
    }),
    classes,
    sites: kept.flatMap(({ site, given }) => siteFact(site, given, spot)),
    edges: edges.map((edge) => edgeFact(edge, spot)),
    sources: [...recorder.sources.values()].filter(({ id }) => ports.has(`S${id}`)).map(({ id, source, at, end }) => [id, source, spot(at, end)]),
    sinks: [...recorder.sinks.values()]
      .filter(({ id }) => ports.has(`K${id}`))
      .map(({ id, known, at, end, name, fn }) => [id, known.rule, known.index, spot(at, end), name, fn]),
    seeds: [...recorder.seeds.values()].map(({ fn, index, path, source, at, end }) => [fn, index, path, source, spot(at, end)]),
    registrations: recorder.registrations.flatMap(({ callee, source }) => {
      const ref = refOfSym(callee);
      return ref === null ? [] : [[ref, source] as const];
    }),
    lines: [...told].map(([line, [text, from]]) => [line, text, from] as const),
  };
}

function exportsOf(run: Run): [string, Ref][] {
  const out: [string, Ref][] = [];
  const whole = refOf(run.exportsValue);
  // `=` is the whole of it: `module.exports = …`.
  if (whole !== null) out.push(["=", whole]);
  for (const [name, value] of run.exported) {
    const ref = refOf(value);
    if (ref !== null && out.length < 3000) out.push([name, ref]);
  }
  return out;
}

function classesOf(run: Run): FlowFacts["classes"] {
  const byClass = new Map<number, [string, Ref][]>();
  for (const [key, value] of run.heap) {
    const ref = refOf(value);
    if (ref === null || ref[0] === "p") continue;
    const id = Number.parseInt(key, 10);
    const fields = byClass.get(id) ?? [];
    byClass.set(id, fields);
    if (fields.length < 200) fields.push([key.slice(key.indexOf(":") + 1), ref]);
  }
  return run.module.classes.map(({ id, name, methods }) => {
    const fields = byClass.get(id) ?? [];
    const bases = (run.classes.get(id) ?? []).map((base) => refOf(base)).filter((ref) => ref !== null);
    return { id, name: name.slice(0, 80), bases, methods: methods.map(({ name: method, fn }) => [method.slice(0, 80), fn] as const), fields };
  });
}

/** Arguments that somebody may call, or call something of. */
function givenOf(run: Run, site: Site): [number, Ref][] {
  const out: [number, Ref][] = [];
  site.given.forEach((value, index) => {
    const ref = refOf(value, 2);
    if (ref === null || ref[0] === "p") return;
    if (ref[0] === "m" && run.knowledge.knowsModule(ref[1]) && ref.length > 2) return;
    out.push([index, ref]);
  });
  return out.slice(0, 8);
}

/** A function that is given to one of ours may be called with data there. */
function mayHandOver({ callee: { root } }: Site): boolean {
  return root.kind === "module" ? root.module.startsWith(".") : root.kind !== "parameter";
}

function siteFact(site: Site, given: [number, Ref][], spot: (at: number, end: number) => Spot): [number, SiteFact][] {
  const callee = refOfSym(site.callee);
  if (callee === null) return [];
  const texts = site.given.flatMap(({ text }, index) => (text === null || text === "" ? [] : [[index, text.slice(0, 80)] as const]));
  return [[site.id, { fn: site.fn, callee, spot: spot(site.at, site.end), given, texts: callee[0] === "f" ? [] : texts.slice(0, 4) }]];
}

function edgeFact({ port, path, to, toPath, mode, mask, step }: Edge, spot: (at: number, end: number) => Spot): EdgeFact {
  const steps: StepFact[] = [];
  for (let each = step; each !== null; each = each.before)
    steps.push([each.what === "assigned" ? "a" : each.what === "joined" ? "j" : "p", each.name, spot(each.at, each.end)]);
  return [port, path, to, toPath, mode, mask, steps.reverse()];
}

/** Functions that others may ask for: the names of their parameters, and their own. */
function functionsNamed(
  ports: ReadonlySet<string>,
  exports: readonly (readonly [string, Ref])[],
  classes: FlowFacts["classes"],
  given: readonly (readonly (readonly [number, Ref])[])[],
): Set<number> {
  const named = new Set<number>();
  for (const port of ports) if (/^[PQ]/.test(port)) named.add(Number.parseInt(port.slice(1), 10));
  const add = (ref: Ref): void => {
    if (ref[0] === "f") named.add(ref[1]);
    else if (ref[0] === "o") for (const [, inner] of ref[1]) add(inner);
  };
  for (const [, ref] of exports) add(ref);
  for (const each of given) for (const [, ref] of each) add(ref);
  for (const { methods } of classes) for (const [, fn] of methods) if (ports.has(`P${fn}:0`)) named.add(fn);
  return named;
}
