/**
 * What the engine knows of a value: which data from outside is in it, what it is, what is constant about it. Values are never changed,
 * only replaced.
 */
import { EVERY_KIND, type KindMask, maskOf } from "../kinds.ts";
import type { Sym } from "./sym.ts";

/**
 * Where data may come from, as seen from inside one file: `port` + `path`. Ports: `P4:0` parameter 0 of function 4 (`-1`: its `this`),
 * `S2` a source, `R7` what call 7 gave, `T1:name` a field of class 1, `V9` a variable that several functions write. `path` is `.a.b`.
 */
export interface Atom {
  readonly port: string;
  readonly path: string;
  readonly depth: number;
  readonly key: string;
}

/** copy: the thing itself. text: a text with it in; its fields are gone. deep: a text in which any part of it may be. */
export type Mode = 0 | 1 | 2;
export const COPY: Mode = 0;
export const TEXT: Mode = 1;
export const DEEP: Mode = 2;

/** What happened on the way, newest first. */
export interface Step {
  readonly at: number;
  readonly end: number;
  readonly what: "assigned" | "joined" | "passed";
  readonly name: string;
  readonly before: Step | null;
  readonly count: number;
}
const MAX_STEPS = 4;

export interface Taint {
  readonly atom: Atom;
  readonly mode: Mode;
  /** As what it can do no harm any more. */
  readonly mask: KindMask;
  readonly step: Step | null;
}

export interface Value {
  readonly taints: readonly Taint[];
  readonly sym: Sym | null;
  readonly fields: ReadonlyMap<string, Value> | null;
  /** All fields are known: nothing was spread into it, nothing written by a computed name. */
  readonly closed: boolean;
  readonly constant: string | number | boolean | null | undefined;
  /** Constant text, with \0 for each part that is not; null where nothing is known. */
  readonly text: string | null;
  /** Keys by which it was taken out of another object. */
  readonly via: readonly Taint[];
  /** What a call was given that gave this: functions in a wrapper (`asyncHandler(fn)`). */
  readonly wraps: readonly Value[];
}

const NONE: readonly never[] = [];
export const NOTHING: Value = { taints: NONE, sym: null, fields: null, closed: false, constant: undefined, text: null, via: NONE, wraps: NONE };

/** One shape for all, which is what makes them fast. */
export function tainted(taints: readonly Taint[], sym: Sym | null = null, text: string | null = null): Value {
  if (taints.length === 0 && sym === null && text === null) return NOTHING;
  return { taints, sym, fields: null, closed: false, constant: undefined, text, via: NONE, wraps: NONE };
}

export function constantOf(constant: string | number | boolean | null): Value {
  return { ...NOTHING, constant, text: constant === null ? null : String(constant).slice(0, MAX_KEPT) };
}
export const MAX_KEPT = 300;
const MAX_PATH = 4;
/** More origins than this in one value say no more than the first ones do. */
const MAX_TAINTS = 12;

export function atomOf(port: string, path = "", depth = 0): Atom {
  return { port, path, depth, key: port + path };
}

/** The same data, one field further in. */
export function fieldAtom(atom: Atom, name: string): Atom {
  if (atom.depth >= MAX_PATH) return atom;
  return atomOf(atom.port, `${atom.path}.${name.replaceAll(".", "·").slice(0, 60)}`, atom.depth + 1);
}

export function stepped(taints: readonly Taint[], what: Step["what"], name: string, at: number, end: number): readonly Taint[] {
  if (taints.length === 0) return taints;
  return taints.map((taint) => {
    const before = taint.step;
    if (before !== null && (before.count >= MAX_STEPS || before.at === at)) return taint;
    return { ...taint, step: { at, end, what, name: name.slice(0, 60), before, count: (before?.count ?? 0) + 1 } };
  });
}

/** Taken further: the mode can only lose structure, the mask can only grow. */
export function moved(taints: readonly Taint[], mode: Mode, mask: KindMask = 0): readonly Taint[] {
  if (taints.length === 0 || (mode === COPY && mask === 0)) return taints;
  const out: Taint[] = [];
  for (const taint of taints) {
    const cleansed = taint.mask | mask;
    if ((cleansed & EVERY_KIND) === EVERY_KIND) continue;
    const next = taint.mode === DEEP || mode === DEEP ? DEEP : mode === TEXT ? TEXT : taint.mode;
    out.push(next === taint.mode && cleansed === taint.mask ? taint : { ...taint, mode: next, mask: cleansed });
  }
  return out;
}

export function united(a: readonly Taint[], b: readonly Taint[]): readonly Taint[] {
  if (b.length === 0 || a === b) return a;
  if (a.length === 0) return b;
  const out = [...a];
  for (const taint of b) {
    const at = out.findIndex(({ atom, mode }) => atom.key === taint.atom.key && mode === taint.mode);
    const known = out[at];
    if (known === undefined) {
      if (out.length < MAX_TAINTS) out.push(taint);
    } else if ((known.mask & taint.mask) !== known.mask) out[at] = { ...known, mask: known.mask & taint.mask };
  }
  return out;
}

/** One or the other. */
export function joined(a: Value, b: Value): Value {
  if (a === b || b === NOTHING) return a;
  if (a === NOTHING) return b;
  const same = a.constant === b.constant;
  return {
    taints: united(a.taints, b.taints),
    sym: a.sym ?? b.sym,
    fields: joinedFields(a.fields, b.fields),
    closed: a.closed && b.closed,
    constant: same ? a.constant : undefined,
    text: a.text === b.text ? a.text : (longer(a.text, b.text) ?? null),
    via: united(a.via, b.via),
    wraps: a.wraps.length > 0 ? a.wraps : b.wraps,
  };
}

/** Of two texts the one that was put together: what a rule asks of a text (is it SQL?) it asks of that. */
function longer(a: string | null, b: string | null): string | null {
  if (a === null || b === null) return a ?? b;
  return a.includes("\0") === b.includes("\0") ? (a.length >= b.length ? a : b) : a.includes("\0") ? a : b;
}

function joinedFields(a: Value["fields"], b: Value["fields"]): Value["fields"] {
  if (a === null || b === null || a === b) return a ?? b;
  const out = new Map(a);
  for (const [name, value] of b) {
    const known = out.get(name);
    out.set(name, known === undefined ? value : joined(known, value));
  }
  return out;
}

/** All data in it, fields included, each as if it were the whole. */
export function everyTaint(value: Value, depth = 3): readonly Taint[] {
  let taints = value.taints;
  if (value.fields !== null && depth > 0) for (const field of value.fields.values()) taints = united(taints, everyTaint(field, depth - 1));
  return taints;
}

export function withField(value: Value, name: string, field: Value): Value {
  const fields = new Map(value.fields ?? []);
  if (fields.size < 200 || fields.has(name)) fields.set(name, field);
  return { ...value, fields, constant: undefined };
}

const NOT_DATA = new Set(["length", "size", "byteLength", "byteOffset", "constructor"]);
/** What a text has: everything else that is read of a text is undefined. */
const OF_TEXT =
  /^(\d+|trim|slice|sub\w*|to\w+|replace\w*|split|concat|pad\w+|at|charAt|normalize|repeat|match\w*|strip|lower|upper|format|join|encode|decode)$/;

/** `value.name`. */
export function fieldOf(value: Value, name: string): Value {
  const known = value.fields?.get(name);
  const sym = value.sym?.child(name) ?? null;
  if (NOT_DATA.has(name)) return known ?? tainted(NONE, sym);
  const taints: Taint[] = [];
  for (const taint of value.taints) {
    if (taint.mode === COPY) taints.push({ ...taint, atom: fieldAtom(taint.atom, name) });
    else if (OF_TEXT.test(name)) taints.push(taint);
  }
  if (known === undefined) return tainted(taints, sym);
  // A field that is written is what was written, whatever the rest of the object is.
  return known.sym === null && sym !== null ? { ...known, sym } : known;
}

/** What putting something in front of data takes away from it. */
export const PREFIX_CLEANSES = maskOf(["nosql", "prototype", "argument"]);
export const HOST_CLEANSES = maskOf(["redirect", "request"]);
