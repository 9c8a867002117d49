/** Follows data from where it comes in to the sinks that it reaches, call by call: a function's end leads back to the call that led in. */
import { type Edge, type Graph, parameterOf } from "./graph.ts";
import type { Hot } from "./hot.ts";

/** Calls that one flow may be inside of. */
const MAX_CALLS = 8;
const MAX_LENGTH = 40;

interface Frame {
  readonly file: string;
  readonly site: number;
  readonly outer: Frame | null;
  readonly depth: number;
  readonly key: string;
}

/** Data at a port: `path` of it is tainted (all of it where that is ""), and as `mask` it can do no harm. */
export interface State {
  readonly file: string;
  readonly port: string;
  readonly path: string;
  /** It is a text: it has no fields. */
  readonly scalar: boolean;
  /** It is a part of what came in: a field was taken of it, or it became a text. */
  readonly part: boolean;
  /** How many fields deep in what came in. */
  readonly taken: number;
  readonly mask: number;
  readonly frame: Frame | null;
  readonly before: State | null;
  /** The edge that led here; null at the beginning, and where a call or a return did. */
  readonly edge: Edge | null;
  readonly length: number;
}

export interface Hit {
  readonly state: State;
  readonly file: string;
  readonly sink: number;
}

export function follow(graph: Graph, hot: Hot, start: { file: string; port: string; path: string; mask: number }, budget: { left: number }): Hit[] {
  const first: State = { ...start, scalar: false, part: false, taken: 0, frame: null, before: null, edge: null, length: 0 };
  const hits: Hit[] = [];
  // What a function gives back of its own arguments goes to who gave them, which is not here.
  const own = start.port.startsWith("P") ? `Q${Number.parseInt(start.port.slice(1), 10)}` : "";
  const seen = new Map<string, number>();
  let queue: State[] = [first];
  while (queue.length > 0) {
    const next: State[] = [];
    for (const state of queue) {
      if (budget.left-- <= 0) return hits;
      if (state.length >= MAX_LENGTH || !hot.has(state.file, state.port)) continue;
      const key = `${state.file}\0${state.port}\0${state.path}\0${state.scalar}\0${state.frame?.key ?? ""}`;
      const known = seen.get(key);
      // Seen before with as little taken away from it.
      if (known !== undefined && (known & state.mask) === known) continue;
      seen.set(key, known === undefined ? state.mask : known & state.mask);
      for (const edge of graph.edges(state.file, state.port)) {
        const moved = along(state, edge);
        if (moved === null) continue;
        if (moved.port.startsWith("K")) {
          if (moved.path === "") hits.push({ state: moved, file: moved.file, sink: Number(moved.port.slice(1)) });
        } else next.push(...onward(graph, moved, own));
      }
    }
    queue = next;
  }
  return hits;
}

/** Along one edge: what of the data takes it. */
function along(state: State, edge: Edge): State | null {
  const [, fromPath, to, toPath, mode, mask] = edge.fact;
  let rest = "";
  if (state.path !== fromPath && state.path !== "" && !fromPath.startsWith(`${state.path}.`)) {
    if (fromPath !== "" && !state.path.startsWith(`${fromPath}.`)) return null;
    rest = state.path.slice(fromPath.length);
  }
  // A text has no fields; and only the whole of an object makes a text of it.
  if (state.scalar && fromPath.length > state.path.length) return null;
  // What a thing was taken out by is no part of it.
  if (fromPath === ".%" && state.path !== ".%") return null;
  if (mode === 1 && rest !== "") return null;
  const scalar = mode !== 0 || (state.scalar && fromPath === state.path);
  const deeper = Math.max(0, fromPath.split(".").length - state.path.split(".").length);
  const part = state.part || scalar || deeper > 0;
  const path = limited(mode === 0 ? toPath + rest : toPath);
  return { ...state, port: to, path, scalar, part, taken: state.taken + deeper, mask: state.mask | mask, before: state, edge, length: state.length + 1 };
}

function limited(path: string): string {
  const parts = path.split(".");
  return parts.length > 6 ? parts.slice(0, 6).join(".") : path;
}

/** Into the function that is called, out of the one that returns; other ports are where they are. */
function onward(graph: Graph, state: State, own: string): State[] {
  const { port, file } = state;
  if (port.startsWith("A")) {
    const colon = port.indexOf(":");
    const site = Number(port.slice(1, colon));
    const slot = port.slice(colon + 1);
    return [
      state,
      ...(graph.callees.get(`${file}\0${site}`) ?? []).flatMap((callee) => {
        const names = graph.resolver.fn(callee.file, callee.fn)?.[3] ?? [];
        const index = parameterOf(slot, names);
        const frame = entered(state.frame, file, site);
        if (index === null || frame === null) return [];
        const path = names[index]?.startsWith("**") && !/^-?\d+$/.test(slot) ? limited(`.${slot}${state.path}`) : state.path;
        return [{ ...state, path, file: callee.file, port: `P${callee.fn}:${index}`, frame, before: state, edge: null, length: state.length + 1 }];
      }),
    ];
  }
  if (!port.startsWith("Q")) return [state];
  const { frame } = state;
  if (frame === null && port === own && file === startOf(state)) return [state];
  const back = (to: { file: string; site: number }, outer: Frame | null): State => ({
    ...state,
    file: to.file,
    port: `R${to.site}`,
    frame: outer,
    before: state,
    edge: null,
    length: state.length + 1,
  });
  const callers = graph.callers.get(`${file}\0${port.slice(1)}`) ?? [];
  // Back to where it came from, if that is a call of this function; else (a closure, a source in it) to all that call it.
  if (frame !== null && callers.some((each) => each.file === frame.file && each.site === frame.site)) return [state, back(frame, frame.outer)];
  return [state, ...callers.slice(0, 40).map((each) => back(each, frame))];
}

function startOf(state: State): string {
  let first = state;
  while (first.before !== null) first = first.before;
  return first.file;
}

/** Null where the call stands in the way already: a recursion is followed once. */
function entered(outer: Frame | null, file: string, site: number): Frame | null {
  if ((outer?.depth ?? 0) >= MAX_CALLS) return null;
  for (let frame = outer; frame !== null; frame = frame.outer) if (frame.site === site && frame.file === file) return null;
  return { file, site, outer, depth: (outer?.depth ?? 0) + 1, key: `${outer?.key ?? ""}|${file}:${site}` };
}
